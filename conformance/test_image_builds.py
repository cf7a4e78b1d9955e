"""Builds: their logs, images that are deleted, builder versions, packages from the machine's own index."""

import socket
import ssl
import subprocess
import uuid
import zipfile
from pathlib import Path

import pytest

from harness.waiting import eventually

BUILD = """
import modal

app = modal.App.lookup("builds", create_if_missing=True)
image = (
    modal.Image.debian_slim()
    .run_commands("echo first layer", "echo {mark}")
    .env({{"SAID": "second"}})
    .run_commands("echo $SAID layer; echo to stderr >&2")
)
"""


@pytest.mark.core
def test_the_log_of_a_build_is_there_layer_by_layer_after_a_kill_too(client, server):
    """Break: keep the lines of builds in memory, or those of all layers under the last one's id."""
    mark = uuid.uuid4().hex
    image = client.sdk(BUILD.format(mark=mark) + "image.build(app)\nanswer(image.object_id)")
    server.restart()

    last = client.modal("image", "logs", image).stdout
    assert last.count("second layer") == 1 and "to stderr" in last and mark not in last, last
    every = client.modal("image", "logs", image, "--all").stdout
    assert every.index(f"\n{mark}\n") < every.index("\nsecond layer"), every
    one, two, *_ = client.sdk(
        f"""
        logs = modal.Image.from_id({image!r}).logs
        answer([[entry.message for entry in some] for some in (logs.tail(1), logs.fetch(layers=3))])
        """
    )
    assert one == [two[-1]] and "second layer\n" in two and f"{mark}\n" in two, (one, two)


def test_the_log_of_a_failed_build_says_why(client):
    """Break: keep lines of builds that succeed, or leave out why one failed."""
    image, lines = client.sdk(
        """
        app = modal.App.lookup("builds", create_if_missing=True)
        image = modal.Image.debian_slim().run_commands("echo so far so good; exit 7 # %s")
        try:
            image.build(app)
        except Exception:
            entries = list(image.logs.fetch())
            answer([entries[0].object_id, [entry.message for entry in entries]])
        """
        % uuid.uuid4()
    )
    assert "so far so good\n" in lines and "returned a non-zero code: 7" in lines[-1], lines
    assert "so far so good" in client.modal("image", "logs", image).stdout


def test_a_forced_build_has_a_log_of_its_own(client):
    """Break: show the lines of all builds of an image."""
    first, second = client.sdk(
        f"""
        app = modal.App.lookup("builds", create_if_missing=True)

        def log(force):
            image = modal.Image.debian_slim().run_commands(
                "echo {uuid.uuid4()}; cat /proc/sys/kernel/random/uuid", force_build=force
            )
            image.build(app)
            return image.object_id, [entry.message for entry in image.logs.fetch()]

        answer([log(False), log(True)])
        """
    )
    assert first[0] != second[0] and len(first[1]) == len(second[1]) > 2, (first, second)
    assert first[1][-1] != second[1][-1], (first, second)


def test_the_log_of_an_unknown_image_is_not_found(client):
    """Break: answer an empty chain for an image that was never made known."""
    said = client.modal("image", "logs", "im-1234567890123456789012", succeeds=False)
    assert said.status != 0 and "im-1234567890123456789012' does not exist" in said.output, said


@pytest.mark.core
def test_a_deleted_image_is_gone_and_the_functions_that_have_it_go_on(client, deploy):
    """Break: delete the layers of a deployed function, or leave a deleted image to be used."""
    source = f"""
        import modal
        app = modal.App("of-deleted", image=modal.Image.debian_slim().run_commands("echo {uuid.uuid4()} > /word"))

        @app.function()
        def word():
            return open("/word").read(), modal.is_local()
        """
    name = deploy(source)
    image = client.sdk(
        f"""
        from modal.experimental import image_delete
        import modal
        function = modal.Function.from_name({name!r}, "word")
        app = modal.App.lookup("builds", create_if_missing=True)
        image = modal.Image.debian_slim().run_commands(open("deployed.py").read().split('run_commands("')[1].split('")')[0])
        image.build(app)
        image_delete(image.object_id)
        image_delete(image.object_id)
        try:
            modal.Image.from_id(image.object_id).build(app)
        except modal.exception.NotFoundError as gone:
            assert "does not exist" in str(gone)
        else:
            raise AssertionError("it is there still")
        answer(image.object_id)
        """
    )
    call = f"answer(modal.Function.from_name({name!r}, 'word').remote())"
    assert client.sdk(call)[1] is False
    assert client.modal("image", "logs", image, succeeds=False).status == 0
    deploy(source, name=name)
    assert client.sdk(call)[1] is False


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", ["2024.10", "2026.10"])
def test_images_are_built_by_other_builder_versions(client, script, version):
    """Break: refuse what another builder version writes into a Dockerfile, or run all by one."""
    script("data.txt", "some data")
    script("helper.py", "WORD = 'from a module'")
    app = script(
        "versions.py",
        """
        import modal
        image = (
            modal.Image.debian_slim(python_version="3.11")
            .pip_install("tabulate==0.9.0")
            .uv_pip_install("pluggy==1.5.0")
            .add_local_file("data.txt", "/data.txt", copy=True)
            .add_local_python_source("helper")
        )
        app = modal.App("versions", image=image)

        @app.function()
        def look():
            from importlib.metadata import version
            import grpclib, helper
            own = not grpclib.__file__.startswith(("/pkg", "/__modal"))
            return version("tabulate"), version("pluggy"), open("/data.txt").read(), helper.WORD, own

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    said = client.modal("run", app, within=280, MODAL_IMAGE_BUILDER_VERSION=version).stdout
    # Until 2024.10 an image has the client's dependencies itself.
    assert repr(("0.9.0", "1.5.0", "some data", "from a module", version == "2024.10")) in said, said


def test_a_project_of_uv_is_installed_into_an_environment_of_its_own(client, script):
    """Break: run the functions of an image by another Python than the first of its PATH."""
    project = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n'
    script("pyproject.toml", project + 'dependencies = ["iniconfig==2.0.0"]')
    app = script(
        "synced.py",
        """
        import modal
        app = modal.App("synced", image=modal.Image.debian_slim().uv_sync())

        @app.function()
        def look():
            import sys
            from importlib.metadata import version
            return sys.prefix, version("iniconfig")

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    assert repr(("/.uv/.venv", "2.0.0")) in client.modal("run", app).stdout


NAMESPACE, HERE, THERE = "troupe-test-index", "198.18.213.1", "198.18.213.2"


def sh(command, folder=None):
    subprocess.run(command, shell=True, check=True, cwd=folder, capture_output=True)


def listens(process):
    assert process.poll() is None, "the index ended"
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((THERE, 443)) == 0


@pytest.fixture
def index(tmp_path):
    """A package index behind a certificate of its own authority, in a network of its own."""
    folder = tmp_path / "index"
    (folder / "simple/troupe-probe").mkdir(parents=True)
    (folder / "simple/troupe-probe/index.html").write_text(
        '<a href="troupe_probe-1.0-py3-none-any.whl">troupe_probe-1.0-py3-none-any.whl</a>'
    )
    info = "troupe_probe-1.0.dist-info"
    with zipfile.ZipFile(folder / "simple/troupe-probe/troupe_probe-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("troupe_probe.py", "WORD = 'of the own index'")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: troupe-probe\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    new = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {0}.key -out {0}.pem -subj /CN={0}"
    sh(new.format("authority"), tmp_path)
    sh(
        new.format("server")
        + f" -addext subjectAltName=IP:{THERE} -addext basicConstraints=critical,CA:FALSE"
        + " -CA authority.pem -CAkey authority.key",
        tmp_path,
    )
    serve = f"""
import http.server, socketserver, ssl
server = socketserver.ThreadingTCPServer(("{THERE}", 443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("../server.pem", "../server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
    sh(f"ip netns add {NAMESPACE} && ip link add tt-index type veth peer name eth0 netns {NAMESPACE}")
    process = None
    try:
        sh(f"ip address add {HERE}/30 dev tt-index && ip link set tt-index up")
        sh(
            f"ip -n {NAMESPACE} address add {THERE}/30 dev eth0 && ip -n {NAMESPACE} link set eth0 up"
            f" && ip -n {NAMESPACE} route add default via {HERE}"
        )
        process = subprocess.Popen(
            ["ip", "netns", "exec", NAMESPACE, "python3", "-c", serve], cwd=folder, stderr=subprocess.DEVNULL
        )
        eventually(lambda: listens(process), 20, "the index answers")
        yield tmp_path / "authority.pem"
    finally:
        if process:
            process.kill()
            process.wait()
        sh(f"ip netns delete {NAMESPACE}; ip link delete tt-index 2>/dev/null || true")


@pytest.mark.core
def test_packages_come_from_the_machines_own_index_and_the_image_holds_nothing_of_it(
    client, script, server, index, tmp_path
):
    """Break: leave the machine's pip settings out of build steps, or bind them to a file of a layer."""
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = https://{THERE}/simple\n")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(Path(ssl.get_default_verify_paths().cafile or "/dev/null").read_text() + index.read_text())
    app = script(
        "own.py",
        """
        import modal
        image = (
            modal.Image.debian_slim()
            .pip_install("troupe-probe", force_build=True)
            .run_commands("uv pip install --system --reinstall --no-cache troupe-probe")
            .dockerfile_commands("RUN <<END\\n#!/bin/sh\\necho a script > /script\\nEND")
        )
        app = modal.App("own", image=image)

        @app.function()
        def look():
            import os, troupe_probe
            told = [name for name in os.environ if name.startswith(("PIP_I", "UV_", "APT_"))]
            left = os.listdir("/etc/troupe") + [name for name in os.listdir("/etc") if "pip" in name]
            return troupe_probe.WORD, told, left

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    layers = server.agent_data / "images/store/layers"
    before, inherited = set(layers.iterdir()), server.environment
    own = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_CERT": str(bundle), "SSL_CERT_FILE": str(bundle)}
    server.environment = {**inherited, **own}
    try:
        server.restart()
        said = client.modal("run", app).stdout
        assert repr(("of the own index", [], ["ca-certificates.crt"])) in said, said
    finally:
        server.environment = inherited
        server.restart()
    made = set(layers.iterdir()) - before
    assert len(made) >= 2
    left = [at for layer in made for at in (layer / "etc/troupe", layer / "run/troupe") if at.exists()]
    assert not left, left
