"""Lists, and the small commands that a user types every day: containers, apps, secrets, environments."""

import uuid

import pytest
from modal_proto import api_pb2

from harness.client import Client
from harness.waiting import eventually
from harness.wire import call

HISTORY = """
    import modal
    app = modal.App("history")
    stay = dict(scaledown_window=60, max_containers=2)

    @app.function(**stay)
    def version():
        return {number}

    @app.function(**stay)
    def task():
        import os
        return os.environ["MODAL_TASK_ID"]

    @app.cls(**stay)
    class Model:
        start: int = modal.parameter(default=0)

        @modal.method()
        def version(self):
            return {number}
"""

FIRST_ONLY = """

    @app.function(**stay)
    def only_in_the_first():
        return "first"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("listings")


@pytest.fixture(scope="module")
def admin(server, folder):
    """A client for the module's own apps."""
    return Client(server.variables, folder)


@pytest.fixture(scope="module")
def history(admin, folder):
    """An app that was deployed three times, and then went back to the first: v4."""
    import textwrap

    name = f"history-{uuid.uuid4().hex[:8]}"
    path = folder / "history.py"
    for number in (1, 2, 3):
        more = FIRST_ONLY if number == 1 else ""
        path.write_text(textwrap.dedent(HISTORY.format(number=number) + more))
        admin.modal("deploy", "--name", name, "--tag", f"tag-{number}", path)
    yield name
    admin.modal("app", "stop", "--yes", name, succeeds=False)


def listed(client, *command):
    return client.modal(*command, "--json").json


def version(client, name, what="modal.Function.from_name('{}', 'version')"):
    return client.sdk(f"answer({what.format(name)}.remote())")


# ---- containers


@pytest.mark.core
def test_a_container_is_listed_with_its_app_and_the_time_it_started(client, deployed):
    """Break: list the containers of all apps for every app id."""
    app = next(app for app in listed(client, "app", "list") if app["description"] == "shared")["app_id"]
    client.sdk("answer(modal.Function.from_name('shared', 'double').remote(1))")
    of_the_app = listed(client, "container", "list", "--app-id", app)
    assert of_the_app and {row["app_id"] for row in of_the_app} == {app}
    assert {row["app_name"] for row in of_the_app} == {"shared"}
    assert any(row["start_time"] != "Pending" for row in of_the_app)
    everywhere = listed(client, "container", "list")
    assert {row["container_id"] for row in of_the_app} <= {row["container_id"] for row in everywhere}


SLOW = """
    import os, time, modal
    app = modal.App("slow")

    @app.function(scaledown_window=60, timeout=100)
    def slow(seconds, note):
        print(note, flush=True)
        time.sleep(seconds)
        return os.environ["MODAL_TASK_ID"]
"""


@pytest.mark.parametrize("graceful", [True, False])
def test_a_container_that_is_stopped_ends_what_it_runs_or_leaves_it_to_another(
    client, slow, graceful
):
    """Break: let ContainerStop pass over its graceful flag, whichever way."""
    call = client.sdk(f"answer(modal.Function.from_name('{slow}', 'slow').spawn(4, 'begun').object_id)")
    task = eventually(lambda: running(client, slow), 30, "a container runs")
    eventually(lambda: busy(client, slow), 30, "it has its input")
    options = ["--graceful"] if graceful else []
    client.modal("container", "stop", "--yes", *options, task)
    ran_on = client.sdk(f"answer(modal.FunctionCall.from_id('{call}').get())")
    assert (ran_on == task) == graceful
    eventually(lambda: task not in running(client, slow, all=True), 20, "the container is gone")
    again = client.modal("container", "stop", "--yes", task, succeeds=False)
    assert again.status == 1 and "already stopped" in again.output


@pytest.fixture(scope="module")
def slow(admin, folder):
    import textwrap

    name = f"slow-{uuid.uuid4().hex[:8]}"
    path = folder / "slow.py"
    path.write_text(textwrap.dedent(SLOW))
    admin.modal("deploy", "--name", name, path)
    yield name
    admin.modal("app", "stop", "--yes", name, succeeds=False)


def running(client, name, all=False):
    tasks = [
        row["container_id"]
        for row in listed(client, "container", "list")
        if row["app_name"] == name and (all or row["start_time"] != "Pending")
    ]
    return tasks if all else tasks and tasks[0]


def busy(client, name):
    return client.sdk(
        f"""
        stats = modal.Function.from_name('{name}', 'slow').get_current_stats()
        answer(stats.num_running_inputs)
        """
    )
