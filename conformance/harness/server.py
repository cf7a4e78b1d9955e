"""Processes of the shipped distribution, started and ended as a user or a crash would."""

import hashlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

from .waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("TROUPE_HOME", ROOT / "launcher/target/troupe"))
PROGRAM = HOME / "bin/troupe-server"


def free_port():
    """A port that nobody listens on, nor on the next one, which is that of machines; below those that
    outgoing connections take while a server is away."""
    while True:
        port = random.randrange(20_000, 32_000, 2)
        if is_free(port) and is_free(port + 1):
            return port


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class Process:
    """A data directory, and the process that works on it while there is one."""

    started = []  # all of these tests, for what the machine is asked at the end

    def __init__(self, data, program=PROGRAM, wrapper=(), **environment):
        self.data = Path(data)
        self.log = self.data.parent / f"{self.data.name}.log"
        self.program = program
        self.wrapper = wrapper
        self.environment = environment
        self.process = None
        self.started_at = 0

    def command(self):
        """The arguments of the program."""
        raise NotImplementedError

    def is_ready(self):
        raise NotImplementedError

    # ---- its life

    def start(self, within=60):
        self.launch()
        return self.await_ready(within)

    def await_ready(self, within=60):
        eventually(self.is_ready, within, f"ready (see {self.log})")
        return self

    def launch(self):
        assert self.process is None or self.process.poll() is not None, "it runs already"
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.started_at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, self.program, *self.command()],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        Process.started.append(self)

    def still_runs(self):
        ended = self.process.poll()
        assert ended is None, f"{self.program} ended with {ended}:\n{self.said()}"

    def said(self):
        """What it has printed since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self.started_at)
            return log.read().decode(errors="replace")

    def stop(self, within=40):
        """Asks it to end, as Ctrl-C does; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended(within)

    def ended(self, within):
        """Waits for its end; gives its exit status."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {within} s (see {self.log})") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None

    # ---- what the machine has of it

    @property
    def agent_data(self):
        """The directory of its agent."""
        return self.data

    @property
    def identity(self):
        """The eight digits that the names of its cgroups, namespaces and interfaces carry."""
        return hashlib.sha256(os.path.abspath(self.agent_data).encode()).hexdigest()[:8]


class Server(Process):
    """A server on a port that stays the same over restarts, as it does for a user."""

    def __init__(self, data, port=None, options=(), **more):
        super().__init__(data, **more)
        self.port = port or free_port()
        self.options = options

    def command(self):
        return ["up", "--port", str(self.port), "--data", str(self.data), *self.options]

    def is_ready(self):
        self.still_runs()
        return self.ready_line() if (self.data / "client.env").exists() else ""

    def ready_line(self):
        return next((line for line in self.said().splitlines() if "ready" in line), "")

    @property
    def agent_data(self):
        return self.data / "agent"

    # ---- what a client needs of it

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self):
        """The variables of its client.env."""
        lines = (self.data / "client.env").read_text()
        return dict(re.findall(r"^export (\w+)='?([^'\n]*)'?$", lines, re.MULTILINE))


    @property
    def machine_address(self):
        """Where machines join it."""
        return f"127.0.0.1:{self.port + 1}"

    # ---- what an operator asks of it

    def admin(self, path, method="GET"):
        """The answer to what the operator's commands ask."""
        request = urllib.request.Request(
            f"{self.url}/_troupe/admin/{path}",
            method=method,
            headers={
                "x-modal-token-id": self.variables["MODAL_TOKEN_ID"],
                "x-modal-token-secret": self.variables["MODAL_TOKEN_SECRET"],
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def join_token(self, **options):
        """A token with which a machine joins."""
        return self.admin("join-tokens?" + urllib.parse.urlencode(options), "POST")["token"]

    def machines(self):
        """What is listed of each machine, by its id."""
        return {machine["id"]: machine for machine in self.admin("nodes")["machines"]}


class Agent(Process):
    """A machine of its own: an agent in a process of its own, which has joined a server or will."""

    def __init__(self, data, servers, name, token=None, settings=None, **more):
        super().__init__(data, **more)
        self.address = ",".join(server.machine_address for server in servers)
        self.name = name
        self.token = token
        self.settings = settings

    def command(self):
        command = ["node", "--join", self.address, "--name", self.name, "--data", str(self.data)]
        if self.token:
            command += ["--token", self.token]
        if self.settings:
            command += ["--config", str(self.settings)]
        return command

    def is_ready(self):
        self.still_runs()
        return "Linked to" in self.said()
