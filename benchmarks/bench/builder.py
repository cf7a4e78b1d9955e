"""Runs in a process of its own, the client: prints what it measured of images as JSON.

    python -m bench.builder chain|pip|imports|stay|bare
"""

import json
import os
import sys
import time

import modal

from bench import image_app

LAYERS = 20


def timed(action):
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def chain(app):
    """Seconds of a chain of layers, and of as many bare round trips."""
    client = modal.Client.from_env()
    client.hello()
    trips = timed(lambda: [client.hello() for _ in range(LAYERS + 1)])
    image = modal.Image.debian_slim()
    image.build(app)
    for step in range(LAYERS):
        image = image.run_commands(f"echo {image_app.nonce} > /step{step}")
    return {"seconds": timed(lambda: image.build(app)), "trips": trips}


def pip(app):
    image_app.base.build(app)
    return {"seconds": timed(lambda: image_app.image.build(app))}


def imports(app, runs=6):
    """The first run, which warms the page cache, is left out."""
    function = modal.Function.from_name("bench-images", "imports")
    times = sorted([function.remote() for _ in range(runs + 1)][1:])
    return {"seconds": times[len(times) // 2]}


def call(name):
    def run(app):
        modal.Function.from_name("bench-images", name).remote()
        return {}

    return run


if __name__ == "__main__":
    what = {"chain": chain, "pip": pip, "imports": imports, "stay": call("stay"), "bare": call("bare")}
    app = modal.App.lookup("bench-builds", create_if_missing=True)
    print(json.dumps(what[sys.argv[1]](app)))
