"""Runs in a process of its own, the client: prints what it measured as JSON.

    python -m bench.caller warm|map|cold SERVER_PID RUNNER_PID...
"""

import json
import os
import statistics
import sys
import time

import modal

from bench.processes import cpu_seconds


def spent(pids):
    return {name: sum(cpu_seconds(pid) for pid in group) for name, group in pids.items()}


def difference(before, after, calls):
    return {name: (after[name] - before[name]) * 1000 / calls for name in after}


def warm(pids, calls=1000, warm_up=200):
    function = modal.Function.from_name("bench", "warm")
    for _ in range(warm_up):
        function.remote()
    times = []
    before = spent(pids)
    for _ in range(calls):
        began = time.perf_counter()
        function.remote()
        times.append((time.perf_counter() - began) * 1000)
    cpu = difference(before, spent(pids), calls)
    times.sort()
    return {"p50": times[calls // 2], "p99": times[calls * 99 // 100], "cpu": cpu}


def mapped(pids, inputs=1000):
    function = modal.Function.from_name("bench", "mapped")
    assert sum(1 for _ in function.map(range(200))) == 200
    before = spent(pids)
    began = time.perf_counter()
    results = list(function.map(range(inputs)))
    seconds = time.perf_counter() - began
    assert results == list(range(inputs))
    return {"rate": inputs / seconds, "cpu": difference(before, spent(pids), inputs)}


def cold(pids, calls=10):
    function = modal.Function.from_name("bench", "cold")
    function.remote()
    times = []
    for _ in range(calls):
        time.sleep(6)  # the scale-down window and the container's end
        began = time.time()
        times.append((function.remote() - began) * 1000)
    times.sort()
    return {"p50": statistics.median(times), "p95": times[int(len(times) * 0.95)], "times": times}


if __name__ == "__main__":
    what, server, *runners = sys.argv[1:]
    pids = {
        "client": [os.getpid()],
        "server": [int(server)],
        "runner": [int(runner) for runner in runners],
    }
    print(json.dumps({"warm": warm, "map": mapped, "cold": cold}[what](pids)))
