"""A PostgreSQL server on loopback, in a folder of its own, as the modules' tests have it too."""

import os
import shutil
import subprocess
from pathlib import Path

from .server import ROOT, free_port
from .waiting import eventually

PASSWORD = "secret of tests"
UNPACKED = ROOT / ".troupe/postgresql/usr/lib/postgresql"


def programs():
    """The folder of its programs, which ./troupe test names."""
    if "TROUPE_POSTGRES" in os.environ:
        return Path(os.environ["TROUPE_POSTGRES"])
    found = [*Path("/usr/lib/postgresql").glob("*/bin"), *UNPACKED.glob("*/bin")]
    assert found, "there is no PostgreSQL here; ./troupe test brings one"
    return max(found)


class Postgres:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.process = None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "password").write_text(PASSWORD)
        self._launch(
            "initdb",
            *["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"],
            *["--username=troupe", f"--pwfile={self.folder / 'password'}"],
            f"--pgdata={self.folder / 'data'}",
        ).wait(60)
        self.process = self._launch(
            "postgres",
            *["-D", str(self.folder / "data"), "-c", "listen_addresses=127.0.0.1"],
            *["-c", f"port={self.port}", "-c", f"unix_socket_directories={self.folder}"],
        )
        eventually(self._answers, 60, f"PostgreSQL is ready (see {self.folder}/log)")
        return self

    def _launch(self, program, *arguments):
        """It refuses root, so it runs in a user namespace in which root is somebody else."""
        bin = programs()
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                ["unshare", "--user", "--map-user=65534", "--map-group=65534", bin / program, *arguments],
                env={**os.environ, "LD_LIBRARY_PATH": str(bin / "../../../x86_64-linux-gnu")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return "ready to accept connections" in (self.folder / "log").read_text()

    def settings(self):
        """The settings of a server that has its store here."""
        return f"""
            troupe.store {{
              url = "jdbc:postgresql://127.0.0.1:{self.port}/postgres"
              user = "troupe"
              read-patience = 2 s
            }}
        """

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
