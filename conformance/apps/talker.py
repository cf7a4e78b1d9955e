"""An app that prints: what its readers see is tested."""

import os
import sys
import time

import modal

app = modal.App("talker")
stay = {"scaledown_window": 120, "max_containers": 1}


@app.function(**stay)
def say(words, pause=0):
    """One line for each word; gives the id of its container."""
    for word in words:
        print(word)
        time.sleep(pause)
    return os.environ["MODAL_TASK_ID"]


@app.function(**stay)
def complain(word):
    print(word, file=sys.stderr)
    time.sleep(0.1)  # what is written to two pipes at once is read in any order
    print("calmly:", word)


@app.function(scaledown_window=2, max_containers=1)
def whisper(word):
    print(word)
    return os.environ["MODAL_TASK_ID"]


@app.function(**stay)
@modal.concurrent(max_inputs=3)
def chorus(word):
    print("before", word)
    time.sleep(1)
    print("after", word)


@app.function(**stay)
def flood(seconds):
    """Prints as fast as it can; gives the number of its lines."""
    until, lines = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for _ in range(100):
            print(lines, "a line of a flood, as long as lines of logs are wont to be, and then some")
            lines += 1
    return lines


@app.cls(**stay)
class Speaker:
    name: str = modal.parameter(default="nobody")

    @modal.method()
    def speak(self, word):
        print(self.name, "says", word)
