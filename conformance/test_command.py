"""The command ./troupe itself: its help, its refusals, what it finds missing, and the demo."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ["demo", "up", "env", "image", "token", "node", "nodes", "modal", "build", "test", "bench", "mvn"]


def troupe(*arguments, wrapper=(), timeout=60, **environment):
    return subprocess.run(
        [*wrapper, str(ROOT / "troupe"), *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def refusal(result):
    """What a command that refused its work said; nothing may be on its standard output."""
    assert result.returncode == 1, result
    assert result.stdout == ""
    return result.stderr


def without(*programs):
    """A wrapper that runs a command where these programs can't be executed."""
    hide = "".join(
        f"mount --bind /dev/null {path}; " for path in map(shutil.which, programs) if path
    )
    return ["unshare", "--mount", "bash", "-c", f'{hide} exec "$@"', "without"]


def test_help_names_every_command():
    """Break: leave a command out of the first help text."""
    listed = troupe().stdout
    assert [command for command in COMMANDS if f"./troupe {command}" not in listed] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    """Break: let `./troupe COMMAND --help` do the command's work."""
    told = troupe(command, "--help")
    assert told.returncode == 0
    assert told.stdout.startswith(f"./troupe {command}")
    assert told.stderr == ""


def test_an_unknown_command_is_refused():
    """Break: exit with 0 in the last case of the command line."""
    assert 'There is no command "frobnicate"' in refusal(troupe("frobnicate"))


def test_env_without_a_server_says_how_to_start_one(tmp_path):
    """Break: print what an ended server left in its data directory."""
    (tmp_path / "client.env").write_text("export MODAL_SERVER_URL=http://127.0.0.1:1\n")
    said = refusal(troupe("env", "--data", str(tmp_path)))
    assert f"No server is running on {tmp_path}" in said
    assert "./troupe up" in said


def test_env_is_not_deceived_by_a_process_id_that_was_given_again(tmp_path):
    """Break: take any living process for the server in server_pid."""
    (tmp_path / "client.env").write_text("export MODAL_SERVER_URL=http://127.0.0.1:1\n")
    (tmp_path / "server.pid").write_text(f"{os.getpid()}\n")
    assert "No server is running" in refusal(troupe("env", TROUPE_DATA=str(tmp_path)))


def test_env_refuses_what_it_does_not_know():
    """Break: ignore arguments in command_env."""
    assert 'doesn\'t know "--dta"' in refusal(troupe("env", "--dta", "/tmp"))


@pytest.mark.parametrize("command", ["demo", "up", "test", "bench"])
def test_running_containers_as_an_ordinary_user_is_refused(command):
    """Break: leave need_root out of set_up server."""
    said = refusal(troupe(command, wrapper=["unshare", "--user"]))
    assert "Running containers needs root" in said
    assert f"sudo {ROOT / 'troupe'} {command}" in said


def test_a_system_without_apt_is_told_what_to_install():
    """Break: leave runc or nft out of missing_packages, or assume apt in need_apt."""
    said = refusal(troupe("up", wrapper=without("runc", "nft", "apt-get")))
    assert "Install these and run the command again: runc, nftables." in said


def test_a_build_follows_every_change_of_a_source(tmp_path):
    """Break: let sources_fingerprint look only for files newer than the last build."""
    source = tmp_path / "actors/src/main/java/A.java"
    test = tmp_path / "actors/src/test/java/ATest.java"
    for file in [source, test, tmp_path / "actors/pom.xml", tmp_path / ".mvn/jvm.config"]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1")
    (tmp_path / "pom.xml").write_text("1")

    def fingerprint():
        script = 'root=$1 state=$1; source "$2/scripts/setup.bash"; sources_fingerprint'
        return subprocess.run(
            ["bash", "-c", script, "fingerprint", tmp_path, ROOT],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    first = fingerprint()
    assert fingerprint() == first
    test.write_text("22")
    assert fingerprint() == first, "a test is no part of the distribution"
    os.utime(source, (0, 0))
    older = fingerprint()
    assert older != first
    source.unlink()
    assert fingerprint() != older


@pytest.mark.timeout(1500)
def test_the_demo_shows_a_function_run_on_a_server_of_ones_own():
    """Break: let the demo's server listen where the client does not look."""
    shown = troupe("demo", timeout=1400)
    output = shown.stdout + shown.stderr
    assert shown.returncode == 0, output
    assert "Hello from" in output and "The container returned 144." in output
    assert "Done in" in output
    again = troupe("demo", timeout=120)
    assert again.returncode == 0, "a second one has all that the first made"
