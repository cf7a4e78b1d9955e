"""Image rows: a chain of layers, pip in a build, an import in a fresh container."""

import json
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from bench import floor
from bench.builder import LAYERS
from bench.image_app import OPTIONS, PACKAGES
from bench.processes import overlay_lowers, variables, wait_for_runners

HERE = Path(__file__).resolve().parents[1]
IMPORTS = """
import modal._container_entrypoint, time
began = time.perf_counter()
import numpy, pandas
print(time.perf_counter() - began)
"""


def client(environment, what, nonce):
    run = subprocess.run(
        [sys.executable, "-m", "bench.builder", what],
        cwd=HERE, env={**environment, "BENCH_NONCE": nonce}, capture_output=True, text=True,
    )
    if run.returncode != 0:
        raise SystemExit(f"{what} failed:\n{run.stdout}\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def rows(environment, say):
    nonce = uuid.uuid4().hex
    subprocess.run(
        [sys.executable, "-m", "modal", "deploy", "-m", "bench.image_app"],
        cwd=HERE, env={**environment, "BENCH_NONCE": nonce}, check=True, capture_output=True,
    )
    try:
        chain_rows(environment, say, *container(environment, "bare", nonce))
        pip_rows(environment, say, *container(environment, "bare", nonce))
        import_rows(environment, say, nonce)
    finally:
        stop = [sys.executable, "-m", "modal", "app", "stop", "--yes", "bench-images"]
        subprocess.run(stop, env=environment, check=True, capture_output=True)


def container(environment, name, nonce):
    """Layers and variables of a container that stays a while."""
    client(environment, name, nonce)
    pid = wait_for_runners("BENCH_MARK=images", lambda count: count >= 1)[0]
    return overlay_lowers(pid), variables(pid)


def chain_rows(environment, say, lowers, _):
    nonce = uuid.uuid4().hex
    cold = client(environment, "chain", nonce)["seconds"]
    cached = client(environment, "chain", nonce)
    once = floor.measure(lowers, 5, ["/bin/sh", "-c", "echo x > /step"])
    naive = LAYERS * once[len(once) // 2] / 1000
    say(f"a chain of {LAYERS} layers, cold", f"{cold:.2f} s", f"{cold / naive:.2f} × runc run of each line ({naive:.2f} s)")
    say("  cached", f"{cached['seconds'] * 1000:.0f} ms", f"{cached['seconds'] / cached['trips']:.1f} × as many bare round trips")


def pip_rows(environment, say, lowers, inside):
    built, host = [], []
    for _ in range(2):  # in turns: what serves the packages may be busy at times
        built.append(client(environment, "pip", uuid.uuid4().hex)["seconds"])
        with tempfile.TemporaryDirectory() as folder:
            plain = floor.Plain(folder, lowers)
            began = time.perf_counter()
            command = ["python", "-m", "pip", "install", *PACKAGES, *OPTIONS.split()]
            plain.run(floor.settings_of(inside), *command)
            host.append(time.perf_counter() - began)
    say(f"pip_install{PACKAGES}", f"{min(built):.1f} s", f"{min(built) / min(host):.2f} × the same pip on the host ({min(host):.1f} s)")


def import_rows(environment, say, nonce):
    lowers, inside = container(environment, "stay", nonce)
    fresh = client(environment, "imports", nonce)["seconds"]
    with tempfile.TemporaryDirectory() as folder:
        plain = floor.Plain(folder, lowers)
        settings = {**floor.settings_of(inside), "PYTHONPATH": "/root:/pkg", "MODAL_IS_REMOTE": "1"}
        times = sorted([float(plain.run(settings, "python", "-c", IMPORTS)) for _ in range(7)][1:])
    host = times[len(times) // 2]
    say("import numpy, pandas in a fresh container", f"{fresh * 1000:.0f} ms", f"{fresh / host:.2f} × the host's ({host * 1000:.0f} ms)")
