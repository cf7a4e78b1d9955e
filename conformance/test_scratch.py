"""`ephemeral_disk`: how much a container may write to its own file system."""

import json

import pytest

from harness.guide import blocks

FILLER = """
    import errno, json, os, modal
    app = modal.App("filler")

    def fill():
        with open("/root/filling", "wb") as file:
            for written in range(80):
                try:
                    file.write(bytes(1 << 20))
                    file.flush()
                except OSError as error:
                    return errno.errorcode[error.errno], written
        return "written", 80

    @app.function(ephemeral_disk=64, single_use_containers=True)
    def small():
        return os.listdir("/root"), fill(), os.statvfs("/").f_blocks * 4 >> 10

    @app.function(single_use_containers=True)
    def plain():
        return fill()

    @app.local_entrypoint()
    def main():
        unlimited = plain.spawn()
        print(json.dumps([*[small.remote() for _ in range(3)], unlimited.get()]))
"""


@pytest.mark.core
def test_a_container_writes_as_much_as_its_ephemeral_disk_and_the_next_is_fresh(client, script):
    """Break: leave ephemeral_disk out of what a machine is told of a container."""
    told = client.modal("run", script("filler.py", FILLER)).stdout
    *small, plain = json.loads(next(line for line in told.splitlines() if line.startswith("[[")))
    assert len(small) == 3
    for before, (what, written), size in small:
        assert "filling" not in before
        assert what == "ENOSPC" and 62 <= written <= 70 and 64 <= size <= 70, small
    assert plain == ["written", 80]


def test_the_disk_of_the_guide_is_full_as_it_says(client, script):
    """Break: take /tmp out of what the limit counts."""
    *_, (_, name, source), (_, _, shown) = blocks("containers.md")
    command, expected = shown.removeprefix("$ modal ").split("\n", 1)
    script(name, source)
    assert expected.strip() in client.modal(*command.split()).stdout


def test_an_ephemeral_disk_that_no_machine_has_is_refused(client, script):
    """Break: pass over the bounds of ephemeral_disk."""
    source = "import modal\napp = modal.App()\n@app.function(ephemeral_disk={})\ndef f(): pass\n"
    for size in (15, 3_145_729):
        finished = client.modal("run", script(f"at{size}.py", source.format(size)), succeeds=False)
        assert finished.status == 1 and f"ephemeral_disk={size}" in finished.output, finished
