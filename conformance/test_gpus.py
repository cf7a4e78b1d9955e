"""GPUs: whole devices by type, leased and given back, on those that the tests' server pretends to have."""

import re
import uuid
from pathlib import Path

import pytest

from conftest import APPS
from harness import machine
from harness.client import Client
from harness.guide import blocks
from harness.waiting import eventually

MARK = f"MARK={uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def gpus(server, tmp_path_factory):
    """apps/gpus.py, deployed for the tests of this file."""
    client = Client(server.variables, tmp_path_factory.mktemp("gpus"))
    client.modal("deploy", APPS / "gpus.py", THE_MARK=MARK)
    yield "gpus"
    client.modal("app", "stop", "--yes", "gpus")


@pytest.fixture
def start(client):
    """Starts clients that end with the test: one that goes on would keep its devices."""
    started = []

    def start(how, *arguments, **environment):
        started.append(how(*arguments, **environment))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.interrupt()
            running.finish()


def held(mark):
    """The devices of each container with the mark, and a process in it."""
    found = {}
    for pid in machine.processes_with(mark):
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        except OSError:  # it has ended meanwhile
            continue
        devices = [each for each in variables if each.startswith("CUDA_VISIBLE_DEVICES=")]
        if devices:
            found.setdefault(devices[0].partition("=")[2], pid)
    return found


def go(pid):
    """Lets a container of wait_for_go() end its call."""
    (Path(f"/proc/{pid}/root/tmp") / "go").touch()


@pytest.mark.core
def test_each_container_has_devices_of_its_own_and_a_third_waits_for_one_and_says_so(client, start, mark):
    """Break: start containers on devices that others have."""
    running = start(client.start_modal, "run", APPS / "gpus.py", THE_MARK=mark)
    running.wait_for_line("waiting for 1×H100: 0 of 2 free on 1 machine")
    eventually(lambda: len(held(mark)) == 2, 20, "two containers with two devices")
    first, second = held(mark).items()
    go(first[1])
    eventually(
        lambda: held(mark).get(first[0], first[1]) != first[1], 20, "a third one with the device that is free"
    )
    go(held(mark)[first[0]])
    go(second[1])
    finished = running.finish()
    assert finished.status == 0, finished
    ((line,),) = [re.findall(r"^held (.*)", finished.stdout, re.M)]
    assert sorted(eval(line)) == sorted([("H100", first[0])] * 2 + [("H100", second[0])]), line


def test_a_device_is_free_again_after_each_kind_of_end(server, client, gpus):
    """Break: give a device back only when its container ends with status 0."""
    said = client.sdk(
        """
        said = []
        for name in ("crash", "grow"):
            try:
                modal.Function.from_name("gpus", name).remote()
            except Exception as error:
                said.append(type(error).__name__ + str(error))
        answer([said, modal.Function.from_name("gpus", "only").spawn().object_id])
        """
    )
    (crashed, grown), call = said
    assert "3" in crashed and "memory" in grown, said
    eventually(lambda: held(MARK), 20, "a container with the device")
    server.restart()
    eventually(lambda: held(MARK), 20, "the call again, on the same device")
    ((device, pid),) = held(MARK).items()
    go(pid)
    result = client.sdk(f"answer(modal.FunctionCall.from_id({call!r}).get(timeout=30))")
    assert result == ["A100-80GB", device]


def test_ranked_wishes_fall_back_and_several_and_any_device_are_had(client, start, gpus):
    """Break: look at the first of ranked wishes only."""
    running = start(
        client.start_sdk,
        """
        ranked, both, either, without = (
            modal.Function.from_name("gpus", name) for name in ("ranked", "both", "either", "without"))
        calls = [ranked.spawn(number) for number in range(2)]
        got = sorted(call.get() for call in calls)
        answer([got, both.remote(), either.remote(), without.remote()])
        """,
    )
    eventually(lambda: len(held(MARK)) == 2, 20, "one container on each type")
    for pid in held(MARK).values():
        go(pid)
    assert running.finish().status == 0, running.output
    ranked, (types, names), any_device, without = running.answer()
    assert [types for types, _ in ranked] == ["A100-80GB", "H100"]
    assert types == "H100,H100" and len(set(names.split(","))) == 2
    assert any_device[0] in ("H100", "A100-80GB") and without == []


def test_a_type_that_is_none_is_refused_with_the_list_of_types(client, script):
    """Break: wait for a device of whatever name."""
    source = "import modal\napp = modal.App()\n@app.function(gpu='H1000')\ndef f(): pass\n"
    finished = client.modal("run", script("none.py", source), succeeds=False)
    assert finished.status == 1 and 'gpu="H1000" is no type of GPU. There are: T4, L4,' in finished.output


def test_the_snippets_of_the_guide_of_gpus_show_what_it_says(client, script):
    """Break: leave the types of its devices out of what a container knows."""
    for kind, name, text in blocks("gpus.md"):
        if kind == "python":
            script(name, text)
            continue
        command, _, shown = text.removeprefix("$ modal ").partition("\n")
        finished = client.modal(*command.split())
        assert shown.strip() in finished.stdout, finished
