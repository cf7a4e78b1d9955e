"""Logs as people live with them: history, filters, search, following, and what ends them."""

import re
import textwrap
import threading
import time
import uuid

import pytest
from modal_proto import api_pb2

from conftest import APPS
from harness import wire
from harness.client import Client
from harness.server import ROOT
from harness.waiting import eventually

GUIDE = ROOT / "docs/guide/logs.md"


FIND = """
name = os.environ["TALKER"]
def find(function):
    return modal.Function.from_name(name, function)
"""


def lines(finished):
    return [line.text for line in finished.lines if line.stream == "stdout" and line.text]


class Talker:
    """apps/talker.py, deployed; what it says once for the tests that only read."""

    def __init__(self, client):
        self.client = client
        self.name = f"talker-{uuid.uuid4().hex[:8]}"
        client.modal("deploy", "--name", self.name, APPS / "talker.py", within=120)
        self.started = time.time()
        said = self.sdk(
            """
            say, complain = find("say"), find("complain")
            container = say.remote(["one", "two", "three"])
            call = say.spawn(["four", "five"])
            call.get()
            complain.remote("ouch")
            gone = find("whisper").remote("psst")
            speaker = modal.Cls.from_name(name, "Speaker")(name="ann")
            speaker.speak.remote("hello")
            list(find("chorus").map(["x", "y", "z"]))
            answer({
                "container": container,
                "call": call.object_id,
                "gone": gone,
                "say": say.object_id,
                "complain": complain.object_id,
            })
            """
        )
        self.container, self.call, self.gone = said["container"], said["call"], said["gone"]
        self.say, self.complain = said["say"], said["complain"]
        listed = client.modal("app", "list", "--json").json
        (self.app,) = (
            app["app_id"] for app in listed if app["description"] == self.name
        )

    def logs(self, *options, kind="app", of=None, **more):
        return self.client.modal(kind, "logs", of or self.name, *options, **more)

    def each(self, *several):
        """The outputs of several commands, run at the same time."""
        running = [self.client.start_modal("app", "logs", self.name, *options) for options in several]
        return [each.finish() for each in running]

    def follow(self, *options):
        return self.client.start_modal("app", "logs", "--follow", self.name, *options)

    def start_sdk(self, source):
        """A script that knows the app's `name`, and finds its functions."""
        return self.client.start_sdk(FIND + textwrap.dedent(source), TALKER=self.name)

    def sdk(self, source, within=60):
        return self.client.sdk(FIND + textwrap.dedent(source), within, TALKER=self.name)


@pytest.fixture(scope="module")
def talker(server, tmp_path_factory):
    client = Client(server.variables, tmp_path_factory.mktemp("talker"))
    talking = Talker(client)
    yield talking
    if server.runs:
        client.modal("app", "stop", "--yes", talking.name, succeeds=False)


# ---- history


@pytest.mark.core
def test_the_last_lines_of_an_app_are_read_by_its_name_and_by_its_id(talker):
    """Break: give the oldest lines of a stretch of time where the newest are asked for."""
    first = ["one", "two", "three", "four", "five", "ouch", "calmly: ouch", "psst", "ann says hello"]
    by_name = lines(talker.logs("--until", "0s"))
    assert by_name[: len(first)] == first
    assert lines(talker.logs(of=talker.app))[: len(first)] == first
    assert lines(talker.logs("--tail", 2, "--function", talker.say)) == ["four", "five"]


@pytest.mark.core
def test_each_filter_of_the_command_line_shows_its_lines_only(talker):
    """Break: pass over the filters of AppFetchLogs."""
    shown = {
        ("--source", "stderr"): ["ouch"],
        ("--source", "stdout", "--search", "ouch"): ["calmly: ouch"],
        ("--function", talker.complain): ["ouch", "calmly: ouch"],
        ("--function-call", talker.call): ["four", "five"],
        ("--container", talker.container, "--search", "o"): ["one", "two", "four"],
        ("--source", "system"): [],
        ("--search", "o", "--function", talker.say, "--since", "1h"): ["one", "two", "four"],
    }
    for finished, expected in zip(talker.each(*shown), shown.values(), strict=True):
        assert finished.status == 0 and lines(finished) == expected, finished


def test_lines_are_shown_with_their_times_and_ids(talker):
    """Break: leave the call out of the lines of a container that runs one input at a time."""
    shown = lines(
        talker.logs(
            "--timestamps",
            "--show-function-id",
            "--show-function-call-id",
            "--show-container-id",
            "--function-call",
            talker.call,
        )
    )
    assert len(shown) == 2
    for line, word in zip(shown, ["four", "five"], strict=True):
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line)
        assert line.endswith(f"{talker.say} {talker.call} {talker.container} {word}")


def test_a_stretch_of_time_has_its_lines_only(talker):
    """Break: take `until` as included, or pass over `since`."""
    before, between, after = talker.sdk(
        f"""
        import datetime
        app = modal.App.lookup(name)
        say = find("say")
        say.remote(["early"])
        middle = datetime.datetime.now(datetime.timezone.utc)
        say.remote(["late"])
        start = datetime.datetime.fromtimestamp({talker.started}, datetime.timezone.utc)

        def words(**times):
            return [e.message for e in app.logs.fetch(**times) if e.message in ("early\\n", "late\\n")]

        entry = next(e for e in app.logs.tail(100) if e.message == "late\\n")
        answer([
            words(since=start, until=middle),
            words(since=middle),
            words(since=start, until=entry.timestamp),
        ])
        """
    )
    assert before == ["early\n"]
    assert between == ["late\n"]
    assert after == ["early\n"]


@pytest.mark.core
def test_the_logs_of_a_container_that_is_gone_are_there(talker):
    """Break: forget containers when they end."""
    assert lines(talker.logs(kind="container", of=talker.gone)) == ["psst"]
    assert lines(talker.logs("--all", kind="container", of=talker.gone)) == ["psst"]
    followed = talker.logs("--follow", kind="container", of=talker.gone, within=30)
    assert [line for line in lines(followed) if "psst" in line] == ["psst"]


def test_the_logs_of_a_function_are_those_of_its_variants_too(talker):
    """Break: take the id of a class's function for that of its instances alone."""
    of = f"{talker.name}/Speaker.*"
    assert lines(talker.logs("--all-variants", kind="function", of=of)) == ["ann says hello"]
    assert lines(talker.logs(kind="function", of=of)) == []
    assert lines(talker.logs(kind="function", of=f"{talker.name}/complain")) == ["ouch", "calmly: ouch"]


def test_the_logs_of_a_stopped_app_are_there(client, deploy, script):
    """Break: ask only the machines of which an app that is awake has told."""
    name = deploy(
        """
        import modal
        app = modal.App()

        @app.function()
        def last():
            print("last words")
        """
    )
    client.sdk(f"modal.Function.from_name('{name}', 'last').remote()")
    client.modal("app", "stop", "--yes", name)
    assert lines(client.modal("app", "logs", name)) == ["last words"]
    # The end of a stopped app is all that is to be followed.
    client.modal("app", "logs", "--follow", name, within=30)


def test_many_lines_are_fetched_in_pieces_whole_and_in_order(talker):
    """Break: let the pieces of one fetch overlap by the microsecond in which they meet."""
    numbers = talker.sdk(
        """
        import datetime
        say = find("say")
        start = datetime.datetime.now(datetime.timezone.utc)
        for part in range(3):
            say.remote([f"piece {part * 4000 + i}" for i in range(4000)])
        entries = say.logs.fetch(since=start, search_text="piece ")
        answer([int(entry.message.split()[1]) for entry in entries])
        """,
        within=90,
    )
    assert numbers == list(range(12_000))


# ---- the library


@pytest.mark.core
def test_the_library_reads_the_logs_of_apps_functions_and_calls(talker):
    """Break: leave out FunctionCallGetInfo, by which the stream of a call finds its end."""
    got = talker.sdk(
        """
        import datetime
        app = modal.App.lookup(name)
        say = find("say")
        call = say.spawn(["alpha", "beta", "gamma"], 0.3)
        streamed = [entry.message for entry in call.logs.stream(timeout=30)]
        hour_ago = datetime.datetime.now() - datetime.timedelta(hours=1)
        entry = list(call.logs.tail(1))[0]
        found = modal.FunctionCall.from_id(call.object_id)
        answer({
            "streamed": streamed,
            "fetched": [e.message for e in found.logs.fetch(since=hour_ago)],
            "function": [e.message for e in say.logs.tail(2)],
            "app": [e.message for e in app.logs.tail(2)],
            "searched": [e.message for e in app.logs.fetch(since=hour_ago, search_text="gamma")],
            "source": entry.source,
            "context": entry.context_ids,
            "call": call.object_id,
        })
        """
    )
    assert got["streamed"] == ["alpha\n", "beta\n", "gamma\n"]
    assert got["fetched"] == ["alpha\n", "beta\n", "gamma\n"]
    assert got["function"] == got["app"] == ["beta\n", "gamma\n"]
    assert got["searched"] == ["gamma\n"]
    assert got["source"] == "stdout"
    assert got["context"][0] == f"in-{got['call'][3:]}0"


def test_lines_of_inputs_that_run_together_are_of_their_call_or_of_nobody(talker):
    """Break: give each line to the input that came last."""
    do, re_, of = talker.sdk(
        """
        chorus = find("chorus")
        chorus.remote("warm")
        do, re = chorus.spawn("do"), chorus.spawn("re")
        do.get(), re.get()
        list(chorus.map(["mi", "fa"]))
        of = {e.message.strip(): e.context_ids for e in chorus.logs.tail(20)}
        answer([do.object_id, re.object_id, of])
        """
    )
    assert re_ not in of["before do"] and re_ not in of["after do"]
    assert do not in of["before re"] and do not in of["after re"]
    calls = {of["after mi"][0], of["after fa"][0]}
    assert len(calls) == 1 and calls.pop().startswith("fc-")


# ---- following


@pytest.mark.core
def test_a_deployed_app_is_followed_from_now_on(talker):
    """Break: give a new reader of a deployed app all that is kept."""
    word = f"now-{uuid.uuid4().hex}"
    running = talker.follow("--search", "now-")
    talker.sdk(f"find('say').remote(['{word}'])")
    running.wait_for_line(word, within=15)
    running.kill()


def test_each_filter_holds_for_what_is_followed_too(talker):
    """Break: pass over the filters of AppGetLogs."""
    word = f"only-{uuid.uuid4().hex[:8]}"
    options = [
        ("--source", "stderr"),
        ("--function", talker.complain),
        ("--container", talker.container),
        ("--search", f"calmly: {word}"),
    ]
    following = [talker.follow(*each) for each in options]
    try:
        time.sleep(1)
        talker.sdk(
            f"""
            find("complain").remote("{word}")
            find("say").remote(["{word} said"])
            """
        )
        seen = [f"{word}$", f"calmly: {word}", f"{word} said", f"calmly: {word}"]
        for running, line in zip(following, seen, strict=True):
            running.wait_for_line(line, within=15)
        time.sleep(0.5)
        told = [[line.text for line in each.lines if word in line.text] for each in following]
        assert told == [[word], [word, f"calmly: {word}"], [f"{word} said"], [f"calmly: {word}"]]
    finally:
        for running in following:
            running.kill()


def test_a_reader_that_goes_on_through_another_connection_loses_and_doubles_nothing(server, talker):
    """Break: begin a stream that has a last_entry_id at the next batch of its app's log."""
    call = talker.start_sdk(
        """
        call = find("say").spawn([f"row {i}" for i in range(400)], 0.005)
        answer(call.object_id)
        call.get()
        """
    )
    call_id = eventually(lambda: call.answer_file.exists() and call.answer(), 30, "a call")
    rows, entry_id = [], ""
    for _ in range(60):
        request = api_pb2.AppGetLogsRequest(
            app_id=talker.app, timeout=0.4, last_entry_id=entry_id, function_call_id=call_id
        )
        for batch in batches(server, request):
            entry_id = batch.entry_id or entry_id
            rows += [int(item.data.split()[1]) for item in batch.items if item.data]
        if len(rows) >= 400:
            break
    call.finish()
    assert rows == list(range(400))


def batches(server, request):
    """What a stream of its own connection gives until its end."""
    body = wire.call(server, "AppGetLogs", request, whole=True).body
    while body:
        length = int.from_bytes(body[1:5], "big")
        yield api_pb2.TaskLogsBatch.FromString(body[5 : 5 + length])
        body = body[5 + length :]


# ---- floods


def test_a_container_that_floods_waits_and_another_apps_lines_stay_live(client, deploy, talker):
    """Break: read a container's pipe as fast as it prints, or read logs under the lock of writers."""
    quiet = deploy(
        """
        import time
        import modal
        app = modal.App()

        @app.function()
        def tick(times):
            for i in range(times):
                print("tick", time.time())
                time.sleep(0.1)
        """
    )
    run = f"modal.Function.from_name('{quiet}', 'tick').remote"
    following = client.start_modal("app", "logs", "--follow", quiet)
    client.sdk(f"{run}(1)")
    following.wait_for_line("^tick")
    flood = talker.start_sdk("answer(find('flood').remote(5))")
    searching = threading.Thread(
        target=lambda: talker.logs("--search", "not there", "--tail", 5, within=60)
    )
    time.sleep(1)
    searching.start()
    offset = time.time() - time.monotonic()
    client.sdk(f"{run}(25)")

    def ticks():
        return [line for line in list(following.lines) if line.text.startswith("tick")][1:]

    eventually(lambda: len(ticks()) == 25, 10, "the follower has all lines")
    late = [line.at + offset - float(line.text.split()[1]) for line in ticks()]
    following.kill()
    searching.join()
    flooded = flood.finish(60)
    assert flooded.status == 0, flooded
    assert sorted(late)[-3] <= 1 and max(late) <= 3, late  # a busy machine may stumble once
    printed = flood.answer()
    assert printed < 5 * 58_000, f"{printed} lines in 5 s: it was not held back"
    last = talker.sdk(
        """
        flood = find("flood")
        answer([int(entry.message.split()[0]) for entry in flood.logs.tail(1000)])
        """
    )
    assert last == list(range(printed - 1000, printed))


def test_a_flood_is_read_whole_and_once_through_connection_after_connection(server, talker):
    """Break: drop lines of a container that prints faster than its follower reads."""
    flood = talker.start_sdk(
        """
        call = find("flood").spawn(1)
        print(call.object_id)
        answer(call.get())
        """
    )
    call_id = flood.wait_for_line("fc-.*").group(0)
    # A line that its program leaves unfinished for a while is given out in pieces.
    pieces, lines, entry_id, connections = [], 0, "", 0
    until = time.monotonic() + 60
    while flood.answer() is None or lines < flood.answer():
        assert time.monotonic() < until, f"{lines} lines of {flood.answer()} in a minute"
        connections += 1
        request = api_pb2.AppGetLogsRequest(
            app_id=talker.app, timeout=0.4, last_entry_id=entry_id, function_call_id=call_id
        )
        for batch in batches(server, request):
            entry_id = batch.entry_id or entry_id
            pieces += [item.data for item in batch.items]
            lines += sum(item.data.count("\n") for item in batch.items)
    flood.finish()
    numbers = [int(line.split()[0]) for line in "".join(pieces).splitlines()]
    assert numbers == list(range(flood.answer()))
    assert connections > 1


# ---- what is not there


def test_what_is_not_there_is_named(talker):
    """Break: answer with no lines where the function, the call or the container is unknown."""
    named = {
        ("--function", "fu-0000000000000000000000"): "complain",
        ("--function", "say", "--follow"): talker.say,
        ("--container", "ta-00000000000000000000000000", "--since", "1h"): "ta-00000000000000",
        ("--container", "ta-00000000000000000000000000", "--follow"): "ta-00000000000000",
        ("--function-call", talker.call[:-4] + "zzzz"): "zzzz",
        ("--function-call", talker.call[:-4] + "zzzz", "--follow"): "zzzz",
        ("--function-call", "fc-" + 44 * "0"): "fc-0000",
    }
    for refused, name in zip(talker.each(*named), named.values(), strict=True):
        assert refused.status == 1 and name in refused.output, refused
    refused = talker.logs(kind="container", of="ta-00000000000000000000000000", succeeds=False)
    assert refused.status == 1 and "ta-000" in refused.output


def test_wrong_requests_for_logs_are_refused_with_a_sentence(server, talker):
    """Break: take an entry_id that is none for the beginning."""
    app = {"app_id": talker.app}
    times = {"since": {"seconds": 2_000}, "until": {"seconds": 1_000}}
    long = {"since": {"seconds": 0}, "until": {"seconds": 36 * 86_400}}
    short = {"since": {"seconds": 1_000}, "until": {"seconds": 2_000}}
    for rpc, request in [
        ("AppGetLogs", api_pb2.AppGetLogsRequest(**app, timeout=1, last_entry_id="here")),
        ("AppFetchLogs", api_pb2.AppFetchLogsRequest(**app, limit=1, **times)),
        ("AppFetchLogs", api_pb2.AppFetchLogsRequest(**app, limit=1, **long)),
        ("AppFetchLogs", api_pb2.AppFetchLogsRequest(**app, limit=20_001, **short)),
        ("AppFetchLogs", api_pb2.AppFetchLogsRequest(**app, limit=1, function_call_id="x", **short)),
        ("AppCountLogs", api_pb2.AppCountLogsRequest(**app, bucket_secs=2, **times)),
        ("AppCountLogs", api_pb2.AppCountLogsRequest(**app, bucket_secs=0, **short)),
    ]:
        answer = wire.call(server, rpc, request)
        assert answer.status == "INVALID_ARGUMENT" and len(answer.message.split()) > 3, answer
    for rpc, request in [
        ("AppFetchLogs", api_pb2.AppFetchLogsRequest(app_id="ap-0000000000000000000000", **short)),
        ("AppGetLogs", api_pb2.AppGetLogsRequest(app_id="ap-0000000000000000000000", timeout=1)),
        ("TaskGetInfo", api_pb2.TaskGetInfoRequest(task_id="ta-00000000000000000000000000")),
    ]:
        answer = wire.call(server, rpc, request)
        assert answer.status == "NOT_FOUND" and "00000" in answer.message, answer


# ---- what a server that was killed has


def test_logs_are_there_after_a_kill_of_the_server(server, talker):
    """Break: look only for lines of containers that run."""
    before = lines(talker.logs("--function", talker.complain))
    server.restart()
    assert lines(talker.logs("--function", talker.complain)) == before != []
    assert lines(talker.logs(kind="container", of=talker.gone)) == ["psst"]
    talker.logs("--follow", kind="container", of=talker.gone, within=30)
    word = f"anew-{uuid.uuid4().hex}"
    running = talker.follow("--search", "anew-")
    talker.sdk(f"find('say').remote(['{word}'])")
    running.wait_for_line(word, within=20)
    running.kill()


# ---- the guide


def test_the_snippets_of_the_guide_run_as_they_stand(client, tmp_path):
    """Break: answer UNIMPLEMENTED to one of the RPCs behind the guide's commands."""
    blocks = re.findall(r"^```(python|console) ?(\S*)\n(.*?)^```", GUIDE.read_text(), re.M | re.S)
    assert len(blocks) >= 4
    known = {}
    for kind, name, text in blocks:
        for placeholder, value in known.items():
            text = text.replace(placeholder, value)
        if kind == "python" and name:
            (tmp_path / name).write_text(text)
        elif kind == "python":
            client.sdk(text)
        else:
            known |= run(client, text)
    client.modal("app", "stop", "--yes", "bakery")


def run(client, text):
    """Runs each command of a block and looks for what the guide shows of it."""
    commands = re.split(r"^\$ ", text, flags=re.M)[1:]
    started = []
    for command in commands:
        line, _, shown = command.partition("\n")
        words = line.split("#")[0].split()
        assert words[0] == "modal", line
        if "-f" in words:
            running = client.start_modal(*words[1:])
            client.sdk("modal.Function.from_name('bakery', 'bake').remote('rye', 1)")
            running.wait_for_line("rye", within=30)
            running.kill()
            continue
        started.append((client.start_modal(*words[1:]), shown))
    for running, shown in started:
        finished = running.finish(120)
        assert finished.status == 0, finished
        for expected in filter(None, map(str.strip, shown.splitlines())):
            assert expected in finished.output, finished
    listed = client.modal("container", "list", "--json").json
    mine = [each["container_id"] for each in listed if each["app_name"] == "bakery"]
    return {"ta-CONTAINER": mine[0]} if mine else {}
