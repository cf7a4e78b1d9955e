"""What rows are measured against: the same by runc alone, or by the machine without any container."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

IMPORT = ["python", "-c", "import modal._container_entrypoint"]
BUNDLE = Path("etc/troupe/ca-certificates.crt")


def measure(lowers, runs=10, command=IMPORT):
    """Milliseconds of each `runc run`, sorted; the first, which warms the page cache, is left out."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        config = json.loads((bundle / "config.json").read_text())
        config["process"]["terminal"] = False
        config["process"]["args"] = command
        config["process"]["env"] += ["PYTHONPATH=/root:/pkg", "MODAL_IS_REMOTE=1", "HOME=/root"]
        config["root"]["readonly"] = False
        (bundle / "config.json").write_text(json.dumps(config))
        times = [_once(bundle, lowers, number) for number in range(runs + 1)]
        return sorted(times[1:])


def _once(bundle, lowers, number):
    root, upper, work = (bundle / name for name in ("rootfs", f"upper{number}", f"work{number}"))
    for path in (root, upper, work):
        path.mkdir(exist_ok=True)
    options = f"lowerdir={':'.join(lowers)},upperdir={upper},workdir={work}"
    began = time.perf_counter()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root], check=True)
    try:
        subprocess.run(["runc", "run", f"bench-floor-{number}"], cwd=bundle, check=True)
        return (time.perf_counter() - began) * 1000
    finally:
        subprocess.run(["umount", root], check=True)


class Plain:
    """The files of a container in a plain folder: what the host itself does with them."""

    def __init__(self, folder, lowers):
        self.root = Path(folder) / "root"
        view = Path(folder) / "view"
        view.mkdir()
        options = f"lowerdir={':'.join(lowers)}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, view], check=True)
        try:
            subprocess.run(["cp", "--archive", view, self.root], check=True)
        finally:
            subprocess.run(["umount", view], check=True)
        for target, source in ((BUNDLE, "/etc/ssl/certs/ca-certificates.crt"), (Path("etc/resolv.conf"), "/etc/resolv.conf")):
            place = self.root / target
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            if Path(source).exists():
                shutil.copyfile(source, place)

    def run(self, environment, *command):
        """Runs a command on the machine with this folder as its root; gives what it printed."""
        mounts = [("proc", "proc"), ("dev", "dev")]
        with contextlib.ExitStack() as undo:
            for name, kind in mounts:
                target = self.root / name
                target.mkdir(exist_ok=True)
                source = ["-t", "proc", "proc"] if kind == "proc" else ["--bind", "/dev"]
                subprocess.run(["mount", *source, target], check=True)
                undo.callback(subprocess.run, ["umount", target], check=True)
            run = subprocess.run(
                ["chroot", self.root, *command], env=environment, capture_output=True, text=True
            )
        if run.returncode != 0:
            raise SystemExit(f"{command} failed:\n{run.stdout}\n{run.stderr}")
        return run.stdout


def settings_of(variables):
    """Of a container's variables those that a program of the host needs, too."""
    wanted = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
    kept = {name: value for name, value in variables.items() if name in wanted or "proxy" in name.lower()}
    return {"PATH": os.defpath, "HOME": "/root", **kept}
