"""A class: what is costly to set up is made once a container, and shared by the calls it serves.

    ./troupe modal run examples/counter.py
"""

from collections import Counter

import modal

app = modal.App("counter")


@app.cls()
class WordCounter:
    # A parameter: each value has containers of its own.
    ignored: str = modal.parameter(default="the a of")

    @modal.enter()
    def set_up(self):
        # Where a real class would load a model.
        self.skip = set(self.ignored.split())
        self.served = 0
        print(f"container starts, ignoring {sorted(self.skip)}")

    @modal.method()
    def count(self, text: str) -> dict[str, int]:
        self.served += 1
        return dict(Counter(word for word in text.lower().split() if word not in self.skip))

    @modal.exit()
    def tear_down(self):
        print(f"container ends after {self.served} texts")


@app.local_entrypoint()
def main():
    counter = WordCounter(ignored="the on")
    print(counter.count.remote("the cat on the mat"))
    print(counter.count.remote("the dog on the cat"))
