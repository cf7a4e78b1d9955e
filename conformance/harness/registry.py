"""A registry server on this machine, and images for it made of what the tests' server has built."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

from .server import ROOT, free_port
from .waiting import eventually

UNPACKED = ROOT / ".troupe/docker-registry/usr/bin/docker-registry"

USER, PASSWORD = "someone", "a secret: word"
PASSWORDS = "someone:$2y$04$kBMuwiMufJOxj5/qMTd8CehmctD1/fWm8DgKQpir6Qyyo6mbCi/nG\n"

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

SETTINGS = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {store}}}}}
http: {{addr: "127.0.0.1:{port}", secret: of-a-test}}
"""


class Registry:
    """One that anybody may use, or only USER; what it holds stays in its folder."""

    def __init__(self, folder, closed=False):
        self.folder = Path(folder)
        self.closed = closed
        self.host = f"127.0.0.1:{free_port()}"
        self.process = None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = SETTINGS.format(store=self.folder / "store", port=self.host.split(":")[1])
        if self.closed:
            (self.folder / "passwords").write_text(PASSWORDS)
            settings += f"auth: {{htpasswd: {{realm: test, path: {self.folder / 'passwords'}}}}}\n"
        (self.folder / "registry.yml").write_text(settings)
        program = shutil.which("docker-registry") or UNPACKED
        with (self.folder / "registry.log").open("wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", str(self.folder / "registry.yml")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self._answers, 30, f"the registry answers (see {self.folder}/registry.log)")
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "registry.log").read_text()
        try:
            self._send("GET", "/v2/")
            return True
        except urllib.error.URLError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def push(self, name, tag, layers, **config):
        """Puts an image of these tars (bytes, or files) under a tag; gives its digest."""
        blobs = [self._put(name, layer) for layer in layers]
        configuration = {
            "os": "linux",
            "architecture": "amd64",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [blob["digest"] for blob in blobs]},
        }
        described = self._put(name, json.dumps(configuration).encode(), CONFIGURATION)
        manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": blobs}
        ).encode()
        self._send("PUT", f"/v2/{name}/manifests/{tag}", manifest, MANIFEST)
        return digest_of(io.BytesIO(manifest))

    def _put(self, name, content, kind=LAYER):
        with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as stream:
            digest = digest_of(stream)
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            try:
                self._send("HEAD", f"/v2/{name}/blobs/{digest}")
            except urllib.error.HTTPError:
                place = self._send("POST", f"/v2/{name}/blobs/uploads/", b"").headers["Location"]
                joint = "&" if "?" in place else "?"
                self._send("PUT", f"{place}{joint}digest={digest}", stream, length=size)
        return {"mediaType": kind, "digest": digest, "size": size}

    def _send(self, method, path, data=None, kind="application/octet-stream", length=None):
        url = path if path.startswith("http") else f"http://{self.host}{path}"
        request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
        if length is not None:
            request.add_header("Content-Length", str(length))
        if self.closed:
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        # The machine's proxy has nothing to do with it.
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)


def digest_of(stream):
    return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def tar_of(files):
    """A layer of these files, {name: text}; a program is one whose text begins with #!."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            entry.mode = 0o755 if text.startswith("#!") else 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()


def debian_layer(server_data, file):
    """A tar of the Debian with Python 3.11 that the server has made, without its `python`."""
    if not file.exists():
        layers = server_data / "agent/images/store/layers"
        base = next(layers.glob("base-*/usr/bin/python3.11")).parents[2]
        fresh = file.with_suffix(".new")
        subprocess.run(
            ["tar", "-C", base, "--exclude=./usr/local/bin/python*", "-cf", fresh, "."], check=True
        )
        fresh.rename(file)
    return file
