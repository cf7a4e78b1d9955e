"""The function whose callers and containers the raw load plays."""

import modal

app = modal.App("bench-raw")
mark = modal.Secret.from_dict({"BENCH_MARK": "raw"})


@app.function(secrets=[mark], min_containers=8, max_containers=8)
@modal.concurrent(max_inputs=64)
def raw(value=None):
    return value
