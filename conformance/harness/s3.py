"""A server that speaks S3 and checks signatures, on loopback, as the modules' tests have it too."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from .server import ROOT, free_port
from .waiting import eventually

KEY = "tester"
SECRET = "secret of tests"


def libraries():
    """The folder of its libraries, which ./troupe test names."""
    folder = Path(os.environ.get("TROUPE_S3PROXY", ROOT / ".troupe/s3proxy/lib"))
    assert folder.is_dir(), "there is no S3Proxy here; ./troupe test brings one"
    return folder


def java():
    home = os.environ.get("JAVA_HOME")
    return Path(home) / "bin/java" if home else "java"


class S3Proxy:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.process = None

    def start(self):
        buckets = self.folder / "buckets"
        buckets.mkdir(parents=True, exist_ok=True)
        settings = {
            "s3proxy.endpoint": f"http://127.0.0.1:{self.port}",
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": KEY,
            "s3proxy.credential": SECRET,
            "s3proxy.ignore-unknown-headers": "true",
            "jclouds.provider": "filesystem-nio2",
            "jclouds.identity": "none",
            "jclouds.credential": "none",
            "jclouds.filesystem.basedir": buckets,
        }
        conf = self.folder / "conf"
        conf.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [java(), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-DLOG_LEVEL=warn"]
                + ["-cp", f"{libraries()}/*", "org.gaul.s3proxy.Main", "--properties", conf],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self._answers, 60, f"S3Proxy is ready (see {self.folder}/log)")
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def bucket(self, name):
        """The folder of a bucket, made where it isn't there."""
        folder = self.folder / "buckets" / name
        folder.mkdir(exist_ok=True)
        return folder

    def settings(self, bucket):
        """The settings of a server that has its blobs here."""
        return f"""
            troupe.blob {{
              url = "s3://{bucket}/of/troupe"
              endpoint = "http://127.0.0.1:{self.port}"
              path-style = true
            }}
        """

    def freeze(self, frozen):
        """Stops it where it is, as a machine that hangs; or lets it go on."""
        self.process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
