"""Secrets: in the environment of containers, and nowhere on the disk to be read."""

import base64
import hashlib
import subprocess
import uuid

import pytest

from harness.waiting import eventually

READER = """
    import os, modal
    app = modal.App("reader")

    @app.function(secrets={secrets})
    def read():
        return [os.environ.get(name) for name in ("ONE", "TWO", "THREE")]

    @app.local_entrypoint()
    def main():
        print("read", read.remote())
"""


def run_with(client, script, secrets, **environment):
    app = script("reader.py", READER.format(secrets=secrets))
    output = client.modal("run", app, **environment).stdout
    return next(line for line in output.splitlines() if line.startswith("read"))


@pytest.fixture
def name(client):
    """A name for a secret that is deleted after the test."""
    name = f"secret-{uuid.uuid4().hex[:8]}"
    yield name
    client.modal("secret", "delete", "--yes", name, succeeds=False)


@pytest.mark.core
def test_a_secret_from_a_dict_is_in_the_environment(client, script):
    """Break: leave the secrets out of a container's environment."""
    secrets = 'modal.Secret.from_dict({"ONE": "1", "TWO": "two words, = and \'"})'
    assert run_with(client, script, f"[{secrets}]") == repr(["1", "two words, = and '", None]).join(
        ["read ", ""]
    )


@pytest.mark.core
def test_a_secret_made_on_the_command_line_is_found_by_its_name(client, script, name):
    """Break: look secrets up by the first name there is."""
    client.modal("secret", "create", name, "ONE=from the command line", "TWO=2")
    read = run_with(client, script, f'[modal.Secret.from_name("{name}")]')
    assert read == "read ['from the command line', '2', None]"


def test_a_secret_from_the_local_environment_has_the_callers_values(client, script):
    """Break: none but leaving secrets out: the client reads its own environment."""
    read = run_with(
        client, script, '[modal.Secret.from_local_environ(["THREE"])]', THREE="from here"
    )
    assert read == "read [None, None, 'from here']"


def test_of_two_secrets_with_one_variable_the_later_wins(client, script):
    """Break: merge secrets in the order of their ids."""
    first, second = (f'modal.Secret.from_dict({{"ONE": "{value}"}})' for value in "ab")
    assert run_with(client, script, f"[{first}, {second}]") == "read ['b', None, None]"
    assert run_with(client, script, f"[{second}, {first}]") == "read ['a', None, None]"


def test_a_secret_is_listed_by_name_without_its_value(client, name):
    """Break: put the values into the metadata of SecretList."""
    client.modal("secret", "create", name, "ONE=not to be shown")
    listed = client.modal("secret", "list", "--json")
    assert name in [secret["name"] for secret in listed.json]
    assert "not to be shown" not in listed.output


def test_a_secret_is_not_made_twice_unless_forced(client, script, name):
    """Break: let CREATE_FAIL_IF_EXISTS overwrite."""
    client.modal("secret", "create", name, "ONE=first")
    again = client.modal("secret", "create", name, "ONE=second", succeeds=False)
    assert again.status == 1 and "exists" in again.output
    assert run_with(client, script, f'[modal.Secret.from_name("{name}")]') == "read ['first', None, None]"
    client.modal("secret", "create", "--force", name, "ONE=second")
    assert run_with(client, script, f'[modal.Secret.from_name("{name}")]') == "read ['second', None, None]"


def test_an_unknown_secret_is_named(client, script):
    """Break: answer a look-up of a missing secret with an empty one."""
    app = script("reader.py", READER.format(secrets='[modal.Secret.from_name("no-such-secret")]'))
    finished = client.modal("run", app, succeeds=False)
    assert finished.status == 1
    assert "Secret 'no-such-secret' does not exist" in finished.output


def test_a_secret_can_not_be_read_from_the_disk(client, server, script, name):
    """Break: write a secret's values to the journal as they came."""
    value = f"plain{uuid.uuid4().hex}text"
    client.modal("secret", "create", name, f"ONE={value}")
    secrets = f'modal.Secret.from_name("{name}"), modal.Secret.from_local_environ(["TWO"])'
    app = script(
        "holder.py",
        f"""
        import hashlib, os, modal
        app = modal.App("holder")

        @app.function(secrets=[{secrets}])
        def digest():
            text = os.environ["ONE"] + os.environ["TWO"]
            return hashlib.sha256(text.encode()).hexdigest()

        @app.local_entrypoint()
        def main():
            print(digest.remote())
        """,
    )
    digest = hashlib.sha256((value + value[::-1]).encode()).hexdigest()
    assert digest in client.modal("run", app, TWO=value[::-1]).stdout
    forms = [value, value[::-1], base64.b64encode(value.encode()).decode().rstrip("="), value.encode().hex()]
    patterns = [argument for form in forms for argument in ("-e", form)]
    found = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "--binary", "--fixed-strings", *patterns]
        # Debian was there before.
        + ["--exclude-dir=rootfs", "--exclude-dir=base-*", str(server.data)],
        capture_output=True,
        text=True,
    )
    # Containers of earlier tests may still be on their way out, and their files with them.
    missed = [line for line in found.stderr.splitlines() if "No such file" not in line]
    assert (found.stdout, missed) == ("", []), found

    def its_name_is_found():
        search = ["grep", "-rl", "--binary", "-F", name, str(server.data / "store")]
        return subprocess.run(search, capture_output=True, text=True).stdout

    eventually(its_name_is_found, 15, "the search looks where the secret is: its name is there")
