"""Dockerfiles: what a RUN may mount, and what ADD fetches and unpacks."""

import hashlib
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__)

LOOK = """
import modal
image = modal.Image.from_dockerfile("Dockerfile"{more})
app = modal.App("dockerfile", image=image)

@app.function()
def look():
    import os
    return {look}

@app.local_entrypoint()
def main():
    print(look.remote())
"""


@pytest.fixture
def run(client, script):
    """Runs a function that looks at the image of a Dockerfile."""

    def run(dockerfile, look="os.listdir('/')", more="", **options):
        script("Dockerfile", dockerfile)
        return client.modal("run", script("looks.py", LOOK.format(look=look, more=more)), within=120, **options)

    return run


@pytest.mark.core
def test_a_step_sees_its_mounts_and_the_image_has_no_trace_of_them(run, script):
    """Break: leave the mount points of a step, or what it wrote to them, in its layer."""
    script("words/one.txt", "one")
    ended = run(
        """
        FROM scratch AS files
        COPY words /words

        FROM python:3.11-slim
        RUN --mount=type=bind,from=files,source=/words,target=/in/deep \\
            --mount=type=cache,target=/root/.cache/mine \\
            --mount=type=tmpfs,target=/memory \\
            --mount=type=secret,id=TOKEN,required \\
            --mount=type=secret,id=TOKEN,env=OTHER <<END
        set -e
        touch /memory/x /root/.cache/mine/x
        echo "$(cat /in/deep/one.txt /run/secrets/TOKEN | wc -c) ${#OTHER}" > /seen
        END
        RUN --mount=type=cache,target=/root/.cache/mine ls /root/.cache/mine >> /seen
        RUN --network=none grep -c 'eth0.00000000' /proc/net/route >> /seen || true
        """,
        "open('/seen').read().split(), [p for p in ('/in', '/memory', '/root/.cache/mine', '/run/secrets') if os.path.exists(p)]",
        ", secrets=[modal.Secret.from_dict({'TOKEN': 'a secret word'})]",
    )
    assert repr((["16", "13", "x", "0"], [])) in ended.stdout, ended


@pytest.mark.core
def test_archives_and_addresses_are_added(run, script, tmp_path, outside):
    """Break: copy an archive as it is, or take what comes from an address for what was announced."""
    script("packed/word", "unpacked")
    subprocess.run(["tar", "-C", tmp_path / "packed", "-cJf", tmp_path / "a.tar.xz", "word"], check=True)
    host, port = outside
    digest = hashlib.sha256(HERE.read_bytes()).hexdigest()
    address = f"http://{host}:{port}/{HERE.name}"
    dockerfile = f"""
        FROM python:3.11-slim
        # The client sends what COPY names.
        COPY a.tar.xz /as/it/is
        ADD a.tar.xz /to/
        ADD --checksum=sha256:{digest} {address} /fetched/
        """
    look = f"open('/to/word').read(), os.path.isfile('/as/it/is'), len(open('/fetched/{HERE.name}').read())"
    ended = run(dockerfile, look)
    assert repr(("unpacked", True, len(HERE.read_text()))) in ended.stdout, ended

    refused = run(dockerfile.replace(digest, "0" * 64), look, succeeds=False)
    assert refused.status == 1
    assert f"has the digest sha256:{digest}, and --checksum says" in refused.output, refused


@pytest.mark.parametrize(
    "line, why",
    [
        ("RUN --security=insecure true", "no step has more rights"),
        ("ADD https://example.com/a.git#main /a", "no repository of git"),
    ],
)
def test_what_no_step_can_do_is_refused_by_name(run, line, why):
    """Break: run a step without the option that is not served."""
    ended = run(f"FROM python:3.11-slim\n{line}\n", succeeds=False)
    assert ended.status == 1
    assert line in ended.output and why in ended.output, ended
