"""Three server processes of one cluster on PostgreSQL, and the machines that they share; the client has
one name for all of them."""

import os
import random
import signal
import time

import pytest

from harness.client import Client
from harness.cluster import Cluster
from harness.images import link_layers
from harness.server import PROGRAM, Process
from harness.waiting import eventually

ALL = "TROUPE_TEST_ALL" in os.environ
KILLS = 9 if ALL else 1


@pytest.fixture(scope="module")
def cluster(server, tmp_path_factory):
    # What members say to each other is encrypted, as it is between machines.
    cluster = Cluster(
        tmp_path_factory.mktemp("cluster"), agents=2 if ALL else 1, settings='troupe.cluster.tls = "on"'
    )
    for agent in cluster.agents:
        link_layers(server.agent_data, agent.agent_data)
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture
def client(cluster, tmp_path):
    return cluster.client(tmp_path)


WORKER = """
    import time, uuid, modal
    app = modal.App("worker")

    @app.function(max_containers=2)
    def work(n):
        print("working on", n)
        time.sleep(0.05)
        return n, uuid.uuid4().hex
"""

# Spawned calls, a map and single calls, until a file is there; each run of an input has a mark of its own.
LOAD = """
    import threading, time
    work = modal.Function.from_name(os.environ["APP"], "work")
    work.remote(0)
    spawned, mapped, single, waits = [], [], [], []

    def spawn():
        while not os.path.exists(os.environ["ENOUGH"]):
            n = len(spawned)
            spawned.append(work.spawn(n))
            time.sleep(0.2)

    def map_():
        while not os.path.exists(os.environ["ENOUGH"]):
            begin = len(mapped)
            mapped.extend(work.map(range(begin, begin + 20)))

    def call():
        while not os.path.exists(os.environ["ENOUGH"]):
            began = time.time()
            single.append(work.remote(len(single)))
            waits.append(time.time() - began)

    failures = []

    def guarded(run):
        def guarded():
            try:
                run()
            except BaseException as failure:
                failures.append(f"{run.__name__}: {failure!r}")
        return guarded

    threads = [threading.Thread(target=guarded(run)) for run in (spawn, map_, call)]
    for thread in threads:
        thread.start()
    print("going", flush=True)
    for thread in threads:
        thread.join()
    once = [call.get(timeout=60) for call in spawned]
    again = [call.get(timeout=60) for call in spawned]
    answer({
        "failures": failures, "spawned": once, "again": again, "mapped": mapped, "single": single,
        "longest": max(waits),
    })
"""


class Load:
    """Calls of one client, from its start to `ended`."""

    def __init__(self, client, app, folder):
        self.enough = folder / "enough"
        self.running = client.start_sdk(LOAD, APP=app, ENOUGH=str(self.enough))
        self.running.wait_for_line("going", 60)

    def ended(self):
        """What became of the calls: each has one result, and that is its own."""
        self.enough.touch()
        finished = self.running.finish(120)
        assert finished.status == 0, finished
        found = self.running.answer()
        assert found["failures"] == []
        assert found["spawned"] == found["again"], "a result was another one the second time"
        for kind in ("spawned", "mapped", "single"):
            numbers = [n for n, _ in found[kind]]
            assert numbers == list(range(len(numbers))), kind
        return found


@pytest.fixture
def load(client, deploy, tmp_path):
    return Load(client, deploy(WORKER), tmp_path)


def test_every_process_of_a_cluster_knows_every_call(cluster, client, deploy, tmp_path):
    """Break: let a gateway read the logs of no machine but those that are linked to it."""
    app = deploy(WORKER)
    call = client.sdk(
        f"call = modal.Function.from_name('{app}', 'work').spawn(7); call.get(); answer(call.object_id)"
    )
    asked = []
    for member in cluster.members:
        variables = {**cluster.members[0].variables, "MODAL_SERVER_URL": member.url}
        one = Client(variables, tmp_path)
        got = one.start_sdk(f"answer(modal.FunctionCall.from_id('{call}').get(timeout=30)[0])")
        asked.append((one, got, one.start_modal("app", "logs", app, "--tail", "5")))
    for one, got, logged in asked:
        assert got.finish().status == 0 and got.answer() == 7
        if "working on 7" not in logged.finish().output:  # the line may come a moment later
            eventually(
                lambda one=one: "working on 7" in one.modal("app", "logs", app, "--tail", "5").output,
                20,
                "the line",
            )


def test_a_token_that_is_none_brings_no_keys(cluster, tmp_path):
    """Break: give the keys to whoever names a token, whatever its proof."""
    stranger = Process(tmp_path / "stranger", PROGRAM, TROUPE_STORE_PASSWORD="x")
    member = cluster.members[1]
    forged = cluster.join_token()[:-8] + "AAAAAAAA"
    stranger.command = lambda: [
        *["up", "--no-agent", "--data", str(stranger.data), *member.options[:2]],
        *["--join", f"{member.address}:{member.port}", "--token", forged],
    ]
    stranger.launch()
    assert stranger.ended(30) == 1
    assert "The token is not one of this cluster" in stranger.said()
    assert not (stranger.data / "keys").exists()


def test_no_call_fails_or_is_doubled_when_processes_leave_and_die(cluster, load):
    """Break: put what an output says before the fence, or ask a process that is gone to the end."""
    for member in cluster.members if ALL else cluster.members[:1]:
        assert member.stop() == 0
        member.start()
    for number in range(KILLS):
        victim = random.choice([*cluster.members, *cluster.agents] if number else cluster.members)
        victim.kill()
        victim.start()
        if ALL:
            time.sleep(random.uniform(0, 5))
    assert load.ended()["longest"] < 30


@pytest.mark.skipif(not ALL, reason="takes half a minute; ./troupe test --all")
def test_a_process_that_stood_still_finds_itself_out(cluster, load):
    """Break: let a process go on that its cluster has taken out."""
    zombie = cluster.members[2]
    zombie.process.send_signal(signal.SIGSTOP)
    time.sleep(20)
    zombie.process.send_signal(signal.SIGCONT)
    assert zombie.ended(40) == 1
    assert "The cluster has taken this process out" in zombie.said()
    zombie.start()
    assert load.ended()["longest"] < 30
