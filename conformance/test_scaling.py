"""How many containers a function has, and what becomes of its inputs when one fails, or of all when their
client dies."""

import textwrap
import time
import uuid

import pytest

from conftest import Containers
from harness.client import Client

MARKED = """
    import os, time, modal
    app = modal.App("scaling")
    secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))
"""

SLEEPER = (
    MARKED
    + """
    @app.function(secrets=[secret])
    def nap():
        print("asleep")
        time.sleep(600)

    @app.local_entrypoint()
    def main():
        nap.remote()
"""
)


@pytest.fixture(scope="module", autouse=True)
def killed(server, tmp_path_factory):
    """The containers of an app whose client was killed, and when; the other tests run meanwhile."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "sleeper.py").write_text(textwrap.dedent(SLEEPER))
    mark = f"MARK={uuid.uuid4().hex}"
    client = Client(server.variables, folder)
    running = client.start_modal("run", folder / "sleeper.py", THE_MARK=mark)
    running.wait_for_line("^asleep$")
    containers = Containers(mark)
    containers.appear()
    running.kill()
    return containers, time.monotonic()


@pytest.mark.core
def test_a_call_scales_from_zero_and_the_idle_container_goes_after_its_window(
    client, deploy, mark, containers
):
    """Break: let an idle container wait a minute, whatever its scaledown_window."""
    name = deploy(
        MARKED
        + """
    @app.function(secrets=[secret], scaledown_window=4)
    def work():
        return 7
    """,
        THE_MARK=mark,
    )
    assert containers.count() == 0, "nothing runs before the first call"
    assert client.sdk(f"answer(modal.Function.from_name('{name}', 'work').remote())") == 7
    assert containers.count() == 1, "it waits for more calls"
    containers.vanish(within=10)


def test_min_containers_run_without_a_call_and_are_replaced(client, deploy, mark, containers):
    """Break: count min_containers only while there are calls."""
    name = deploy(
        MARKED
        + """
    @app.function(secrets=[secret], min_containers=1, scaledown_window=2)
    def end(code):
        os._exit(code)
    """,
        THE_MARK=mark,
    )
    containers.appear(within=20)
    client.sdk(
        f"""
        try:
            modal.Function.from_name('{name}', 'end').remote(3)
        except Exception as error:
            answer(str(error))
        """
    )
    containers.appear(within=20)


def test_max_containers_bounds_how_many_run_at_once(client, script):
    """Break: leave max_containers out of Autoscaler.target."""
    app = script(
        "most.py",
        """
        import os, time, modal
        app = modal.App("most")

        @app.function(max_containers=2)
        def work(n):
            began = time.time()
            time.sleep(0.5)
            return os.environ["MODAL_TASK_ID"], began, time.time()

        @app.local_entrypoint()
        def main():
            runs = list(work.map(range(10)))
            at_once = max(
                len({t for t, began, ended in runs if began <= moment < ended})
                for _, moment, _ in runs
            )
            print("containers", len({task for task, _, _ in runs}), "at once", at_once)
        """,
    )
    assert "containers 2 at once 2" in client.modal("run", app).stdout


def test_one_container_serves_one_input_after_another(client, script):
    """Break: lease a container more inputs than its concurrency."""
    app = script(
        "serial.py",
        """
        import time, modal
        app = modal.App("serial")
        running = 0

        @app.function(max_containers=1)
        def work(n):
            global running
            running += 1
            time.sleep(0.1)
            seen = running
            running -= 1
            return seen

        @app.local_entrypoint()
        def main():
            print("most at once", max(work.map(range(8))))
        """,
    )
    assert "most at once 1" in client.modal("run", app).stdout


@pytest.mark.core
def test_an_input_that_takes_too_long_times_out_and_the_next_is_served(client, script):
    """Break: leave an input that exceeds its timeout running."""
    app = script(
        "late.py",
        """
        import time, modal
        app = modal.App("late")

        @app.function(timeout=2)
        def work(seconds):
            time.sleep(seconds)
            return "in time"

        @app.local_entrypoint()
        def main():
            began = time.time()
            try:
                work.remote(30)
            except modal.exception.FunctionTimeoutError as error:
                print(f"timeout {1 < time.time() - began < 20} {error}")
            print(work.remote(0))
        """,
    )
    output = client.modal("run", app).stdout
    assert "timeout True" in output and "in time" in output


def test_a_container_that_takes_too_long_to_start_fails_the_call(client, script):
    """Break: let a container start for as long as it likes."""
    app = script(
        "sluggish.py",
        """
        import time, modal
        app = modal.App("sluggish")

        @app.cls(startup_timeout=3, timeout=60)
        class Sluggish:
            @modal.enter()
            def begin(self):
                time.sleep(300)

            @modal.method()
            def work(self):
                return 1

        @app.local_entrypoint()
        def main():
            Sluggish().work.remote()
        """,
    )
    finished = client.modal("run", app, succeeds=False)
    assert finished.status == 1
    assert "3 s" in finished.output and "start" in finished.output, finished


@pytest.mark.core
def test_a_container_that_exits_fails_its_input_with_its_exit_code(client, script):
    """Break: run the input of a crashed container again for ever."""
    app = script(
        "crash.py",
        """
        import os, modal
        app = modal.App("crash")

        @app.function()
        def work(code):
            if code:
                os._exit(code)
            return "alive"

        @app.local_entrypoint()
        def main():
            try:
                work.remote(37)
            except Exception as error:
                print(f"caught {error}")
            print(work.remote(0))
        """,
    )
    output = client.modal("run", app, within=30).stdout
    assert "caught Container exited with code 37" in output
    assert "alive" in output, "the function is served by a new container"


def test_a_container_past_its_memory_limit_is_killed_and_says_so(client, script):
    """Break: leave the memory limit out of the container's control group."""
    app = script(
        "hungry.py",
        """
        import modal
        app = modal.App("hungry")

        @app.function(memory=(128, 256))
        def eat(mebibytes):
            return len(bytearray(b"x" * (mebibytes << 20)))

        @app.local_entrypoint()
        def main():
            try:
                eat.remote(1024)
            except Exception as error:
                print(f"caught {error}")
            print(f"ate {eat.remote(8)}")
        """,
    )
    output = client.modal("run", app).stdout
    assert "memory limit of 256 MiB" in output
    assert f"ate {8 << 20}" in output


FAILS_TWICE = """
    import os, modal
    app = modal.App("retries")

    @app.function(max_containers=1)
    def count(key, seen={}):
        seen[key] = seen.get(key, 0) + 1
        return seen[key]

    @app.function(retries=modal.Retries(max_retries=2, initial_delay=0.1, backoff_coefficient=1.0))
    def work(way, fails):
        attempt = count.remote(way)
        if attempt <= fails:
            if way == "exit":
                os._exit(1)
            raise RuntimeError(f"attempt {attempt}")
        return attempt

    @app.local_entrypoint()
    def main(way: str, fails: int):
        try:
            print(f"result {work.remote(way, fails)}")
        except Exception as error:
            print(f"caught {error}")
"""


@pytest.mark.core
@pytest.mark.parametrize("way", ["raise", "exit"])
def test_a_failed_input_is_retried_until_it_succeeds(client, script, way):
    """Break: spend all of an input's retries at its first failure."""
    app = script("retries.py", FAILS_TWICE)
    assert "result 3" in client.modal("run", app, "--way", way, "--fails", 2).stdout


def test_an_input_that_has_no_retries_left_fails_with_its_last_error(client, script):
    """Break: retry once more than retries= says."""
    app = script("retries.py", FAILS_TWICE)
    assert "caught attempt 3" in client.modal("run", app, "--way", "raise", "--fails", 9).stdout


def test_an_input_that_timed_out_is_retried(client, script):
    """Break: take TIMEOUT for final in Verdict."""
    app = script(
        "second.py",
        """
        import time, modal
        app = modal.App("second")

        @app.function(max_containers=1)
        def count(seen=[]):
            seen.append(1)
            return len(seen)

        @app.function(timeout=2, retries=modal.Retries(max_retries=1, initial_delay=0.1))
        def work():
            attempt = count.remote()
            time.sleep(20 if attempt == 1 else 0)
            return attempt

        @app.local_entrypoint()
        def main():
            print(f"result {work.remote()}")
        """,
    )
    assert "result 2" in client.modal("run", app).stdout


def test_many_calls_start_more_containers(client, script):
    """Break: want one container for a function, whatever waits for it."""
    app = script(
        "many.py",
        """
        import os, time, modal
        app = modal.App("many")

        @app.function(max_containers=4)
        def work(n):
            time.sleep(3)
            return os.environ["MODAL_TASK_ID"]

        @app.local_entrypoint()
        def main():
            print("containers", len(set(work.map(range(4)))))
        """,
    )
    assert "containers 4" in client.modal("run", app).stdout


def test_single_use_containers_serve_one_input_each(client, script):
    """Break: lease a second input to a single-use container."""
    app = script(
        "single.py",
        """
        import os, modal
        app = modal.App("single")

        @app.function(single_use_containers=True)
        def work(n):
            return os.environ["MODAL_TASK_ID"]

        @app.local_entrypoint()
        def main():
            print("containers", len({work.remote(n) for n in range(3)}))
        """,
    )
    assert "containers 3" in client.modal("run", app).stdout


@pytest.mark.timeout(180)
def test_a_client_that_is_killed_takes_its_app_with_it_within_a_minute(killed):
    """Break: never end an app for the silence of its client."""
    containers, killed_at = killed
    containers.vanish(within=killed_at + 60 - time.monotonic())
