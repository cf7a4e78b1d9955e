"""CPU time and memory of processes, from /proc."""

import os
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_megabytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} has no VmRSS")


def runners(mark):
    """Processes of the client's runner whose environment has the mark."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"modal._container_entrypoint" in command and mark.encode() in environment:
            found.append(int(folder.name))
    return found


def wait_for_runners(mark, enough):
    """Those runners, once `enough` says so of their number."""
    for _ in range(600):
        found = runners(mark)
        if enough(len(found)):
            return found
        time.sleep(0.1)
    raise SystemExit(f"The containers with {mark} did not come.")


def variables(pid):
    """The environment that a process was started with."""
    words = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)


def overlay_lowers(pid):
    """The layers that a container's root filesystem is made of, topmost first."""
    for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[4] == "/":
            options = line.rpartition(" - ")[2].split(" ", 2)[2]
            for option in options.split(","):
                if option.startswith("lowerdir="):
                    return option.removeprefix("lowerdir=").replace("\\040", " ").split(":")
    raise LookupError(f"process {pid} has no overlay as its root")
