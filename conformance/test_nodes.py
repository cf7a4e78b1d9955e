"""Machines of their own on one server: how they join and leave, what they may, and what becomes of their work."""

import hashlib
import json
import os
import subprocess
import textwrap
import time
import urllib.error

import pytest

from conftest import FIRST_IMAGE, machine_of, network
from harness import machine
from harness.client import Client
from harness.images import link_layers
from harness.rogue import Rogue, container, door_call, field, hello, plain_link_is_refused
from harness.server import PROGRAM
from harness.waiting import eventually

SECRET = "known to its function alone"
MACHINES = ("agent", "near")
ALL = os.environ.get("TROUPE_TEST_ALL")


@pytest.fixture(scope="module")
def near(far, tmp_path_factory):
    """Another machine, on a network of its own, with a GPU that it only pretends to have. It has the
    layers of the first."""
    settings = tmp_path_factory.mktemp("settings") / "gpu.conf"
    settings.write_text('troupe.agent.simulated-gpus = ["H100"]\n')
    here = "198.51.100.5"
    with network(here, "198.51.100.6") as (space, link):
        inside = ["nsenter", f"--net=/run/netns/{space}"]
        agent = machine_of(far, "near", settings=settings, wrapper=inside)
        agent.address = f"{here}:{far.port + 1}"
        agent.link = link
        link_layers(far.agent.agent_data, agent.agent_data)
        try:
            yield agent.start()
        finally:
            if agent.runs:
                agent.stop()


@pytest.fixture(scope="module")
def nodes(far, near):
    """The server of two machines, both linked."""
    for process in (far, far.agent, near):
        if not process.runs:
            process.start()
    return far


@pytest.fixture
def client(nodes, tmp_path):
    return Client(nodes.variables, tmp_path)


def command(server, *arguments):
    """A command of an operator."""
    done = subprocess.run(
        [PROGRAM, *arguments, "--data", str(server.data)], capture_output=True, text=True, timeout=90
    )
    return done.returncode, done.stdout, done.stderr


# One container fills a machine, so that two of them are on two.
WORKER = """
    import os, pathlib, time, uuid, modal
    words = pathlib.Path(__file__).parent / "words.txt"
    image = (
        modal.Image.debian_slim()
        .run_commands(f"echo built {os.environ.get('THE_MARK')} > /built")
        .add_local_file(words, "/words.txt")
    )
    app = modal.App("worker", image=image)
    mark = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))
    secret = modal.Secret.from_dict(dict(WORDS="known to its function alone"))
    container = uuid.uuid4().hex

    @app.function(
        cpu=1.2, max_containers=2, scaledown_window=100, timeout=100, secrets=[mark, secret],
        retries=0,
    )
    def work(seconds):
        print("line of", container, flush=True)
        time.sleep(seconds)
        files = [pathlib.Path(file).read_text().strip() for file in ("/built", "/words.txt")]
        return container, *files

    @app.function(gpu="H100", max_containers=2, timeout=100)
    def compute(seconds):
        time.sleep(seconds)
        return True
"""


@pytest.fixture(scope="module")
def worker(nodes, tmp_path_factory):
    """The name of the app above, deployed, and the mark of its containers."""
    folder = tmp_path_factory.mktemp("worker")
    (folder / "worker.py").write_text(textwrap.dedent(WORKER))
    (folder / "words.txt").write_text("mounted")
    mark = f"MARK={folder.name}-{time.time_ns()}"
    Client(nodes.variables, folder).modal(
        "deploy", folder / "worker.py", within=FIRST_IMAGE, THE_MARK=mark
    )
    return "worker", mark


def spawn(client, app, seconds, times=1, function="work"):
    return client.sdk(
        f"""
        work = modal.Function.from_name("{app}", "{function}")
        answer([work.spawn({seconds}).object_id for _ in range({times})])
        """
    )


def results(client, calls, within=60):
    return client.sdk(
        f"answer([modal.FunctionCall.from_id(c).get(timeout={within}) for c in {calls!r}])",
        within=within + 10,
    )


def both_run(nodes):
    """A container of the worker runs on each machine."""

    def running(machine):
        return [each for each in machine["containers"] if each["state"] == "running"]

    listed = nodes.machines()
    return all(running(listed[name]) for name in MACHINES) and listed


# ---- joining


def test_a_join_token_lets_one_machine_in_and_no_second_and_none_once_it_has_expired(nodes):
    """Break: use a join token up only when its machine has dialled."""
    status, told, _ = command(nodes, "token", "join", "--json")
    made = json.loads(told)
    assert status == 0 and made["port"] == nodes.port + 1
    first, second = Rogue(nodes, "first"), Rogue(nodes, "second")
    assert first.join(made["token"])[0] == 200
    assert first.join(made["token"])[0] == 200, "a repeat of the same machine is answered alike"
    status, why = second.join(made["token"])
    assert status == 401 and "used up" in why and "troupe token join" in why
    last = made["token"][:-1] + ("0" if made["token"][-1] != "0" else "1")
    kind, token, secret, authority = made["token"].split(".")
    wrong = ".".join([kind, token, secret[::-1], authority])
    assert "not one of this server" in second.join(wrong)[1]
    assert last != made["token"] and "no join token" in second.join("a token")[1]
    assert "another kind" in second.join(made["token"].replace("machine.", "member."))[1]
    short = nodes.join_token(valid="PT0.001S")
    eventually(lambda: "expired" in second.join(short)[1], 5, "the token has expired")
    taken = Rogue(nodes, "agent")
    status, why = taken.join(nodes.join_token())
    assert status == 409 and "machine agent" in why, "a machine's id is its own"
    nodes.admin("nodes/first/remove", "POST")
    assert "first" not in nodes.machines()


def test_a_machine_that_can_not_join_is_told_why(nodes, tmp_path):
    """Break: send the token to whoever answers at the address."""
    token = nodes.join_token()
    forged = token[:-64] + "0" * 64

    def refusal(*options):
        command = [PROGRAM, "node", "--data", str(tmp_path / "data"), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done
        return done.stderr

    there = f"127.0.0.1:{nodes.port + 1}"
    assert "not the server that the token was made by" in refusal("--join", there, "--token", forged)
    assert "token join" in refusal("--join", there)
    assert "HOST:PORT" in refusal("--join", "http://127.0.0.1:1", "--token", token)


def test_a_machine_speaks_for_itself_alone_and_gets_nothing_that_was_not_placed_on_it(
    nodes, client, worker
):
    """Break: believe what a Hello says of the machine's id, or of its containers; or give content to
    every machine that has joined."""
    results(client, spawn(client, worker[0], 0))
    listed = nodes.machines()
    other = [each for name in MACHINES for each in listed[name]["containers"]][0]
    rogue = Rogue(nodes, "rogue")
    assert plain_link_is_refused(nodes.port)
    assert "no certificate" in rogue.link(hello("rogue"))[1]
    assert rogue.join(nodes.join_token())[0] == 200

    _, end = rogue.link(hello("agent"))
    assert "rogue" in end and "agent" in end
    assert nodes.machines()["agent"]["state"] == "ready"

    task, function, app = other["task"], other["function_id"], other["app_id"]
    for claimed in (task, "ta-0000000000000000000001"):
        heard, _ = rogue.link(
            hello("rogue", container(claimed, function, app)),
            field(3, container(claimed, function, app)),
            door_call(1, claimed, "FunctionGetInputs", field(1, function)),
            door_call(2, claimed, "FunctionPutOutputs"),
        )
        answers = b"".join(heard)
        assert answers.count(b"is not on machine rogue") == 2, heard
        assert SECRET.encode() not in answers
    assert not nodes.machines()["rogue"]["containers"]

    digest = hashlib.sha256(b"mounted").hexdigest()
    for key in ("", "?key=guess"):
        status, why = rogue.http("GET", f"/_troupe/content/{digest}{key}")
        assert status == 403 and "nothing that was placed on machine rogue" in why
    nodes.admin("nodes/rogue/remove", "POST")
    assert "removed" in rogue.link(hello("rogue"))[1], "its certificate is void"


# ---- several machines


def test_work_goes_to_all_machines_with_its_image_files_and_logs(nodes, client, worker):
    """Break: give a machine no context of layers that another one has built."""
    calls = spawn(client, worker[0], 3, times=4)
    listed = eventually(lambda: both_run(nodes), 60, "both machines run a container")
    for name in MACHINES:
        (there,) = listed[name]["containers"]
        assert (there["app"], there["function"]) == ("worker", "work")
    done = results(client, calls)
    containers = {result[0] for result in done}
    assert len(containers) == 2
    assert all(result[1:] == [f"built {worker[1]}", "mounted"] for result in done)
    logs = client.modal("app", "logs", worker[0], "--tail", 1000).stdout
    assert all(f"line of {each}" in logs for each in containers)
    status, told, _ = command(nodes, "nodes")
    assert status == 0 and "agent" in told and "worker" in told and "H100 1/1" in told
    assert listed["agent"]["cpu"]["total"] - listed["agent"]["cpu"]["free"] == pytest.approx(1.2)
    assert listed["agent"]["disk"]["free"] > 0 and listed["agent"]["memory"]["total"] > 0


def test_what_waits_is_listed_with_its_place_and_reason(nodes, client, worker):
    """Break: list no waiting lists."""
    calls = spawn(client, worker[0], 1.5, times=2, function="compute")

    def waiting():
        return [each for each in nodes.admin("nodes")["waiting"] if each["function"] == "compute"]

    (waits,) = eventually(waiting, 20, "one of the two waits")
    assert waits["position"] == 1 and waits["pool"] == "H100"
    assert "waiting for 1×H100: 0 of 1 free" in waits["reason"]
    assert results(client, calls) == [True, True]


def test_a_killed_machines_work_goes_elsewhere_within_15_seconds_and_its_return_sweeps(
    nodes, client, worker
):
    """Break: wait for the return of a machine whose agent has died."""
    calls = spawn(client, worker[0], 2, times=2)
    eventually(lambda: both_run(nodes), 60, "both machines run a container")
    lost = nodes.machines()["agent"]["containers"][0]
    orphans = set(machine.processes_with(worker[1]))
    nodes.agent.kill()
    began = time.monotonic()
    assert len(results(client, calls)) == 2
    assert time.monotonic() - began < 15 + 2, "as long as the call takes, and 15 s"
    assert nodes.machines()["agent"]["state"] == "away"
    nodes.agent.token = None
    nodes.agent.start()
    back = eventually(lambda: both_ready(nodes), 10, "the machine is back")
    assert lost["task"] not in {each["task"] for each in back["agent"]["containers"]}
    eventually(
        lambda: len(orphans & set(machine.processes_with(worker[1]))) < len(orphans),
        5,
        "what it left is swept",
    )


def both_ready(nodes):
    listed = nodes.machines()
    return listed if all(listed[name]["state"] == "ready" for name in MACHINES) else None


@pytest.mark.skipif(not ALL, reason="it takes 20 s")
def test_the_work_of_a_machine_that_is_cut_off_goes_elsewhere_within_15_seconds_of_its_last_word(
    nodes, near, client, worker
):
    """Break: wait for a silent machine as if its silence were its last word."""
    calls = spawn(client, worker[0], 8, times=2)
    eventually(lambda: both_run(nodes), 60, "both machines run a container")
    subprocess.run(["ip", "link", "set", near.link, "down"], check=True)
    began = time.monotonic()
    try:
        assert len(results(client, calls)) == 2
        assert time.monotonic() - began < 15 + 8, "as long as the call takes, and 15 s"
    finally:
        subprocess.run(["ip", "link", "set", near.link, "up"], check=True)
    eventually(lambda: both_ready(nodes), 20, "it is back")


# ---- leaving


@pytest.mark.core
def test_a_drained_machine_lets_running_calls_end_and_leaves_and_a_removed_one_stays_out(
    nodes, near, client, worker
):
    """Break: end the containers of a machine when it is told to leave."""
    eventually(lambda: both_ready(nodes), 20, "both are there")
    calls = spawn(client, worker[0], 3, times=3)
    eventually(lambda: both_run(nodes), 60, "both machines run a container")
    status, told, why = command(nodes, "node", "drain", "near")
    assert status == 0 and "has left" in told, why
    assert near.ended(20) == 0
    assert len(results(client, calls)) == 3
    assert machine.processes_of([near]) == []
    assert len(results(client, spawn(client, worker[0], 0))) == 1

    assert refused(nodes, "nodes/agent/remove") == (409, "drain agent")
    status, told, _ = command(nodes, "node", "remove", "near", "--json")
    assert status == 0 and json.loads(told)["state"] == "removed"
    assert list(nodes.machines()) == ["agent"]
    assert refused(nodes, "nodes/near/drain") == (404, "no machine near")


def refused(server, path):
    """The status with which an operator's wish is refused, and of its sentence what is wanted."""
    with pytest.raises(urllib.error.HTTPError) as refusal:
        server.admin(path, "POST")
    said = refusal.value.read().decode()
    wanted = [words for words in ("drain agent", "no machine near") if words in said]
    return refusal.value.code, "".join(wanted)
