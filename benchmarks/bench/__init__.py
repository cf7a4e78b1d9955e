"""Benchmarks: what a server adds to the stock Python parts, measured in one run."""
