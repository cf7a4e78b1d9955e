"""An app that many tests call by its name; its containers stay for the next test."""

import hashlib
import os

import modal

app = modal.App("shared")
stay = {"scaledown_window": 120, "max_containers": 2}


@app.function(**stay)
def double(number):
    return 2 * number


@app.function(**stay)
def fail(message):
    raise ValueError(message)


@app.function(**stay)
def digest(payload):
    return hashlib.sha256(payload).hexdigest()


@app.function(**stay)
def produce(size):
    """Bytes that hold no pattern, so that nothing on the way can shorten them."""
    return os.urandom(size)


@app.function(**stay)
def echo(value):
    return value


@app.cls(**stay)
class Counter:
    start: int = modal.parameter(default=0)

    @modal.enter()
    def begin(self):
        self.count = self.start

    @modal.method()
    def add(self, number):
        self.count += number
        return self.count
