"""`modal deploy`: apps that stay, and who calls them from elsewhere."""

import uuid

import pytest

from harness.waiting import eventually

VERSIONED = """
    import os, modal
    app = modal.App("versioned")

    @app.function(scaledown_window=60)
    def version():
        return {number}
"""


@pytest.mark.core
def test_a_deployed_function_is_called_by_its_name_from_another_process(client, deployed):
    """Break: end a deployed app when its client disconnects."""
    assert client.sdk("answer(modal.Function.from_name('shared', 'double').remote(21))") == 42


@pytest.mark.core
def test_a_second_deployment_replaces_the_first(client, deploy):
    """Break: keep the first version's definition when AppPublish brings another."""
    name = deploy(VERSIONED.format(number=1))
    assert client.sdk(f"answer(modal.Function.from_name('{name}', 'version').remote())") == 1
    deploy(VERSIONED.format(number=2), name=name)
    assert client.sdk(f"answer(modal.Function.from_name('{name}', 'version').remote())") == 2


def test_no_changes_is_said_only_when_it_is_true(client, deploy, script):
    """Break: answer every AppPublish of a known app with deployed_at 0."""
    name = deploy(VERSIONED.format(number=1))
    same = client.modal("deploy", "--name", name, script("deployed.py", VERSIONED.format(number=1)))
    assert "no changes detected" in same.output
    other = client.modal("deploy", "--name", name, script("deployed.py", VERSIONED.format(number=2)))
    assert "App deployed" in other.output and "no changes" not in other.output


def test_a_call_that_runs_while_its_app_is_deployed_anew_ends_with_its_own_result(client, deploy):
    """Break: stop the containers of the old version at AppPublish."""
    source = """
        import time, modal
        app = modal.App("slow")

        @app.function()
        def version(seconds):
            print("running")
            time.sleep(seconds)
            return {number}
    """
    name = deploy(source.format(number=1))
    call = client.sdk(
        f"""
        version = modal.Function.from_name('{name}', 'version')
        version.remote(0)
        answer(version.spawn(5).object_id)
        """
    )
    deploy(source.format(number=2), name=name)
    values = client.sdk(
        f"""
        version = modal.Function.from_name('{name}', 'version')
        answer([version.remote(0), modal.FunctionCall.from_id('{call}').get()])
        """
    )
    assert values == [2, 1]


@pytest.mark.core
def test_a_spawned_calls_result_can_be_had_again_and_again_by_several_readers(client, deployed):
    """Break: forget the result of an asynchronous call when it has been given once."""
    call = client.sdk("answer(modal.Function.from_name('shared', 'produce').spawn(64).object_id)")
    read = f"call = modal.FunctionCall.from_id('{call}')\n"
    read += "answer([call.get().hex() for _ in range(3)])\n"
    readers = [client.start_sdk(read) for _ in range(3)]
    results = set()
    for reader in readers:
        assert reader.finish().status == 0, reader.output
        results.update(reader.answer())
    assert len(results) == 1, "the same at every get"


def test_get_with_a_timeout_says_that_the_call_still_runs(client, deploy):
    """Break: answer an empty FunctionGetOutputs with num_unfinished_inputs 0."""
    name = deploy(
        """
        import time, modal
        app = modal.App("slow")

        @app.function()
        def slow():
            time.sleep(3)
            return "done"
        """
    )
    answers = client.sdk(
        f"""
        call = modal.Function.from_name('{name}', 'slow').spawn()
        try:
            call.get(timeout=0.5)
        except TimeoutError as error:
            answer([type(error).__name__, call.get()])
        """
    )
    assert answers == ["TimeoutError", "done"]


@pytest.mark.core
def test_a_map_from_another_process_gives_all_results_in_order(client, deployed):
    """Break: number the outputs of a map by when they came."""
    numbers = client.sdk(
        "answer(list(modal.Function.from_name('shared', 'double').map(range(500))))"
    )
    assert numbers == [2 * n for n in range(500)]


def test_unordered_results_of_a_map_are_all_there_once(client, deployed):
    """Break: give an output of a map again after the cursor has passed it."""
    numbers = client.sdk(
        """
        double = modal.Function.from_name('shared', 'double')
        answer(list(double.map(range(300), order_outputs=False)))
        """
    )
    assert sorted(numbers) == [2 * n for n in range(300)]


@pytest.mark.core
def test_app_list_shows_what_runs_and_app_stop_ends_it(client, deploy, mark, containers):
    """Break: let AppStop end only ephemeral apps."""
    name = deploy(
        """
        import os, modal
        app = modal.App("stoppable")
        secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))

        @app.function(secrets=[secret], scaledown_window=600)
        def work():
            pass
        """,
        name=f"stoppable-{uuid.uuid4().hex[:8]}",
        THE_MARK=mark,
    )
    client.sdk(f"modal.Function.from_name('{name}', 'work').remote()")
    containers.appear()
    def listed():
        return {app["description"]: app for app in client.modal("app", "list", "--json").json}

    assert listed()[name]["state"] == "deployed"
    # A listing may be some seconds behind in how many containers there are.
    eventually(lambda: listed()[name]["tasks"] == "1", 15, "the container is counted")

    client.modal("app", "stop", "--yes", name)
    containers.vanish(within=15)
    assert listed().get(name, {"state": "stopped"})["state"] == "stopped"
    refused = client.sdk(
        f"""
        try:
            modal.Function.from_name('{name}', 'work').remote()
        except modal.exception.NotFoundError as error:
            answer(str(error))
        """
    )
    assert name in refused


def test_container_list_names_the_container_of_an_app(client, deployed):
    """Break: leave app_description out of TaskList."""
    client.sdk("modal.Function.from_name('shared', 'double').remote(1)")
    listed = client.modal("container", "list", "--json").json
    assert [row for row in listed if row["app_name"] == "shared"], listed


def test_an_argument_too_big_for_one_message_is_mapped_like_any_other(client, deployed):
    """Break: refuse a FunctionPutInputs whose inputs are references to blobs."""
    digests = client.sdk(
        """
        import hashlib
        payloads = [bytes([n]) * (3 << 20) for n in range(4)]
        digest = modal.Function.from_name('shared', 'digest')
        expected = [hashlib.sha256(payload).hexdigest() for payload in payloads]
        answer(list(digest.map(payloads)) == expected)
        """
    )
    assert digests is True
