"""Waiting for something to become true."""

import time


def eventually(condition, within, what):
    """The first truthy value of condition(), asked until `within` seconds are over."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not so within {within} s, last: {value!r}"
        time.sleep(0.05)
