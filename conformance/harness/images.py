"""Layers that another server has made. They are named by what they are made of and never change, so that
links of their files will do."""

import shutil
import subprocess

from .server import ROOT

CACHES = [".troupe/test-cache/agent", ".troupe/conformance/server/agent", ".troupe/conformance/far/agent"]


def link_layers(source, agent_data, names="*"):
    """Puts the layers of one agent's data directory into that of another, which does not run."""
    target = agent_data / "images/store/layers"
    for layer in (source / "images/store/layers").glob(names):
        if not (target / layer.name).exists():
            target.mkdir(parents=True, exist_ok=True)
            unfinished = target / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run(["cp", "-al", layer, unfinished], check=True)
            unfinished.rename(target / layer.name)


def link_bases(agent_data):
    """Debian is made once for all tests; that a server makes it for itself is what the demo shows."""
    for cache in CACHES:
        if ROOT / cache != agent_data:
            link_layers(ROOT / cache, agent_data, "base-*")
