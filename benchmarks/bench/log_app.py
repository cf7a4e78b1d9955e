"""Functions that print."""

import time

import modal

app = modal.App("bench-logs")
loud = modal.App("bench-flood")
WORDS = "a line of a flood, as long as lines of logs are wont to be, with some words more"


@loud.function(scaledown_window=60, timeout=600)
def flood(lines):
    for number in range(lines):
        print(f"{number:>9}", WORDS, "end" if number == lines - 1 else "...")


@app.function(scaledown_window=60)
def tick(seconds):
    until = time.time() + seconds
    while time.time() < until:
        print("tick", time.time())
        time.sleep(0.02)
