"""A disk that stops taking anything: what a server has not written by then, it must not have promised."""

import shutil
import subprocess
from pathlib import Path

# Should the tests die, nothing on the machine waits for this disk any longer.
THAW_AFTER = 60


class Disk:
    """A file system of its own, in a file, mounted in the place of a folder with what that holds."""

    def __init__(self, folder, file):
        self.folder = Path(folder)
        self.file = Path(file)
        self.thawing = None

    def mount(self):
        with self.file.open("wb") as file:
            file.truncate(4 << 30)  # of which only what is written takes room
        _run("mkfs.ext4", "-q", "-F", self.file)
        before = self.file.with_suffix(".before")
        self.folder.rename(before)
        self.folder.mkdir()
        _run("mount", "-o", "loop", self.file, self.folder)
        shutil.copytree(before, self.folder, dirs_exist_ok=True)
        shutil.rmtree(before)

    def unmount(self):
        """Leaves in the folder what the disk holds."""
        after = self.file.with_suffix(".after")
        shutil.copytree(self.folder, after, ignore=shutil.ignore_patterns("lost+found"))
        _run("umount", self.folder)
        self.folder.rmdir()
        shutil.move(after, self.folder)
        self.file.unlink()

    def freeze(self):
        """From now on whoever writes waits."""
        _run("fsfreeze", "--freeze", self.folder)
        self.thawing = subprocess.Popen(
            ["sh", "-c", f'sleep {THAW_AFTER}; fsfreeze --unfreeze "$1"', "thaw", self.folder]
        )

    def thaw(self):
        if self.thawing and self.thawing.poll() is None:
            self.thawing.kill()
            self.thawing.wait()
            _run("fsfreeze", "--unfreeze", self.folder)


def _run(*command):
    subprocess.run(command, check=True, capture_output=True)
