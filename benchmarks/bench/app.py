"""The functions that are measured."""

import os
import time

import modal

app = modal.App("bench")
mark = modal.Secret.from_dict({"BENCH_MARK": os.environ.get("BENCH_MARK", "bench")})


@app.function(secrets=[mark], min_containers=1, max_containers=1)
def warm(value=None):
    return value


@app.function(secrets=[mark], max_containers=2, scaledown_window=60)
def mapped(value):
    return value


@app.function(secrets=[mark], scaledown_window=2, max_containers=1)
def cold():
    return time.time()
