"""Functions on an image with packages."""

import os
import time

import modal

PACKAGES = ("numpy", "pandas")
OPTIONS = "--no-cache-dir"

nonce = os.environ.get("BENCH_NONCE", "")
base = modal.Image.debian_slim().env({"BENCH_NONCE": nonce})
image = base.pip_install(*PACKAGES, extra_options=OPTIONS)
app = modal.App("bench-images")
mark = modal.Secret.from_dict({"BENCH_MARK": "images"})


@app.function(image=image, secrets=[mark], single_use_containers=True, max_containers=1)
def imports():
    """Seconds of the import in a container that has run nothing before."""
    began = time.perf_counter()
    import numpy  # noqa: F401
    import pandas  # noqa: F401

    return time.perf_counter() - began


@app.function(image=image, secrets=[mark], scaledown_window=30)
def stay():
    """Leaves a container to look at."""


@app.function(image=base, secrets=[mark], scaledown_window=30)
def bare():
    """The same without packages."""
