"""The naive cold start: runc run of the same root filesystem, which imports the runner and ends."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

IMPORT = ["python", "-c", "import modal._container_entrypoint"]


def measure(lowers, runs=10):
    """Milliseconds of each run, sorted; the first, which warms the page cache, is left out."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        config = json.loads((bundle / "config.json").read_text())
        config["process"]["terminal"] = False
        config["process"]["args"] = IMPORT
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
