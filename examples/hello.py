"""The smallest app: a function that runs in a container on the server, called from here.

    ./troupe modal run examples/hello.py
    ./troupe modal run examples/hello.py --number 7
"""

import platform

import modal

app = modal.App("hello")


@app.function()
def square(number: int) -> int:
    # What a container prints is seen live in the terminal of the one who called.
    print(f"Hello from {platform.node()}, Python {platform.python_version()}: squaring {number}.")
    return number * number


@app.local_entrypoint()
def main(number: int = 12):
    # This function runs here, in the client; only .remote() goes to the server.
    print(f"The container returned {square.remote(number)}.")
