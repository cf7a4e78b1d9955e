"""An app that tests run on simulated GPUs: two H100 and one A100-80GB."""

import os
import time

import modal

app = modal.App("gpus")
secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))


def devices():
    return os.environ["TROUPE_GPUS"], os.environ["CUDA_VISIBLE_DEVICES"]


def wait_for_go():
    """Until the test writes a file into this container."""
    while not os.path.exists("/tmp/go"):
        time.sleep(0.02)
    return devices()


@app.function(gpu="h100", secrets=[secret], single_use_containers=True)
def hold(number):
    return wait_for_go()


@app.function(gpu=["B200", "A100", "H100!"], secrets=[secret], single_use_containers=True)
def ranked(number):
    return wait_for_go()


@app.function(gpu="any", single_use_containers=True)
def either():
    return devices()


@app.function(gpu="H100:2", single_use_containers=True)
def both():
    return devices()


@app.function(gpu="A100-80GB", single_use_containers=True)
def crash():
    os._exit(3)


@app.function(gpu="A100-80GB", memory=(128, 256), single_use_containers=True)
def grow():
    return len(bytearray(1 << 30))


@app.function(gpu="A100-80GB", secrets=[secret], single_use_containers=True, retries=2)
def only():
    return wait_for_go()


@app.function()
def without():
    return sorted(name for name in os.environ if "VISIBLE_DEVICES" in name)


@app.local_entrypoint()
def main():
    print("held", sorted(hold.map(range(3))))
