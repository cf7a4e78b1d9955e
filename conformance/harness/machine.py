"""What servers leave on the machine: containers, mounts, namespaces, control groups, rules."""

import os
import re
import subprocess
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OURS = re.compile(r"(?:troupe[-_]|/run/troupe/|\btr)([0-9a-f]{8})")
STORE = "/images/store/"  # where an image is made, its file systems are mounted
SCRATCH = "/scratch/"  # below an agent's directory, the disks of limited size
CONTAINERS = "/containers/"


def processes_with(variable):
    """Processes that have this NAME=VALUE in the environment they were started with."""
    wanted = variable.encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def cgroup_of(process):
    """Its control group, which tells one container from another."""
    try:
        return Path(f"/proc/{process}/cgroup").read_text().splitlines()[0].rpartition(":")[2]
    except OSError:  # it has ended meanwhile
        return None


def things():
    """Everything on the machine of the kinds that a server makes, as "kind name" strings."""
    found = {f"mount {line.split()[4]}" for line in _lines("/proc/self/mountinfo")}
    found |= {f"interface {path.name}" for path in Path("/sys/class/net").iterdir()}
    found |= {f"namespace {path.name}" for path in _entries("/run/netns")}
    found |= {f"cgroup {group}" for group in _control_groups()}
    found |= {f"rules {table}" for table in _tables()}
    found |= {f"loop {file}" for file in _loop_files()}
    found |= {f"bundle {path}" for path in Path("/run/troupe").glob("*/bundles/*")}
    return found


def foreign(thing, servers):
    """Whether it belongs to a server of somebody else."""
    for place in (STORE, SCRATCH, CONTAINERS):
        if thing.startswith(("mount ", "loop ")) and place in thing:
            folder = thing.partition(" ")[2].partition(place)[0]
            return folder not in {str(server.agent_data) for server in servers}
    owner = OURS.search(thing)
    return bool(owner) and owner.group(1) not in {server.identity for server in servers}


def processes_of(servers):
    """Processes in the control groups or below the data directories of these servers."""
    marks = [f"troupe-{server.identity}" for server in servers]
    folders = tuple(f"{server.data}/" for server in servers)
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            groups = (folder / "cgroup").read_text()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            places = [os.readlink(folder / link) for link in ("root", "cwd")]
        except OSError:  # it has ended meanwhile, or is the kernel's
            continue
        if any(mark in groups for mark in marks) or any(place.startswith(folders) for place in places):
            found.append(f"process {folder.name} {command}")
    return found


def ip_forward():
    return Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()


def _control_groups():
    """All but those beside ours: whoever runs the tests makes and removes them as it likes."""
    beside = set()
    for line in _lines("/proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        parent = str(Path(path).parent)
        if parent != "/":
            name = controllers.removeprefix("name=") or "unified"
            beside.update(f"{CGROUPS}/{folder}{parent}/" for folder in (name, "unified"))
            beside.add(f"{CGROUPS}{parent}/")
    groups = (str(Path(folder)) for folder, _, _ in os.walk(CGROUPS))
    return [group for group in groups if not group.startswith(tuple(beside) or ("\0",))]


def _loop_files():
    """Files that loop devices stand for."""
    files = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            files.append(backing.read_text().strip())
        except OSError:  # given back meanwhile
            continue
    return files


def _lines(file):
    return Path(file).read_text().splitlines()


def _entries(folder):
    return list(Path(folder).iterdir()) if Path(folder).exists() else []


def _tables():
    listed = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()
