"""`modal run`: an app that lives as long as its client."""

import re
import time

import pytest


@pytest.mark.core
def test_a_function_runs_in_a_container_and_its_value_comes_back(client, script):
    """Break: put the output of another input into the answer of FunctionGetOutputs."""
    app = script(
        "where.py",
        """
        import os, modal
        app = modal.App("where")

        @app.function()
        def describe(word):
            return {"word": word, "remote": not modal.is_local(), "pid": os.getpid()}

        @app.local_entrypoint()
        def main():
            print(describe.remote("hello"))
            print("here", modal.is_local())
        """,
    )
    finished = client.modal("run", app)
    assert re.search(r"'word': 'hello', 'remote': True", finished.stdout), finished
    assert "here True" in finished.stdout


def test_an_entrypoint_takes_its_arguments_from_the_command_line(client, script):
    """Break: answer FunctionMap with the result of an equal function of an earlier app."""
    app = script(
        "arguments.py",
        """
        import modal
        app = modal.App("arguments")

        @app.function()
        def join(word: str, times: int):
            return " ".join([word] * times)

        @app.local_entrypoint()
        def other():
            print("the wrong one")

        @app.local_entrypoint()
        def entrypoint(word: str, times: int = 1):
            print(join.remote(word, times))
        """,
    )
    assert "ho ho ho" in client.modal("run", f"{app}::entrypoint", "--word", "ho", "--times", 3).stdout


def test_a_function_is_called_straight_from_the_command_line(client, script, tmp_path):
    """Break: give the FunctionMap of a client without an entrypoint no inputs."""
    app = script(
        "straight.py",
        """
        import modal
        app = modal.App("straight")

        @app.function()
        def greet(name: str):
            return f"hello {name}"

        @app.function()
        def leave(name: str):
            return f"goodbye {name}"
        """,
    )
    client.modal("run", "-w", tmp_path / "result", f"{app}::leave", "--name", "Ada")
    assert (tmp_path / "result").read_text() == "goodbye Ada"


def test_functions_of_one_app_call_each_other_in_their_containers(client, script):
    """Break: refuse FunctionMap from a task in Permissions."""
    app = script(
        "chain.py",
        """
        import os, modal
        app = modal.App("chain")

        @app.function()
        def inner(number):
            return number + 1, os.environ["MODAL_TASK_ID"]

        @app.function()
        def outer(number):
            answer, there = inner.remote(number)
            many = [n for n, _ in inner.map(range(3))]
            return answer * 10, many, there != os.environ["MODAL_TASK_ID"]

        @app.local_entrypoint()
        def main():
            print(outer.remote(4))
        """,
    )
    assert "(50, [1, 2, 3], True)" in client.modal("run", app).stdout


@pytest.mark.core
def test_prints_are_shown_live(client, script):
    """Break: send the lines of a container only when it has ended."""
    app = script(
        "live.py",
        """
        import sys, time, modal
        app = modal.App("live")

        @app.function()
        def talk():  # each line says when it was printed
            print("first", time.time())
            print("second", time.time(), file=sys.stderr)
            time.sleep(4)
            print("third", time.time())

        @app.local_entrypoint()
        def main():
            talk.remote()
        """,
    )
    finished = client.modal("run", app)
    offset = time.time() - time.monotonic()
    said = [(re.fullmatch(r"(first|second|third) ([\d.]+)", each.text), each.at) for each in finished.lines]
    late = {match[1]: at + offset - float(match[2]) for match, at in said if match}
    assert sorted(late) == ["first", "second", "third"]
    assert max(late.values()) < 3, "each line comes when it is printed"


def test_lines_of_two_containers_are_never_mixed(client, script):
    """Break: hand on what the pipe gives without waiting for the end of a line."""
    app = script(
        "lines.py",
        """
        import sys, time, modal
        app = modal.App("lines")

        @app.function(max_containers=2)
        def recite(who):
            for n in range(300):
                for part in f"<{who} says {n}>\\n".partition("says"):
                    sys.stdout.write(part)
                    sys.stdout.flush()
                    time.sleep(0.005)  # for the other to speak

        @app.local_entrypoint()
        def main():
            list(recite.map("ab"))
        """,
    )
    said = [line for line in client.modal("run", app).stdout.splitlines() if "says" in line]
    assert sorted(said) == sorted(f"<{who} says {n}>" for who in "ab" for n in range(300))
    for who in "ab":
        mine = [line for line in said if line.startswith(f"<{who}")]
        assert mine == [f"<{who} says {n}>" for n in range(300)], "in the order they were printed"


def test_what_containers_print_one_after_another_is_shown_once(client, script):
    """Break: read a machine's lines from their start when a next container begins there."""
    app = script(
        "turns.py",
        """
        import time, modal
        app = modal.App("turns")

        @app.function(single_use_containers=True)
        def say(word):
            print(word)

        @app.local_entrypoint()
        def main():
            for word in ("first", "second", "third"):
                say.remote(word)
                time.sleep(1)  # the container ends, and with it what is to be read
        """,
    )
    said = client.modal("run", app).stdout.splitlines()
    assert [line for line in said if line in ("first", "second", "third")] == ["first", "second", "third"]


def test_the_last_words_of_a_container_are_shown(client, script):
    """Break: end the logs of an app when it begins to end, not when its containers have."""
    app = script(
        "last.py",
        """
        import atexit, time, modal
        app = modal.App("last")

        def end():
            time.sleep(1)  # whoever does not wait for the container is gone by then
            print("the very last words")

        @app.function()
        def work():
            atexit.register(end)

        @app.local_entrypoint()
        def main():
            work.remote()
        """,
    )
    finished = client.modal("run", app)
    assert "the very last words" in finished.stdout
    assert "Timed out waiting" not in finished.output


@pytest.mark.core
def test_values_of_many_kinds_come_back_as_they_were(client, deployed):
    """Break: hand out a result's bytes as text."""
    values = client.sdk(
        """
        import datetime, decimal
        echo = modal.Function.from_name("shared", "echo")
        values = [None, 0, -1.5, "ä€😀", b"\\x00\\xff", [1, (2, 3)], {"k": {4}}, 10**40,
                  datetime.date(2026, 1, 2), decimal.Decimal("1.10")]
        answer([echo.remote(value) == value for value in values])
        """
    )
    assert values == [True] * 10
