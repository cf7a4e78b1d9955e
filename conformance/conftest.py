"""One server for all tests, clients for it, and a look at the machine when it has stopped."""

import gzip
import shutil
import signal
import subprocess
import textwrap
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import machine
from harness.client import Client
from harness.images import link_bases
from harness.registry import tar_of
from harness.server import ROOT, Agent, Server
from harness.waiting import eventually

APPS = Path(__file__).parent / "apps"
DATA = ROOT / ".troupe/conformance/server"
SETTINGS = Path(__file__).parent / "sweeping.conf"
FAR = ROOT / ".troupe/conformance/far"

# Making the base image takes minutes, once for a data directory.
FIRST_IMAGE = 900

# A shell that starts the tests in the background lets them ignore Ctrl-C, and so all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """What needs the shared server to be gone comes last."""
    items.sort(key=lambda item: item.path.name == "test_machine.py")


@pytest.fixture(scope="session")
def before():
    """The machine as it was before any server of these tests."""
    return machine.things(), machine.ip_forward()


def standalone_python(file):
    """An archive of the kind that add_python= takes; its Python is that of Debian."""
    program = '#!/bin/sh\nexec /usr/bin/python3.11 "$@"\n'
    file.write_bytes(gzip.compress(tar_of({"python/bin/python3": program})))
    return file


@pytest.fixture(scope="session")
def server(before, tmp_path_factory):
    """The one server of the session, with its base image made."""
    python = standalone_python(tmp_path_factory.mktemp("python") / "python.tar.gz")
    server = Server(DATA, options=["--config", str(SETTINGS)], TROUPE_TEST_PYTHON=str(python))
    link_bases(server.agent_data)
    server.start()
    try:
        client = Client(server.variables, tmp_path_factory.mktemp("warm-up"))
        client.modal("run", APPS / "hello.py", within=FIRST_IMAGE)
        yield server
    finally:
        if server.runs:
            server.stop()


def machine_of(server, name, **more):
    """A machine of its own that is to join a server; its layers of earlier sessions are there."""
    agent = Agent(FAR / name, [server], name, server.join_token(), **more)
    for kept in ("identity.pem", "machine-id"):
        (agent.data / kept).unlink(missing_ok=True)
    link_bases(agent.agent_data)
    return agent


@pytest.fixture(scope="session")
def far(before, tmp_path_factory):
    """A server that runs no containers, and a machine that does; its base image is made."""
    shutil.rmtree(FAR / "server", ignore_errors=True)
    settings = tmp_path_factory.mktemp("far") / "far.conf"
    settings.write_text('troupe.gateway.machine-host = "0.0.0.0"\n')
    server = Server(FAR / "server", options=["--no-agent", "--config", str(settings)]).start()
    server.agent = machine_of(server, "agent")
    try:
        server.agent.start()
        warm_up = Client(server.variables, tmp_path_factory.mktemp("far"))
        warm_up.modal("run", ROOT / "examples/hello.py", within=FIRST_IMAGE)
        yield server
    finally:
        for process in (server.agent, server):
            if process.runs:
                process.stop()


@pytest.fixture
def client(server, tmp_path):
    """The client, in an empty folder and with the token of the shared server."""
    return Client(server.variables, tmp_path)


@pytest.fixture
def script(tmp_path):
    """Writes a file of a user: script("hello.py", '''…''')."""

    def write(name, source):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    return write


@pytest.fixture
def deploy(client, script):
    """Deploys a file or a source text under a name of its own, until the end of the test."""
    names = []

    def deploy(source, name=None, **environment):
        path = source if isinstance(source, Path) else script("deployed.py", source)
        name = name or f"{path.stem}-{uuid.uuid4().hex[:8]}"
        client.modal("deploy", "--name", name, path, **environment)
        if name not in names:
            names.append(name)
        return name

    yield deploy
    for name in names:
        client.start_modal("app", "stop", "--yes", name)  # no test waits for it


@pytest.fixture(scope="session")
def deployed(server, tmp_path_factory):
    """The name of apps/shared.py, deployed for all tests."""
    client = Client(server.variables, tmp_path_factory.mktemp("deploy"))
    client.modal("deploy", APPS / "shared.py", within=120)
    yield "shared"
    if server.runs:
        client.modal("app", "stop", "--yes", "shared")


@pytest.fixture
def mark():
    """NAME=VALUE of this test alone; put into a container's environment, it tells its processes."""
    return f"MARK={uuid.uuid4().hex}"


class Containers:
    """Whether containers with the mark run: appear(within), vanish(within)."""

    def __init__(self, mark):
        self.mark = mark

    def count(self):
        """Their runners; what a runner starts has its environment, too."""
        return len({machine.cgroup_of(pid) for pid in machine.processes_with(self.mark)})

    def appear(self, within=30, count=1):
        eventually(lambda: self.count() >= count, within, f"{count} containers run")

    def vanish(self, within=30):
        eventually(lambda: self.count() == 0, within, "no container runs")


@pytest.fixture
def containers(mark):
    return Containers(mark)


@contextmanager
def network(here, there):
    """A network namespace behind a link of this machine, with these addresses; its name, and the link's."""
    tag = uuid.uuid4().hex[:6]
    space, link = f"outside-{tag}", f"out{tag}"

    def sh(command):
        subprocess.run(command.split(), check=True, capture_output=True)

    sh(f"ip netns add {space}")
    try:
        sh(f"ip link add {link} type veth peer name eth0 netns {space}")
        sh(f"ip address add {here}/30 dev {link}")
        sh(f"ip link set {link} up")
        sh(f"ip -n {space} address add {there}/30 dev eth0")
        sh(f"ip -n {space} link set eth0 up")
        sh(f"ip -n {space} link set lo up")
        yield space, link
    finally:
        sh(f"ip netns del {space}")


@pytest.fixture
def outside():
    """A web server on a network of its own behind this machine, with the files of this folder."""
    with network("198.51.100.1", "198.51.100.2") as (space, _):
        web = subprocess.Popen(
            ["ip", "netns", "exec", space, "python3", "-m", "http.server", "8000"]
            + ["--bind", "198.51.100.2", "--directory", str(Path(__file__).parent)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        yield "198.51.100.2", 8000
        web.kill()
        web.wait()
