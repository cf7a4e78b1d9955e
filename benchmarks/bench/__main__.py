"""./troupe bench [calls|images|logs ...]: each row beside its floor, as a ratio; without words, all."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import floor, images, logs, raw
from bench.processes import overlay_lowers, resident_megabytes, runners, wait_for_runners
from bench.server import DATA, Server

HERE = Path(__file__).resolve().parents[1]
CORES = os.cpu_count()


def say(row, value, ratio=""):
    print(f"{row:<52} {value:>24}   {ratio}", flush=True)


def client_environment(server):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MODAL_")}
    config = Path(tempfile.mkdtemp()) / "modal.toml"
    return {**inherited, **server.variables, "MODAL_CONFIG_PATH": str(config), "BENCH_MARK": "bench"}


def measured(environment, what, server, pids):
    command = [sys.executable, "-m", "bench.caller", what, str(server.pid), *map(str, pids)]
    run = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{what} failed:\n{run.stdout}\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def warm_rows(environment, server, pids, when):
    warm = measured(environment, "warm", server, pids)
    cpu = warm["cpu"]
    stock = cpu["client"] + cpu["runner"]
    say(f"warm .remote() p50, {when}", f"{warm['p50']:.2f} ms", f"{warm['p50'] / stock:.2f} × (client + runner CPU)")
    say("  p99", f"{warm['p99']:.2f} ms", f"{warm['p99'] / stock:.2f} ×")
    say("  CPU a call: client, runner", f"{cpu['client']:.2f}, {cpu['runner']:.2f} ms", f"sum {stock:.2f} ms")
    say("  CPU a call: server", f"{cpu['server']:.2f} ms")


def map_rows(environment, server):
    measured(environment, "map", server, [])  # containers are up after this
    time.sleep(1)
    pids = runners("BENCH_MARK=bench")
    mapped = measured(environment, "map", server, pids)
    cpu = mapped["cpu"]
    best = CORES * 1000 / (cpu["client"] + cpu["runner"])
    say(".map of 1,000 no-ops", f"{mapped['rate']:.0f} inputs/s", f"{mapped['rate'] / best:.2f} × what {CORES} cores could ({best:.0f})")
    say("  CPU an input: server", f"{cpu['server']:.2f} ms")


def cold_rows(environment, server, lowers):
    cold = measured(environment, "cold", server, [])
    naive = floor.measure(lowers)
    middle = naive[len(naive) // 2]
    say("naive cold start: runc run + import", f"{middle:.0f} ms", "the floor")
    say("cold start p50, to the first line of user code", f"{cold['p50']:.0f} ms", f"{cold['p50'] / middle:.2f} ×")
    say("cold start p95", f"{cold['p95']:.0f} ms", f"{cold['p95'] / middle:.2f} ×")


def raw_rows(environment, server):
    result = raw.measure(server, environment, DATA)
    calls, echo, single = result["calls"], result["echo"], result["single"]
    say("server alone, one function, 256 calls in flight", f"{calls['rate']:.0f} inputs/s", f"{calls['rate'] / echo['rate']:.2f} × the echo")
    say("  p50, p99 of a call", f"{calls['p50']:.1f}, {calls['p99']:.1f} ms")
    say("  CPU an input: server, load", f"{calls['server']:.2f}, {calls['load']:.2f} ms")
    say("  echo: as many RPCs on the same doors", f"{echo['rate']:.0f} mixes/s")
    say("  CPU a mix: server, load", f"{echo['server']:.2f}, {echo['load']:.2f} ms")
    say("  one call at a time, p50", f"{single['p50']:.2f} ms", f"server CPU {single['server']:.2f} ms")
    say("  plain inserts into H2, 100 a commit", f"{result['inserts']:.0f} rows/s", "for information")


GROUPS = ("calls", "images", "logs")


def main():
    groups = sys.argv[1:] or GROUPS
    if unknown := set(groups) - set(GROUPS):
        raise SystemExit(f"There are no rows {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}.")
    print("Keep the machine quiet meanwhile.\n")
    # What earlier runs have kept would be loaded and swept meanwhile; images stay.
    shutil.rmtree(DATA / "store", ignore_errors=True)
    if "calls" in groups:
        call_rows()
    server = Server()
    try:
        environment = client_environment(server)
        if "images" in groups:
            images.rows(environment, say)
        if "logs" in groups:
            logs.rows(environment, server, say)
    finally:
        server.stop()


def call_rows():
    starts = []
    for _ in range(3):
        server = Server()
        starts.append(server.start_seconds)
        server.stop()
    say("server start to ready, best of 3", f"{min(starts):.2f} s")
    server = Server()
    try:
        time.sleep(10)
        say("idle memory", f"{resident_megabytes(server.pid):.0f} MB")
        environment = client_environment(server)
        deploy = [sys.executable, "-m", "modal", "deploy", "-m", "bench.app"]
        subprocess.run(deploy, cwd=HERE, env=environment, check=True, capture_output=True)
        pids = wait_for_runners("BENCH_MARK=bench", lambda count: count >= 1)
        lowers = overlay_lowers(pids[0])
        warm_rows(environment, server, pids[:1], "server just started")
        map_rows(environment, server)
        cold_rows(environment, server, lowers)
        raw_rows(environment, server)
        # As one that has run for a day: what runs often is compiled by now.
        warm_rows(environment, server, pids[:1], "server run in")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
