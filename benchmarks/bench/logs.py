"""Log rows: how fast lines reach a following client, and how late, beside one that floods."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from bench.processes import cpu_seconds

HERE = Path(__file__).resolve().parents[1]
LINES = 200_000
SECONDS = 12


class Follower:
    """`modal app logs --follow`, and when each of its lines came."""

    def __init__(self, environment, app):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "modal", "app", "logs", "--follow", app],
            env={**environment, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.time(), line))

    def wait(self, word, patience=300):
        for _ in range(patience * 20):
            if any(word in line for _, line in self.lines[-2000:]):
                return
            time.sleep(0.05)
        raise SystemExit(f"The follower did not see {word!r}.")

    def stop(self):
        self.process.kill()
        self.process.wait()


def call(environment, app, function, argument):
    source = f"import modal; modal.Function.from_name({app!r}, {function!r}).remote({argument})"
    return subprocess.Popen([sys.executable, "-c", source], env=environment, stdout=subprocess.DEVNULL)


def rows(environment, server, say):
    apps = {"bench-logs": "app", "bench-flood": "loud"}
    for name in apps.values():
        deploy = [sys.executable, "-m", "modal", "deploy", f"bench/log_app.py::{name}"]
        subprocess.run(deploy, cwd=HERE, env=environment, check=True, capture_output=True)
    try:
        throughput_rows(environment, server, say)
        latency_rows(environment, say)
    finally:
        for app in apps:
            stop = [sys.executable, "-m", "modal", "app", "stop", "--yes", app]
            subprocess.run(stop, env=environment, check=True, capture_output=True)


def throughput_rows(environment, server, say):
    call(environment, "bench-flood", "flood", 1).wait()
    follower = Follower(environment, "bench-flood")
    follower.wait("end")
    follower.lines.clear()
    pids = {"client": follower.process.pid, "server": server.pid}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    flooding = call(environment, "bench-flood", "flood", LINES)
    follower.wait(" end")
    spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    flooding.wait()
    follower.stop()
    lines = [(at, line) for at, line in follower.lines if "flood" in line]
    megabytes = sum(len(line) for _, line in lines) / 1e6
    seconds = lines[-1][0] - lines[0][0]
    alone = megabytes / spent["client"]
    say("log lines through to a following client", f"{megabytes / seconds:.2f} MB/s", f"{megabytes / seconds / alone:.2f} × what its own CPU allows ({alone:.2f} MB/s)")
    say("  lines", f"{len(lines) / seconds:.0f} lines/s", f"{len(lines)} of {LINES} came")
    say("  CPU a MB: client, server", f"{spent['client'] * 1000 / megabytes:.0f}, {spent['server'] * 1000 / megabytes:.0f} ms")


def latency_rows(environment, say):
    call(environment, "bench-logs", "tick", 0.1).wait()
    follower = Follower(environment, "bench-logs")
    follower.wait("tick")
    idle = lateness(environment, follower)
    crowd = Follower(environment, "bench-flood")
    flooding = call(environment, "bench-flood", "flood", LINES * 10)
    crowd.wait("...")
    busy = lateness(environment, follower)
    loaded = flooding.poll() is None
    flooding.kill()
    crowd.stop()
    follower.stop()
    say("a follower's lateness p95, machine idle", f"{idle[1]:.0f} ms", f"p50 {idle[0]:.0f} ms")
    say("  beside a flood that is followed, too", f"{busy[1]:.0f} ms", f"p50 {busy[0]:.0f} ms" + ("" if loaded else "; the flood ended before"))


def lateness(environment, follower):
    """Milliseconds from print to follower: p50, p95."""
    follower.lines.clear()
    call(environment, "bench-logs", "tick", SECONDS).wait()
    time.sleep(1)
    late = sorted((at - float(line.split()[1])) * 1000 for at, line in follower.lines if line.startswith("tick"))
    return late[len(late) // 2], late[int(len(late) * 0.95)]
