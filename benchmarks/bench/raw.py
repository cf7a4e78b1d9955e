"""The server alone: dev.troupe.benchmarks.RawLoad plays callers and containers of one function."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from bench.processes import variables, wait_for_runners

HERE = Path(__file__).resolve().parents[1]
LIBRARIES = Path(os.environ["TROUPE_HOME"]) / "lib"
CONTAINERS = 8


def measure(server, environment, data, seconds=10):
    """What RawLoad measured, beside an echo, in rounds of so many seconds, each warmed up as long."""
    modal = [sys.executable, "-m", "modal"]
    deploy = [*modal, "deploy", "-m", "bench.raw_app"]
    subprocess.run(deploy, cwd=HERE, env=environment, check=True, capture_output=True)
    pids = wait_for_runners("BENCH_MARK=raw", lambda count: count == CONTAINERS)
    # Stopped, they ask for nothing; the load asks at their doors.
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        return _load(server, environment, data, seconds, [_door(pid) for pid in pids])
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        stop = [*modal, "app", "stop", "--yes", "bench-raw"]
        subprocess.run(stop, env=environment, check=True, capture_output=True)


def _door(pid):
    """The socket that a container's runner talks to, as the machine sees it."""
    return f"/proc/{pid}/root{variables(pid)['MODAL_SERVER_URL'].removeprefix('unix://')}"


def _load(server, environment, data, seconds, doors):
    java = Path(os.environ["JAVA_HOME"]) / "bin/java" if os.environ.get("JAVA_HOME") else "java"
    jar = next((HERE / "target").glob("troupe-benchmarks-*.jar"))
    command = [
        java, "-Xmx512m", "-XX:+UseSerialGC", "--sun-misc-unsafe-memory-access=allow",
        "--enable-native-access=ALL-UNNAMED", "-cp", f"{jar}:{LIBRARIES}/*",
        "dev.troupe.benchmarks.RawLoad", str(seconds), str(server.pid), data, "bench-raw", "raw", *doors,
    ]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"The raw load failed:\n{run.stdout}\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])
