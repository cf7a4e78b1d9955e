"""A server of the distribution, on a data directory that is kept, so that images are made once."""

import os
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / ".troupe/bench"
PROGRAM = Path(os.environ["TROUPE_HOME"]) / "bin/troupe-server"


class Server:
    def __init__(self):
        DATA.parent.mkdir(parents=True, exist_ok=True)
        self.log = open(ROOT / ".troupe/bench-server.log", "ab")
        began = time.monotonic()
        self.process = subprocess.Popen(
            [PROGRAM, "up", "--port", "0", "--data", DATA],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        for line in self.process.stdout:
            if "ready" in line:
                break
        else:
            raise SystemExit(f"The server did not start; see {self.log.name}")
        self.start_seconds = time.monotonic() - began
        lines = (DATA / "client.env").read_text().split()
        self.variables = dict(word.split("=", 1) for word in lines if "=" in word)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
