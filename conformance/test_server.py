"""`troupe-server up` itself: how it starts, says what is wrong, ends, and leaves the machine."""

import os
import re
import shutil
import signal
import stat
import subprocess
import time
import urllib.request

import pytest

from harness import machine
from harness.client import Client
from harness.server import PROGRAM, ROOT, Server
from harness.waiting import eventually


@pytest.fixture
def another(tmp_path):
    """Makes servers beside the shared one, on a data directory of the test's own."""
    servers = []

    def make(**options):
        servers.append(Server(tmp_path / "data", **options))
        return servers[-1]

    yield make
    for server in servers:
        if server.runs:
            server.stop()


def refusal(server, *options, data=None, wrapper=()):
    """Starts a server that must refuse, beside this one; gives what it says."""
    command = [*wrapper, str(PROGRAM), "up", "--data", str(data or server.data), *options]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    output = refused.stdout + refused.stderr
    assert refused.returncode not in (0, 137, 143), output
    assert "Exception" not in output and "\tat " not in output, f"a sentence, no stack:\n{output}"
    return output


# ---- start


def test_the_first_start_makes_a_token_and_says_how_to_use_it(another):
    """Break: print the ready line before the port is bound."""
    server = another().start()
    line = server.ready_line()
    assert f"127.0.0.1:{server.port}" in line and re.search(r"\d+(\.\d+)? s\b", line), line
    assert len([one for one in server.said().splitlines() if "ready" in one]) == 1
    assert "client.env" in server.said() or "troupe env" in server.said()
    assert set(server.variables) == {"MODAL_SERVER_URL", "MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"}
    assert server.variables["MODAL_SERVER_URL"] == server.url
    for probe in ("healthz", "readyz"):
        with urllib.request.urlopen(f"{server.url}/{probe}", timeout=5) as answer:
            assert answer.status == 200


def test_only_its_owner_may_read_the_token(another):
    """Break: write client.env with the umask's mode."""
    server = another().start()
    assert stat.S_IMODE((server.data / "client.env").stat().st_mode) == 0o600
    secret = server.variables["MODAL_TOKEN_SECRET"]
    server.stop()
    found = subprocess.run(
        ["grep", "-rlaF", secret, str(server.data)], capture_output=True, text=True
    ).stdout.split()
    assert found == [str(server.data / "client.env")], "the store holds only its hash"
    assert secret not in server.log.read_text()


def test_a_restart_keeps_the_token(another, tmp_path):
    """Break: make a new token at every start."""
    server = another().start()
    before = server.variables
    server.stop()
    server.start()
    assert server.variables == before
    assert Client(before, tmp_path).modal("app", "list", "--json").json == []


def test_a_port_in_use_is_named(server, tmp_path):
    """Break: let the bind's exception reach the terminal."""
    said = refusal(server, "--port", str(server.port), data=tmp_path / "data")
    assert str(server.port) in said and "in use" in said


def test_a_data_directory_in_use_is_named(server):
    """Break: open the data directory without its lock."""
    said = refusal(server, "--port", "0")
    assert str(server.data) in said and "in use" in said
    assert server.runs


def test_a_data_directory_of_another_version_is_named(another):
    """Break: start on whatever the data directory says of its version."""
    server = another().start()
    server.stop()
    (version,) = [file for file in server.data.iterdir() if file.name == "VERSION"]
    version.write_text("999\n")
    said = refusal(server, "--port", "0")
    assert str(server.data) in said and "999" in said


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(server, tmp_path, port):
    """Break: take the number of --port modulo 65536."""
    assert port in refusal(server, "--port", port, data=tmp_path / "data")


def test_an_unknown_setting_or_file_is_refused_by_name(server, tmp_path):
    """Break: start with the defaults where the configuration can't be read."""
    assert "missing.conf" in refusal(
        server, "--config", str(tmp_path / "missing.conf"), data=tmp_path / "data"
    )
    broken = tmp_path / "broken.conf"
    broken.write_text("troupe { gateway { port = [ }")
    assert "broken.conf" in refusal(server, "--config", str(broken), data=tmp_path / "data")


def test_an_ordinary_user_is_told_that_containers_need_root(server, tmp_path):
    """Break: start without looking at who runs it."""
    said = refusal(server, "--port", "0", data=tmp_path / "data", wrapper=["unshare", "--user"])
    assert "root" in said


def test_a_missing_runc_is_told_with_what_to_install(server, tmp_path):
    """Break: find out that runc is missing at the first container."""
    hide = f'mount --bind /dev/null {shutil.which("runc")}; exec "$@"'
    wrapper = ["unshare", "--mount", "bash", "-c", hide, "without"]
    said = refusal(server, "--port", "0", data=tmp_path / "data", wrapper=wrapper)
    assert "apt-get install runc" in said


# ---- end


def test_a_stop_lets_running_calls_finish(server, client, deployed, deploy):
    """Break: kill the containers at SIGTERM."""
    name = deploy(
        """
        import time, modal
        app = modal.App("drained")

        @app.function()
        def work(seconds):
            time.sleep(seconds)
            return "finished"
        """
    )
    call = client.sdk(
        f"""
        work = modal.Function.from_name("{name}", "work")
        work.remote(0)
        answer(work.spawn(6).object_id)
        """
    )
    began = time.monotonic()
    assert server.stop(within=30) == 0
    assert time.monotonic() - began > 3, "it waited for the call"
    server.start()
    get = f"answer(modal.FunctionCall.from_id('{call}').get(timeout=0))"
    assert client.sdk(get) == "finished", "the result was there when the server stopped"


def test_a_stop_takes_no_longer_than_its_drain_and_a_second_one_ends_it_at_once(
    server, client, deploy, mark, containers
):
    """Break: ignore a second SIGTERM."""
    name = deploy(
        """
        import os, time, modal
        app = modal.App("endless")
        secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))

        @app.function(secrets=[secret], timeout=600)
        def work():
            time.sleep(600)
        """,
        THE_MARK=mark,
    )
    client.sdk(f"modal.Function.from_name('{name}', 'work').spawn()")
    containers.appear()
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: _refuses(server), 10, "no new connections are taken")
    assert server.runs, "it waits for the call"
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.ended(within=10)
    assert time.monotonic() - began < 5
    containers.vanish(within=1)
    server.start()


def _refuses(server):
    return subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{server.port}"], stderr=subprocess.DEVNULL).returncode


def test_ctrl_c_ends_it_cleanly(another):
    """Break: exit with 130 at SIGINT, before anything is closed."""
    server = another().start()
    server.process.send_signal(signal.SIGINT)
    assert server.ended(within=30) == 0
    assert machine.processes_of([server]) == []


# ---- the machine


def test_a_killed_servers_containers_are_swept_at_its_next_start(
    server, client, deploy, mark, containers
):
    """Break: leave the sweep out of the agent's start."""
    name = deploy(
        """
        import os, time, modal
        app = modal.App("orphan")
        secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))

        @app.function(secrets=[secret], timeout=600, scaledown_window=600, ephemeral_disk=64)
        def work():
            return os.getpid()
        """,
        THE_MARK=mark,
    )
    client.sdk(f"modal.Function.from_name('{name}', 'work').remote()")
    orphans = set(machine.processes_with(mark))
    # A container may end itself once its server is gone; what was made for it does not.
    things = machine.things()
    left = {thing for thing in things if server.identity in thing and "/ta-" in thing}
    disks = {thing for thing in things if f"{server.agent_data}{machine.SCRATCH}" in thing}
    assert orphans and left
    assert {thing.split()[0] for thing in disks} == {"loop", "mount"}
    server.kill()
    server.start()
    eventually(lambda: not orphans & set(machine.processes_with(mark)), 5, "the orphans are gone")
    eventually(lambda: not (left | disks) & machine.things(), 5, "and so is what they had")


def test_a_start_sweeps_nothing_of_another_server(server, another, client, deployed):
    """Break: sweep every control group whose name starts with troupe."""
    task = """
        Counter = modal.Cls.from_name("shared", "Counter")
        answer(Counter(start=1000).add.remote(1))
    """
    first = client.sdk(task)
    neighbour = another().start()
    neighbour.restart()
    assert client.sdk(task) == first + 1, "the same container goes on"
    neighbour.stop()


def test_two_servers_run_side_by_side_and_know_nothing_of_each_other(server, another, client, deployed, tmp_path):
    """Break: keep tokens or names in a place that all servers of the machine share."""
    neighbour = another().start()
    assert Client(neighbour.variables, tmp_path).modal("app", "list", "--json").json == []
    refused = client.modal("app", "list", MODAL_SERVER_URL=neighbour.url, succeeds=False)
    assert refused.status == 1, "a token of the other server is none here"


def test_the_command_env_points_at_a_running_server(server):
    """Break: print client.env without its export words."""
    printed = subprocess.run(
        [ROOT / "troupe", "env", "--data", str(server.data)],
        capture_output=True,
        text=True,
        env=os.environ,
        check=True,
    ).stdout
    assert f"export MODAL_SERVER_URL={server.url}" in printed.replace("'", "").replace('"', "")
