"""Many calls of one function at once: the server starts containers as the inputs ask for them.

    ./troupe modal run examples/map.py
"""

import modal

app = modal.App("map")


# Two containers at most, so that the example fits on a laptop.
@app.function(max_containers=2)
def count_primes(below: int) -> int:
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, below))


@app.local_entrypoint()
def main():
    limits = range(10_000, 60_000, 10_000)
    # Results come in the order of the inputs, each as soon as it and those before it are there.
    for limit, primes in zip(limits, count_primes.map(limits), strict=True):
        print(f"{primes} primes below {limit}")
