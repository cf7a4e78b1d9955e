"""Several server processes of one cluster on loopback, on one PostgreSQL, and machines' agents.

Each process has an address of 127.0.0.0/8 of its own and all have the same port, so that clients reach
them by one name, which a hosts file of theirs alone gives all the addresses."""

import subprocess
import sys
from pathlib import Path

from .client import Client, Running
from .images import link_bases
from .postgres import PASSWORD, Postgres
from .server import PROGRAM, Agent, Server, free_port

NAME = "troupe.test"
FEW_RESOURCES = "-Xmx256m -XX:TieredStopAtLevel=1"


class Member(Server):
    """A process with the roles control and gateway."""

    def __init__(self, data, address, port, options):
        super().__init__(
            data,
            port,
            options,
            TROUPE_STORE_PASSWORD=PASSWORD,
            TROUPE_JAVA_OPTS=FEW_RESOURCES,
        )
        self.address = address

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    @property
    def machine_address(self):
        return f"{self.address}:{self.port + 1}"


class ClusterClient(Client):
    """A client that knows the cluster by its name."""

    def __init__(self, cluster, folder):
        variables = {**cluster.members[0].variables, "MODAL_SERVER_URL": f"http://{NAME}:{cluster.port}"}
        super().__init__(variables, folder)
        self.hosts = cluster.hosts

    def _start(self, *arguments, **environment):
        mount = f'mount --bind {self.hosts} /etc/hosts && exec "$@"'
        return Running(
            ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, *arguments],
            self.folder,
            {**self.environment, **environment},
        )


class Cluster:
    def __init__(self, folder, members=3, agents=1, settings=""):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.database = Postgres(self.folder / "database")
        self.settings = settings
        self.members = [self._member(number) for number in range(members)]
        self.agents = [
            Agent(self.folder / name, self.members, name, TROUPE_JAVA_OPTS="-Xmx256m")
            for name in (f"box-{number}" for number in range(agents))
        ]
        self.hosts = self.folder / "hosts"
        self.hosts.write_text(
            "127.0.0.1 localhost\n" + "".join(f"{member.address} {NAME}\n" for member in self.members)
        )

    def _member(self, number):
        file = self.folder / f"member-{number}.conf"
        options = ["--config", str(file), "--role", "control,gateway"]
        return Member(self.folder / f"member-{number}", f"127.0.0.{number + 2}", self.port, options)

    def _write_settings(self, number):
        member = self.members[number]
        (self.folder / f"member-{number}.conf").write_text(
            self.database.settings()
            + f'''
            troupe.blob.url = "file://{self.folder.resolve()}/blobs"
            troupe.gateway.host = "{member.address}"
            troupe.cluster.host = "{member.address}"
            {self.settings}
            '''
        )

    def start(self):
        self.database.start()
        (self.folder / "blobs").mkdir(exist_ok=True)
        for number in range(len(self.members)):
            self._write_settings(number)
        first, *others = self.members
        first.start()
        token = self.join_token()
        for member in others:
            member.options += ["--join", f"{first.address}:{self.port}", "--token", token]
            member.launch()
        for agent in self.agents:
            agent.token = first.join_token()
            link_bases(agent.agent_data)
            agent.launch()
        for process in (*others, *self.agents):
            process.await_ready()
        return self

    def join_token(self):
        made = subprocess.run(
            [PROGRAM, "token", "cluster", "--data", self.members[0].data],
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()

    def client(self, folder):
        return ClusterClient(self, folder)

    def stop(self):
        for agent in self.agents:
            if agent.runs:
                agent.process.terminate()
        for agent in self.agents:
            if agent.process is not None:
                agent.ended(40)
        for member in self.members:
            if member.runs:
                member.kill()
        self.database.stop()
