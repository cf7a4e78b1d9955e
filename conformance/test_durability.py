"""What a server keeps when it is killed. The shared server is, so whatever it holds is at stake."""

import os
import pickle
import random
import time
import uuid
from pathlib import Path

import pytest
from modal_proto import api_pb2

from harness import wire
from harness.disk import Disk
from harness.waiting import eventually

# CI does a share of them, `./troupe test --all` does all.
KILLS = 20 if "TROUPE_TEST_ALL" in os.environ else 5
CALLS = 50 * KILLS


def test_a_deployed_app_serves_again_after_a_kill(server, client, deployed):
    """Break: publish an app without persisting the event."""
    client.modal("secret", "create", "--force", "kept", "WORD=kept")
    before = client.sdk("answer(modal.Function.from_name('shared', 'double').remote(1))")
    server.restart()
    after = client.sdk("answer(modal.Function.from_name('shared', 'double').remote(1))")
    assert (before, after) == (2, 2)
    assert "shared" in [app["description"] for app in client.modal("app", "list", "--json").json]
    assert "kept" in [secret["name"] for secret in client.modal("secret", "list", "--json").json]


def test_a_secret_and_an_image_are_there_after_a_kill(server, client, script):
    """Break: forget built images at a restart."""
    app = script(
        "kept.py",
        """
        import os, modal
        image = modal.Image.debian_slim().env({"IMAGE": "kept"})
        app = modal.App("kept", image=image)

        @app.function(secrets=[modal.Secret.from_name("kept-secret")])
        def look():
            return os.environ["IMAGE"], os.environ["WORD"]

        @app.local_entrypoint()
        def main():
            print(look.remote())
        """,
    )
    client.modal("secret", "create", "--force", "kept-secret", "WORD=still known")
    client.modal("run", app)
    server.restart()
    began = time.monotonic()
    assert "('kept', 'still known')" in client.modal("run", app).stdout
    assert time.monotonic() - began < 20, "nothing is built again"
    client.modal("secret", "delete", "--yes", "kept-secret")


def test_a_finished_result_is_there_after_a_kill_and_the_same_at_every_get(
    server, client, deployed
):
    """Break: look for the results of a call in memory only, not in the call log."""
    spawned = client.sdk(
        """
        import hashlib
        produce = modal.Function.from_name("shared", "produce")
        calls = [produce.spawn(size) for size in [3 << 20] + [32] * 10]
        results = [hashlib.sha256(call.get()).hexdigest() for call in calls]
        os.kill(int(os.environ["SERVER"]), 9)  # the moment the last result is there
        answer([[call.object_id, result] for call, result in zip(calls, results)])
        os._exit(0)
        """,
        SERVER=str(server.process.pid),
    )
    server.restart()
    again = client.sdk(
        f"""
        import hashlib
        calls = [modal.FunctionCall.from_id(call) for call, _ in {spawned!r}]
        answer([[hashlib.sha256(call.get()).hexdigest() for _ in range(2)] for call in calls])
        """
    )
    assert again == [[result] * 2 for _, result in spawned]


@pytest.mark.core
def test_calls_accepted_before_a_kill_end_with_their_results(server, client, deploy):
    """Break: commit without making it durable, or load no inputs that wait at a start."""
    name = deploy(
        """
        import time, modal
        app = modal.App("queued")

        @app.function(max_containers=1)
        def work(n):
            time.sleep(0.1)
            return n * n
        """
    )
    calls = client.sdk(
        f"""
        import asyncio
        work = modal.Function.from_name("{name}", "work")
        work.remote(0)

        async def spawn_all():
            return await asyncio.gather(*(work.spawn.aio(n) for n in range(40)))

        calls = asyncio.run(spawn_all())
        os.kill(int(os.environ["SERVER"]), 9)  # the moment the last is acknowledged
        answer([call.object_id for call in calls])
        os._exit(0)
        """,
        SERVER=str(server.process.pid),
    )
    server.restart()
    results = client.sdk(
        f"answer([modal.FunctionCall.from_id(call).get(timeout=30) for call in {calls!r}])"
    )
    assert results == [n * n for n in range(40)]


def test_a_repeated_request_makes_one_call_after_a_kill_too(server, client, deploy):
    """Break: name a call by chance, not by the idempotency key of its request."""
    name = deploy(
        """
        import modal
        app = modal.App("repeated")

        @app.function(max_containers=1, scaledown_window=60)
        def count(seen=[]):
            seen.append(1)
            return len(seen)
        """
    )
    wanted = api_pb2.FunctionGetRequest(app_name=name, object_tag="count", environment_name="main")
    found = api_pb2.FunctionGetResponse.FromString(wire.call(server, "FunctionGet", wanted).body)
    no_arguments = api_pb2.FunctionInput(
        args=pickle.dumps(((), {})), data_format=api_pb2.DATA_FORMAT_PICKLE
    )
    request = api_pb2.FunctionMapRequest(
        function_id=found.function_id,
        function_call_type=api_pb2.FUNCTION_CALL_TYPE_UNARY,
        function_call_invocation_type=api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC,
        pipelined_inputs=[api_pb2.FunctionPutInputsItem(input=no_arguments)],
    )

    def send():
        answer = wire.call(server, "FunctionMap", request, key=f"the key of {name}")
        return api_pb2.FunctionMapResponse.FromString(answer.body).function_call_id

    call = send()
    assert call.startswith("fc-") and send() == call
    count = f"""
        call = modal.FunctionCall.from_id("{call}")
        answer([call.get(timeout=30), modal.Function.from_name("{name}", "count").remote()])
    """
    assert client.sdk(count) == [1, 2], "it ran once"
    server.restart()
    assert send() == call
    assert client.sdk(count) == [1, 1], "and not again in the new container"


def test_a_min_container_is_there_again_after_a_kill(server, client, deploy, mark, containers):
    """Break: wait for the first call before a function is awake after a restart."""
    deploy(
        """
        import os, modal
        app = modal.App("awake")
        secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))

        @app.function(secrets=[secret], min_containers=1)
        def work():
            pass
        """,
        THE_MARK=mark,
    )
    containers.appear()
    server.restart()
    containers.appear(within=30)


SPAWNER = """
    # Spawns numbers that nobody has acknowledged yet, and notes each acknowledgement.
    notes = os.environ["NOTES"]
    with open(notes, "a+") as file:
        file.seek(0)
        first = max((json.loads(line)[0] for line in file), default=-1) + 1
        square = modal.Function.from_name(os.environ["APP"], "square")
        for number in range(first, first + int(os.environ["COUNT"])):
            file.write(json.dumps([number, square.spawn(number).object_id]) + "\\n")
            file.flush()
"""


class Spawner:
    """A client that spawns calls, started again whenever it has died with the server."""

    def __init__(self, client, notes, settings):
        self.client, self.notes, self.settings = client, notes, settings
        self.running = None

    def acknowledged(self):
        return len(self.notes.read_text().splitlines())

    def run_until(self, enough):
        eventually(lambda: self._runs_until(enough), 60, f"{enough} calls are acknowledged")

    def _runs_until(self, enough):
        if self.running is None or self.running.process.poll() is not None:
            count = str(max(1, CALLS - self.acknowledged()))
            self.running = self.client.start_sdk(SPAWNER, COUNT=count, **self.settings)
        return self.acknowledged() >= enough


COLLECTOR = """
    # Reads every result, twice and by two names of the call.
    with open(os.environ["NOTES"]) as file:
        notes = [json.loads(line) for line in file]
    results = []
    for number, call in notes:
        first = modal.FunctionCall.from_id(call).get(timeout=120)
        results.append([number, first, modal.FunctionCall.from_id(call).get(timeout=5) == first])
    answer(results)
"""


@pytest.mark.timeout(600)
def test_no_acknowledged_call_is_lost_when_the_server_is_killed_again_and_again(
    server, client, deploy, tmp_path
):
    """Break: let the database write its commits behind, half a second later."""
    name = deploy(
        """
        import uuid, modal
        app = modal.App("counted")

        @app.function(max_containers=2, scaledown_window=60)
        def square(number):
            return number * number, uuid.uuid4().hex  # every execution has a word of its own
        """
    )
    notes = tmp_path / "notes"
    notes.touch()
    settings = {"NOTES": str(notes), "APP": name}
    spawner = Spawner(client, notes, settings)
    moments = random.Random(20)
    share = CALLS // KILLS
    for kill in range(KILLS):
        spawner.run_until(kill * share + moments.randrange(share))
        server.restart()
    spawner.run_until(CALLS)
    spawner.running.finish()

    collected = client.sdk(COLLECTOR, within=240, **settings)
    assert len(collected) == spawner.acknowledged() >= CALLS
    assert [number for number, _, _ in collected] == list(range(len(collected)))
    assert [entry for entry in collected if entry[1][0] != entry[0] ** 2] == []
    assert [entry for entry in collected if not entry[2]] == [], "the same at every get"
    words = {word for _, (_, word), _ in collected}
    assert len(words) == len(collected), "no two calls share a result"

    server.restart()
    again = client.sdk(COLLECTOR, within=240, **settings)
    assert again == collected, "and the same after another kill"


@pytest.fixture(scope="module")
def frozen_disk(server, deployed, tmp_path_factory):
    """The disk of the server's store, to be frozen."""
    disk = Disk(server.data / "store", tmp_path_factory.mktemp("disk") / "disk")
    server.kill()
    disk.mount()
    server.start()
    yield disk
    server.kill()
    disk.unmount()
    server.start()


@pytest.fixture
def disk(frozen_disk):
    yield frozen_disk
    frozen_disk.thaw()


def test_a_call_is_acknowledged_only_when_it_is_on_the_disk(client, disk):
    """Break: acknowledge FunctionMap before the commit."""
    client.sdk("modal.Function.from_name('shared', 'double').remote(1)")  # its owner is awake
    disk.freeze()
    spawning = client.start_sdk(
        """
        double = modal.Function.from_name("shared", "double").hydrate()
        print("asks", flush=True)
        call = double.spawn(4)
        print("acknowledged", flush=True)
        answer(call.get())
        """
    )
    spawning.wait_for_line("^asks$")
    time.sleep(2)
    assert "acknowledged" not in spawning.output
    disk.thaw()
    assert spawning.finish().status == 0 and spawning.answer() == 8


def test_a_result_that_can_be_had_again_is_given_only_when_it_is_on_the_disk(client, disk, deploy):
    """Break: give the result of a spawned call out before its commit."""
    name = deploy(
        """
        import time, modal
        app = modal.App("later")

        @app.function()
        def work(seconds):
            time.sleep(seconds)
            return seconds
        """
    )
    waiting = client.start_sdk(
        f"""
        work = modal.Function.from_name("{name}", "work")
        work.remote(0)
        call = work.spawn(4)
        print("spawned", flush=True)
        answer(call.get())
        """
    )
    waiting.wait_for_line("^spawned$")
    time.sleep(1)
    disk.freeze()
    time.sleep(5)
    assert waiting.process.poll() is None and waiting.answer() is None, "the function has ended, unseen"
    disk.thaw()
    assert waiting.finish().status == 0 and waiting.answer() == 4


def test_a_build_goes_on_from_its_last_layer_after_a_kill_of_the_server(server, client, script):
    """Break: put a step's layer in its place before the step is over, or forget that a build is to use
    nothing that was kept."""
    source = f"""
        import modal
        image = modal.Image.debian_slim().dockerfile_commands(
            "RUN cat /proc/sys/kernel/random/uuid > /first && echo {uuid.uuid4()}",
            "RUN touch /half; sleep 3; touch /whole",
            force_build=FORCED,
        )
        app = modal.App("built", image=image)

        @app.function()
        def look():
            import os
            return open("/first").read().strip(), os.path.exists("/whole")

        @app.local_entrypoint()
        def main():
            print("built", look.remote())
    """
    app = script("built.py", source.replace("FORCED", "True"))
    agent = server.agent_data
    running = client.start_modal("run", app)
    eventually(lambda: list(agent.glob("containers/build-*/upper/half")), 60, "the second step runs")
    made = agent.glob("images/store/layers/step-*/first")
    first = max(made, key=lambda file: file.stat().st_mtime).read_text().strip()
    server.kill()
    running.finish(60)
    server.start()
    assert list((agent / "images/store/unfinished").iterdir()) == []
    assert str(agent / "images/store") not in Path("/proc/self/mountinfo").read_text()
    assert list(agent.glob("containers/build-*")) == []
    script("built.py", source.replace("FORCED", "False"))
    said = client.modal("run", app, within=120).stdout
    assert f"built {(first, True)!r}" in said, "the first step is not run again"
