"""The image of the server, made by Jib without Docker, as a container's runtime would start it."""

import json
import os
import signal
import subprocess
import tarfile
import urllib.request
from pathlib import Path

import pytest

from harness.client import Client
from harness.server import HOME, ROOT, free_port
from harness.waiting import eventually

LIBRARIES = ROOT / "server-image/target/lib"

# A root of its own, as a container has it; the network is this machine's.
ENTER = """
mount --bind "$1" "$1"
cd "$1" && shift
mount -t proc proc proc
mount --rbind /dev dev
pivot_root . .
umount -l .
cd /
exec "$@"
"""


def base(server, file):
    """A base of what the recipe of function images has made: Debian, the newest that is here."""
    layers = (server.agent_data / "images/store/layers").glob("base-*")
    root = max(layers, key=lambda folder: (folder / "etc/debian_version").read_text())
    subprocess.run([ROOT / "scripts/server-base", file, root], check=True, timeout=120)


def java():
    home = os.environ.get("JAVA_HOME")
    return Path(home) / "bin/java" if home else "java"


def unpack(image, folder):
    """Lays the layers of an image one on another; gives its configuration."""
    with tarfile.open(image) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))[0]
        for layer in manifest["Layers"]:
            subprocess.run(
                ["tar", "-xz", "--numeric-owner", "-C", folder],
                input=archive.extractfile(layer).read(),
                check=True,
            )
        return json.load(archive.extractfile(manifest["Config"]))["config"]


def status(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except OSError:
        return None


@pytest.mark.skipif("TROUPE_TEST_ALL" not in os.environ, reason="./troupe test --all: it takes a while")
def test_the_image_of_the_server_starts_is_ready_and_ends(server, tmp_path):
    """Break: leave JAVA_HOME out of the image, or answer /readyz before the port's routes are there."""
    base(server, tmp_path / "base.tar")
    subprocess.run(
        [java(), "-cp", f"{LIBRARIES}/*", "dev.troupe.serverimage.ServerImage"]
        + [f"--base=tar://{tmp_path}/base.tar", f"--to=tar://{tmp_path}/image.tar"]
        + [f"--distribution={HOME}", "--work", ROOT / ".troupe/server-image"],
        cwd=ROOT,
        check=True,
        timeout=300,
    )
    root = tmp_path / "root"
    root.mkdir()
    image = unpack(tmp_path / "image.tar", root)
    assert "8420/tcp" in image["ExposedPorts"] and "/var/lib/troupe" in image["Volumes"]
    port = free_port()
    (root / "var/lib/troupe").mkdir(parents=True, exist_ok=True)
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "env", "-i"]
        + [*image["Env"], "bash", "-ec", ENTER, "enter", root]
        + [*image["Entrypoint"], *image["Cmd"], "--no-agent", "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        eventually(lambda: status(port, "/readyz") == 200, 60, f"it is ready (see {log.name})")
        assert status(port, "/healthz") == 200
        lines = (root / "var/lib/troupe/client.env").read_text().splitlines()
        variables = dict(line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        variables = {name: value.strip("'") for name, value in variables.items()}
        assert Client(variables, tmp_path).modal("app", "list", "--json").json == []
        inside = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        os.kill(int(inside[0]), signal.SIGTERM)
        assert process.wait(30) == 0, Path(log.name).read_text()
    finally:
        process.kill()
        process.wait()
