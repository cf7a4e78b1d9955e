"""Images on the server's disk: `troupe-server image`, and what builds make of it."""

import fcntl
import hashlib
import json
import os
import subprocess
import uuid

import pytest
from conftest import DATA

from harness.registry import tar_of
from harness.server import PROGRAM, Server


def image(*arguments, data=DATA, succeeds=True, **environment):
    ended = subprocess.run(
        [PROGRAM, "image", *map(str, arguments), "--data", data],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode == 0) == succeeds, ended
    return ended


def make_layout(folder, layers):
    """An OCI layout of one image of these layers, tars as bytes."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(content):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": "x", "digest": f"sha256:{digest}", "size": len(content)}

    described = [put(layer) for layer in layers]
    configuration = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["A=b"]},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in described]},
    }
    manifest = {
        "schemaVersion": 2,
        "config": put(json.dumps(configuration).encode()),
        "layers": described,
    }
    index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode())]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


@pytest.mark.core
def test_an_image_is_brought_in_listed_and_written_out_while_the_server_runs(server, tmp_path):
    """Break: forget the variables of an image that is written out."""
    name = f"registry.example/{tmp_path.name.lower()}:1"
    layout = make_layout(tmp_path / "in", [tar_of({"word": "1"}), tar_of({"word": "2"})])
    image("import", layout, "--name", name)
    assert name in image("list").stdout
    digest = image("export", name, tmp_path / "out").stdout.strip()
    out = tmp_path / "out/blobs/sha256"
    manifest = json.loads((out / digest.removeprefix("sha256:")).read_text())
    configuration = json.loads((out / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
    assert configuration["config"]["Env"] == ["A=b"]
    assert len(manifest["layers"]) == 2
    image("import", tmp_path / "out", "--name", f"{name}-again")


def test_images_that_clients_built_are_listed_by_id(server):
    """Break: list what was imported alone."""
    assert any(line.startswith("im-") for line in image("list").stdout.splitlines())


def test_layers_that_no_image_names_are_removed_while_the_server_runs_but_not_while_it_builds(
    client, script, server
):
    """Break: remove layers without the gate that builds go through; or those of images, too."""
    source = """
        import modal, uuid
        image = modal.Image.debian_slim().run_commands({commands})
        app = modal.App("collected", image=image)

        @app.function()
        def word():
            return open("/word").read().strip()

        @app.local_entrypoint()
        def main():
            print("the word is", word.remote())
        """
    fails = script("fails.py", source.format(commands='"echo nobodys > /word", "exit 1"'))
    assert "exit 1" in client.modal("run", fails, succeeds=False).output
    slow = script("slow.py", source.format(commands=f'"echo kept > /word", "echo begun; sleep 2 # {uuid.uuid4()}"'))
    building = client.start_modal("run", slow)
    building.wait_for_line("^begun")
    with (DATA / "agent/images/store/BUILDING").open("r+") as gate, pytest.raises(BlockingIOError):
        fcntl.lockf(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as image gc takes it
    assert "the word is kept" in building.finish(60).output

    removed = int(image("gc").stdout.split()[0])

    assert removed >= 1
    assert "the word is kept" in client.modal("run", slow).output


def test_no_server_starts_in_a_directory_that_another_has(server, tmp_path):
    """Break: start an agent without the lock of its directory."""
    data = tmp_path / "data"
    (data / "agent").mkdir(parents=True)
    with (data / "agent/LOCK").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)  # as an agent holds it
        lock.write("4711\n")
        lock.flush()
        starting = Server(data)
        starting.launch()
        assert starting.ended(60) == 1
    assert "in use" in starting.said() and "4711" in starting.said()


def test_a_layout_that_is_none_is_refused(server, tmp_path):
    """Break: take an empty folder for an image without layers."""
    refused = image("import", tmp_path, "--name", "x", succeeds=False)
    assert "is no OCI image layout" in refused.stderr
    assert "Exception" not in refused.stderr


def test_a_folder_of_any_name_is_found_in_any_locale(server, tmp_path):
    """Break: start the JVM in the locale that the user's shell happens to have."""
    layout = make_layout(tmp_path / "Größe", [tar_of({"Főtanúsítvány": "1"})])
    name = f"registry.example/{tmp_path.name.lower()}:1"
    image("import", layout, "--name", name, LC_ALL="C")
    image("export", name, tmp_path / "имя", LC_ALL="C")
    assert (tmp_path / "имя/index.json").exists()
