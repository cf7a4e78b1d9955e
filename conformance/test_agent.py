"""The agent of a machine as a process of its own, over the real link: a server that runs no containers,
and an agent that does, each with its own data directory."""

import hashlib
import http.client
import signal
import subprocess

import pytest

from harness import machine
from harness.client import Client
from harness.server import PROGRAM, ROOT
from harness.waiting import eventually

EXAMPLE = ROOT / "examples/hello.py"


@pytest.fixture
def agent(far):
    """The agent, running and linked, whatever a test before did to it."""
    if not far.runs:
        far.start()
    if not far.agent.runs:
        far.agent.start()
    return far.agent


@pytest.fixture
def client(far, agent, tmp_path):
    return Client(far.variables, tmp_path)


WORKER = """
    import os, time, uuid, modal
    app = modal.App("worker")
    secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))
    container = uuid.uuid4().hex

    @app.function(secrets=[secret], timeout=100, max_containers=1, scaledown_window=60)
    def work(seconds):
        time.sleep(seconds)
        return container
"""


@pytest.fixture
def work(client, deploy, mark):
    """The name of an app whose function `work` sleeps, and says in which container it did."""
    return deploy(WORKER, THE_MARK=mark)


def spawn(client, app, seconds):
    return client.sdk(f"answer(modal.Function.from_name('{app}', 'work').spawn({seconds}).object_id)")


def result(client, call, within=60):
    return client.sdk(
        f"answer(modal.FunctionCall.from_id('{call}').get(timeout={within}))", within=within + 10
    )


def test_the_example_runs_in_a_container_of_the_agent(client, agent):
    """Break: answer every call that comes over the link with UNAVAILABLE."""
    output = client.modal("run", EXAMPLE, "--number", "7").output
    assert "squaring 7" in output and "The container returned 49." in output


def test_mounted_files_come_from_the_server(client, script):
    """Break: answer machines that ask for content with 404."""
    words = "known to the server alone " * 10_000
    (script("beside/words.txt", "")).write_text(words)
    app = script(
        "mounted.py",
        """
        import hashlib, pathlib, modal
        here = pathlib.Path(__file__).parent
        image = modal.Image.debian_slim().add_local_file(here / "beside/words.txt", "/words.txt")
        app = modal.App("mounted", image=image)

        @app.function()
        def digest():
            return hashlib.sha256(pathlib.Path("/words.txt").read_bytes()).hexdigest()

        @app.local_entrypoint()
        def main():
            print(digest.remote())
        """,
    )
    assert hashlib.sha256(words.encode()).hexdigest() in client.modal("run", app).stdout


@pytest.mark.parametrize("size", [3 << 20, 50 << 20], ids=["3 MiB", "50 MiB"])
def test_big_payloads_pass_the_agent_both_ways(client, script, size):
    """Break: end the body of a blob request at the agent after 1 MiB."""
    app = script(
        "payloads.py",
        """
        import hashlib, os, modal
        app = modal.App("payloads")

        @app.function(block_network=True)
        def work(payload):
            result = os.urandom(len(payload))
            return hashlib.sha256(payload).hexdigest(), result, hashlib.sha256(result).hexdigest()

        @app.local_entrypoint()
        def main(size: int):
            payload = os.urandom(size)
            seen, result, sent = work.remote(payload)
            print("there:", seen == hashlib.sha256(payload).hexdigest())
            print("back:", len(result) == size and sent == hashlib.sha256(result).hexdigest())
        """,
    )
    output = client.modal("run", app, "--size", size).stdout
    assert "there: True" in output and "back: True" in output


def blob_addresses(agent):
    """Where an agent listens for its containers, as HOST:PORT."""
    listed = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    mine = [line for line in listed.splitlines() if f"pid={agent.process.pid}," in line]
    return [line.split()[3] for line in mine]


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/modal.client.ModalClient/ClientHello",
        "/troupe.link.NodeLink/Connect",
        f"/_troupe/content/{'0' * 64}?action=GET",
        "/_troupe/blobs/../../healthz?",
        "/_troupe/blobs/%2e%2e/%2e%2e/healthz?",
    ],
)
def test_the_server_is_not_to_be_reached_through_an_agent(agent, path):
    """Break: send on to the server whatever a container asks of its blob address."""
    (address,) = blob_addresses(agent)
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 403 and b"Nothing but blobs" in answer.read()


def test_lines_arrive_while_the_function_runs(client, script):
    """Break: send a follower's lines only with the end of the container."""
    app = script(
        "lines.py",
        """
        import time, modal
        app = modal.App("lines")

        @app.function()
        def work():
            print("begun", flush=True)
            time.sleep(4)
            for number in range(2_000):
                print("line", number)

        @app.local_entrypoint()
        def main():
            work.remote()
        """,
    )
    running = client.start_modal("run", app)
    begun = running.wait_for_line("^begun$")
    assert begun and running.process.poll() is None
    finished = running.finish()
    lines = [line for line in finished.output.splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(2_000)]


def counted(client, deploy, options="", after=1):
    """An app that printed 2,000 lines in a call, and so many after it; its name, and that call."""
    name = deploy(
        f"""
        import modal
        app = modal.App()

        @app.function({options})
        def count(first, lines):
            for i in range(first, first + lines):
                print("line", i)
        """
    )
    call = client.sdk(
        f"""
        count = modal.Function.from_name("{name}", "count")
        call = count.spawn(0, 2000)
        call.get()
        count.remote(5000, {after})
        answer(call.object_id)
        """
    )
    return name, call


def test_logs_are_read_over_the_link_by_call_by_text_and_after_the_agents_next_start(
    client, agent, deploy
):
    """Break: send the machines' answers about kept lines to nobody."""
    name, call = counted(client, deploy, after=1)
    of_call = [f"line {i}" for i in range(2000)]

    def shown():
        return client.modal("app", "logs", name, "--function-call", call, "--tail", 5000).stdout

    # On a busy machine the agent may still be reading what was printed.
    eventually(lambda: shown().strip().split("\n") == of_call, 20, "all lines of the call are shown")
    agent.stop()
    agent.start()
    found = client.modal("app", "logs", name, "--search", "line 5000")
    assert found.stdout.strip() == "line 5000"


@pytest.mark.core
def test_logs_are_whole_and_once_while_the_agent_is_away_and_after_a_kill_of_it(
    client, agent, deploy
):
    """Break: read no archive (nothing is shown while the agent is away), or read it whole beside a
    machine's own lines (they are shown twice)."""
    name, call = counted(client, deploy, "max_containers=1", after=3)

    def shown(*options):
        output = client.modal("app", "logs", name, "--tail", 9000, *options).stdout
        return output.strip().split("\n")

    of_call = [f"line {i}" for i in range(2000)]
    before = of_call + [f"line {i}" for i in range(5000, 5003)]
    eventually(lambda: shown("--function-call", call) == of_call, 20, "all lines are there")
    agent.stop()
    assert shown() == before
    assert shown("--function-call", call) == of_call
    assert shown("--search", "line 5001", "--source", "stdout") == ["line 5001"]
    followed = client.sdk(
        f"""
        import itertools
        lines = modal.FunctionCall.from_id("{call}").logs.stream()
        answer([entry.message.strip() for entry in itertools.islice(lines, 2000)])
        """
    )
    assert followed == of_call
    agent.start()
    client.sdk(f"""answer(modal.Function.from_name("{name}", "count").remote(7000, 2000))""")
    agent.restart()
    assert shown() == before + [f"line {i}" for i in range(7000, 9000)]


def test_a_call_whose_agent_is_killed_runs_again_and_ends_with_its_result(
    client, agent, work, containers, mark
):
    """Break: keep the containers of a machine whose new report does not have them."""
    call = spawn(client, work, 5)
    containers.appear()
    orphans = set(machine.processes_with(mark))
    agent.restart()
    eventually(lambda: not orphans & set(machine.processes_with(mark)), 5, "the orphans are gone")
    assert result(client, call)


def test_a_build_whose_agent_is_killed_begins_anew_and_ends_well(client, agent, work, script):
    """Break: tell a machine of a build once only."""
    app = script(
        "built.py",
        f"""
        import os, modal

        def ask():
            with open("/answer", "w") as file:
                file.write(modal.Function.from_name("{work}", "work").remote(0))

        image = (
            modal.Image.debian_slim()
            .dockerfile_commands("RUN echo {work}", "RUN touch /half; sleep 2; touch /whole")
            .run_function(ask)
        )
        app = modal.App("built", image=image)

        @app.function()
        def look():
            return os.path.exists("/whole"), len(open("/answer").read())

        @app.local_entrypoint()
        def main():
            print("built", look.remote())
        """,
    )
    running = client.start_modal("run", app)
    halves = agent.agent_data.glob
    eventually(lambda: list(halves("containers/build-*/upper/half")), 60, "the second step runs")
    agent.restart()
    finished = running.finish(60)
    assert finished.status == 0 and "built (True, 32)" in finished.stdout, finished


def test_a_call_whose_agent_stays_away_waits_for_it(client, agent, work, containers):
    """Break: end the inputs of a lost machine with an error."""
    call = spawn(client, work, 5)
    containers.appear()
    agent.kill()
    pending = client.sdk(
        f"""
        try:
            answer(modal.FunctionCall.from_id("{call}").get(timeout=14))
        except TimeoutError:
            answer("none yet")
        """
    )
    assert pending == "none yet"
    agent.start()
    assert result(client, call)


def test_a_container_goes_on_with_its_call_while_the_server_is_killed_and_started_again(
    client, far, work, containers
):
    """Break: have a function stop a container that its machine says is there, and it did not know."""
    first = result(client, spawn(client, work, 0))
    call = spawn(client, work, 6)
    far.kill()
    far.start()
    assert result(client, call) == first
    assert result(client, spawn(client, work, 0)) == first, "and it takes the next one"
    assert containers.count() == 1


def test_the_data_directory_of_a_running_agent_or_of_another_machine_is_refused(agent):
    """Break: open an agent's data directory without its lock."""
    used = join(agent.address, agent.data)
    assert used.returncode == 1 and "in use" in used.stderr and str(agent.data) in used.stderr
    agent.stop()
    other = join(agent.address, agent.data, "--name", "other")
    assert other.returncode == 1 and "machine agent" in other.stderr


def test_an_agent_that_is_stopped_leaves_nothing_and_lets_running_calls_finish(
    client, agent, work, containers
):
    """Break: kill the containers of an agent at SIGTERM."""
    result(client, spawn(client, work, 0))  # a container is there and takes the next input at once
    call = spawn(client, work, 4)
    assert agent.stop() == 0
    assert containers.count() == 0 and machine.processes_of([agent]) == []
    assert not [thing for thing in machine.things() if agent.identity in thing]
    assert result(client, call, within=2), "its output was there before the agent was gone"


def test_an_agent_waits_for_a_server_that_is_not_there_yet(far, agent):
    """Break: end the agent when nobody listens at the first dial."""
    agent.stop()
    far.stop()
    agent.launch()
    eventually(lambda: "no link" in agent.said(), 20, "it has dialled")
    far.start()
    eventually(agent.is_ready, 10, "linked")
    agent.process.send_signal(signal.SIGINT)
    assert agent.ended(20) == 0


def join(address, data, *options):
    """Runs an agent that is to refuse; gives how it ended."""
    command = [PROGRAM, "node", "--join", address, "--data", str(data), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)
