"""Images of registries: from_registry() against a real registry server on this machine."""

import uuid

import pytest
from conftest import DATA

from harness.registry import PASSWORD, USER, Registry, debian_layer, tar_of

PATH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
PYTHON = {"usr/local/bin/python": '#!/bin/sh\nexec /usr/bin/python3.11 "$@"\n'}

LOOK = """
import modal
image = modal.Image.from_registry({name!r}{more})
app = modal.App("registry", image=image)

@app.function()
def look():
    import os, pathlib
    return pathlib.Path("/word").read_text(), os.environ.get("WORD"), os.getcwd()

@app.local_entrypoint()
def main():
    print(look.remote())
"""


@pytest.fixture(scope="module")
def debian(server):
    """The tar of a Debian, made once for a data directory of the server."""
    return debian_layer(DATA, DATA.parent / "debian.tar")


def registry_in(folder, closed):
    registry = Registry(folder, closed).start()
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def registry(server):
    """A registry for all."""
    yield from registry_in(DATA.parent / "registry", closed=False)


@pytest.fixture(scope="module")
def closed(server):
    """A registry for its user alone."""
    yield from registry_in(DATA.parent / "closed-registry", closed=True)


@pytest.fixture
def push(debian):
    """Puts an image with a word of its own into a registry; gives (word, digest)."""

    def push(registry, name, tag="1", files=PYTHON):
        word = uuid.uuid4().hex
        digest = registry.push(
            name,
            tag,
            [debian, tar_of({**files, "word": word})],
            Env=[PATH, f"WORD={word}"],
            WorkingDir="/srv/work",
        )
        return word, digest

    return push


def look(client, script, name, more="", **options):
    app = script("registry.py", LOOK.format(name=name, more=more))
    return client.modal("run", app, within=120, **options)


@pytest.mark.core
def test_an_image_of_a_registry_has_its_files_variables_and_folder(client, script, registry, push):
    """Break: take no variables from the configuration of an image."""
    word, _ = push(registry, "plain")
    expected = repr((word, word, "/srv/work"))
    assert expected in look(client, script, f"{registry.host}/plain:1").stdout


def test_an_image_is_had_by_its_digest(client, script, registry, push):
    """Break: ask for the tag latest where a name has a digest."""
    word, digest = push(registry, "digest")
    push(registry, "digest")
    assert word in look(client, script, f"{registry.host}/digest@{digest}").stdout


def test_a_private_image_is_had_with_a_secret(client, script, closed, push):
    """Break: ask a registry without the credentials of the secret."""
    word, _ = push(closed, "private")
    keys = {"REGISTRY_USERNAME": USER, "REGISTRY_PASSWORD": PASSWORD}
    more = f", secret=modal.Secret.from_dict({keys!r})"
    ended = look(client, script, f"{closed.host}/private:1", more)
    assert word in ended.stdout
    assert PASSWORD not in ended.output


def test_a_wrong_password_is_refused_with_what_to_do(client, script, closed, push):
    """Break: give an image that is on the disk to whoever asks."""
    push(closed, "refused")
    keys = {"REGISTRY_USERNAME": USER, "REGISTRY_PASSWORD": "wrong"}
    more = f", secret=modal.Secret.from_dict({keys!r})"
    ended = look(client, script, f"{closed.host}/refused:1", more, succeeds=False)
    assert ended.status == 1
    assert f"refuses the user '{USER}'" in ended.output, ended
    assert "REGISTRY_PASSWORD" in ended.output


def test_an_unknown_tag_is_named(client, script, registry, push):
    """Break: fail every image of a registry with the same sentence."""
    push(registry, "known")
    ended = look(client, script, f"{registry.host}/known:missing", succeeds=False)
    assert ended.status == 1
    assert "has no manifest missing of 'known'" in ended.output, ended


def test_add_python_puts_the_archive_of_the_setting_into_the_image(client, script, registry, push):
    """Break: make the mount of a standalone Python empty."""
    word, _ = push(registry, "bare", files={})
    ended = look(client, script, f"{registry.host}/bare:1", ', add_python="3.11"')
    assert word in ended.stdout
