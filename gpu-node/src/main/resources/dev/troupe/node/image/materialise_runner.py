"""Puts the client's runner under /pkg and what it needs under /__modal/deps, compiled.

Run by the Python of an image, in a container of its own: materialise_runner.py CLIENT BUILDER.
"""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys

PACKAGES = ("modal", "modal_proto", "modal_version", "synchronicity")
DEPENDENCIES = "/__modal/deps"
MISSING = re.compile(r"No matching distribution found for ([A-Za-z0-9_.\-]+)==")


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-compile"]
    command += ["--disable-pip-version-check", "--root-user-action=ignore", *arguments]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.stdout:
        print(result.stdout, end="", flush=True)
    return result


def install_runner(client):
    print(f"Fetching the runner of client {client}.", flush=True)
    if pip("--target", "/site", f"modal=={client}").returncode != 0:
        sys.exit(f"pip can't install modal=={client}")
    os.makedirs("/pkg")
    for package in PACKAGES:
        shutil.move(f"/site/{package}", f"/pkg/{package}")
    with open("/pkg/sitecustomize.py", "w") as file:
        file.write(f"import sys\n\nsys.path.append({DEPENDENCIES!r})\n")


def install_dependencies(builder):
    with open(f"/pkg/modal/builder/{builder}.txt") as file:
        pins = file.read().splitlines()
    for _ in range(len(pins)):
        with open("/pins.txt", "w") as file:
            file.write("\n".join(pins) + "\n")
        result = pip("--target", DEPENDENCIES, "--no-deps", "--only-binary=:all:", "-r", "/pins.txt")
        if result.returncode == 0:
            return
        missing = MISSING.search(result.stdout)
        if not missing:
            break
        name = missing.group(1)
        print(f"The pinned version of {name} is not to be had: its newest is taken.", flush=True)
        pins = [re.sub(rf"^{re.escape(name)}==[^ ;]+", name, pin) for pin in pins]
    sys.exit(f"pip can't install the dependencies of builder {builder}")


def main():
    client, builder = sys.argv[1:]
    install_runner(client)
    os.makedirs(DEPENDENCIES)
    # Older builders install them into the image itself.
    if builder > "2024.10":
        install_dependencies(builder)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for folder in ("/pkg", DEPENDENCIES):
        compileall.compile_dir(folder, quiet=2, invalidation_mode=mode)


main()
