"""Lists, and the small commands that a user types every day: containers, apps, secrets, environments."""

import re
import textwrap
import uuid

import pytest
from modal_proto import api_pb2

from harness.client import Client
from harness.waiting import eventually
from harness.wire import call

VERSIONED = """
    import os, modal
    app = modal.App("versioned")
    stay = dict(scaledown_window=60, max_containers=1)

    @app.function(**stay)
    def version():
        return {number}

    @app.function(**stay)
    def task():
        return os.environ["MODAL_TASK_ID"]

    @app.cls(**stay)
    class Model:
        @modal.method()
        def version(self):
            return {number}
"""

ONLY_IN_THE_FIRST = """
    @app.function()
    def only_in_the_first():
        return "first"
"""

SLOW = """
    import os, time, modal
    app = modal.App("slow")

    @app.function(scaledown_window=60, max_containers=1)
    def slow(seconds):
        time.sleep(seconds)
        return os.environ["MODAL_TASK_ID"]
"""


def rows(client, *command):
    """What a list holds, by its `--json`."""
    return client.modal(*command, "--json").json


@pytest.fixture(scope="module")
def admin(server, tmp_path_factory):
    """A client with a folder for the apps that the tests of this file share."""
    return Client(server.variables, tmp_path_factory.mktemp("listings"))


@pytest.fixture(scope="module")
def install(admin):
    """Deploys a source text for all tests of this file."""
    names = []

    def install(name, source, *options):
        path = admin.folder / f"{name}.py"
        path.write_text(textwrap.dedent(source))
        admin.modal("deploy", "--name", name, *options, path)
        if name not in names:
            names.append(name)
        return name

    yield install
    for name in names:
        admin.modal("app", "stop", "--yes", name, succeeds=False)


@pytest.fixture(scope="module")
def slow(install):
    return install(f"slow-{uuid.uuid4().hex[:8]}", SLOW)


@pytest.fixture(scope="module")
def versioned(install):
    """An app that was deployed three times."""
    name = f"versioned-{uuid.uuid4().hex[:8]}"
    for number in (1, 2, 3):
        source = VERSIONED.format(number=number) + (ONLY_IN_THE_FIRST if number == 1 else "")
        install(name, source, "--tag", f"tag-{number}")
    return name


# ---- containers


@pytest.mark.core
def test_a_container_is_listed_with_its_app_and_the_time_it_started(client, deployed):
    """Break: give TaskList the containers of every app, whatever its app_id says."""
    client.sdk("answer(modal.Function.from_name('shared', 'double').remote(1))")
    apps = rows(client, "app", "list")
    app = next(row["app_id"] for row in apps if row["description"] == deployed and row["state"] == "deployed")
    of_the_app = rows(client, "container", "list", "--app-id", app)
    assert {(row["app_id"], row["app_name"]) for row in of_the_app} == {(app, deployed)}
    assert any(re.match(r"\d{4}-", row["start_time"]) for row in of_the_app)
    everywhere = {row["container_id"] for row in rows(client, "container", "list")}
    assert {row["container_id"] for row in of_the_app} <= everywhere


@pytest.mark.parametrize("graceful", [True, False])
def test_a_container_that_is_stopped_ends_its_input_or_leaves_it_to_another(client, slow, graceful):
    """Break: take ContainerStop as graceful always, or never."""
    task, call_id, waiting, containers = client.sdk(
        f"""
        import time
        slow = modal.Function.from_name('{slow}', 'slow')
        task = slow.remote(0)
        call = slow.spawn(6)
        while not (stats := slow.get_current_stats()).num_running_inputs:
            time.sleep(0.1)
        answer([task, call.object_id, stats.backlog, stats.num_total_runners])
        """
    )
    assert (waiting, containers) == (0, 1), "by Function.get_current_stats()"
    client.modal("container", "stop", "--yes", task, *(["--graceful"] if graceful else []))
    ran_on = client.sdk(f"answer(modal.FunctionCall.from_id('{call_id}').get())")
    assert (ran_on == task) == graceful
    again = eventually(lambda: refused_as_stopped(client, task), 20, "it is known to have ended")
    assert f"Container '{task}' is already stopped" in again.output


def refused_as_stopped(client, task):
    finished = client.modal("container", "stop", "--yes", task, succeeds=False)
    return finished if finished.status else None


def test_a_container_that_never_was_is_named(client):
    """Break: answer TaskGetInfo of an unknown container with an empty one."""
    finished = client.modal("container", "stop", "--yes", "ta-" + "0" * 26, succeeds=False)
    assert finished.status == 1
    assert f"Container 'ta-{'0' * 26}' is not known" in finished.output


# ---- apps and their versions


@pytest.mark.core
def test_an_app_goes_back_to_an_earlier_version_and_its_history_says_so(client, versioned):
    """Break: leave the latest definitions in force at AppRollback."""
    client.modal("app", "rollback", versioned, "v1")
    values = client.sdk(
        f"""
        answer([
            modal.Function.from_name('{versioned}', 'version').remote(),
            modal.Cls.from_name('{versioned}', 'Model')().version.remote(),
            modal.Function.from_name('{versioned}', 'only_in_the_first').remote(),
        ])
        """
    )
    assert values == [1, 1, "first"]
    history = rows(client, "app", "history", versioned)
    assert [(row["version"], row["tag"]) for row in history] == [
        ("v4", "tag-1"),
        ("v3", "tag-3"),
        ("v2", "tag-2"),
        ("v1", "tag-1"),
    ]
    assert all(row["client"] and row["time_deployed"] and row["deployed_by"] for row in history)

    client.modal("app", "rollback", versioned)
    back = client.sdk(f"answer(modal.Function.from_name('{versioned}', 'version').remote())")
    assert back == 3, "without a version: to the one before"


def test_a_version_that_can_not_be_gone_back_to_is_named(client, versioned, deploy):
    """Break: take an unknown version as the one before."""
    unknown = client.modal("app", "rollback", versioned, "v99", succeeds=False)
    assert unknown.status == 1 and f"App '{versioned}' has no version v99" in unknown.output
    name = deploy(SLOW)
    first = client.modal("app", "rollback", name, succeeds=False)
    assert first.status == 1 and "has no version before v1" in first.output
    client.modal("app", "stop", "--yes", name)
    again = client.modal("app", "stop", "--yes", name, succeeds=False)
    assert again.status == 1 and "App is already stopped. (Stopped at" in again.output


def test_an_app_gets_no_name_that_it_can_not_be_found_by(server):
    """Break: let AppGetOrCreate make apps of any name."""
    for name in ("a b", "", "a/b", "ap-" + "0" * 22, "a" * 65):
        request = api_pb2.AppGetOrCreateRequest(
            app_name=name, object_creation_type=api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING
        )
        answer = call(server, "AppGetOrCreate", request)
        assert answer.status == "INVALID_ARGUMENT" and "can't be the name of an app" in answer.message


def test_the_repeat_of_a_rollback_goes_back_no_further(client, server, versioned):
    """Break: name no request in AppRollback."""
    app = next(row for row in rows(client, "app", "list") if row["description"] == versioned)["app_id"]
    request = api_pb2.AppRollbackRequest(app_id=app, version=-1)
    key = uuid.uuid4().hex
    answers = [call(server, "AppRollback", request, key=key) for _ in range(2)]
    assert [answer.status for answer in answers] == ["OK", "OK"]
    first, second = (api_pb2.AppRollbackResponse.FromString(answer.body) for answer in answers)
    assert first.deployed_at == second.deployed_at > 0


def test_a_rollover_brings_new_containers_of_the_same_code(client, versioned):
    """Break: let AppRollover make a version without new containers."""
    task = f"modal.Function.from_name('{versioned}', 'task').remote()"
    before = client.sdk(f"answer({task})")
    versions = len(rows(client, "app", "history", versioned))
    client.modal("app", "rollover", versioned)
    assert client.sdk(f"answer({task})") != before
    assert len(rows(client, "app", "history", versioned)) == versions + 1


@pytest.mark.skipif("not hasattr(api_pb2, 'AppGetInfoRequest')")
def test_an_app_is_described_with_its_functions_and_who_deployed_it(client, deployed):
    """Break: leave the functions out of AppGetInfo."""
    info = rows(client, "app", "info", deployed)
    assert {"double", "echo"} <= set(info["functions"])
    assert info["functions"]["double"]["id"].startswith("fu-")
    assert info["lifecycle"]["state"] == "deployed" and info["lifecycle"]["version"] >= 1
    assert info["lifecycle"]["deployed_by"] and info["lifecycle"]["created_by"]


@pytest.mark.skipif("not hasattr(api_pb2, 'ObjectSuggestRequest')")
def test_what_a_mistyped_name_may_have_meant_is_suggested(client, deployed):
    """Break: suggest nothing."""
    app = client.modal("app", "history", "sahred", succeeds=False)
    assert "modal app history shared" in app.output
    function = client.modal("function", "info", "shared/duoble", succeeds=False)
    assert "shared/double" in function.output
    far = client.modal("app", "history", "something-else", succeeds=False)
    assert "Did you mean" not in far.output


def test_the_library_lists_apps_and_what_is_in_them(client, deployed):
    """Break: leave the classes out of AppGetLayout."""
    apps, objects, app_id = client.sdk(
        """
        import modal.experimental
        apps = {app.name: app.app_id for app in modal.experimental.list_deployed_apps()}
        objects = sorted(modal.experimental.get_app_objects('shared'))
        answer([apps, objects, modal.App.lookup('shared').app_id])
        """
    )
    assert apps["shared"] == app_id
    assert {"Counter", "double", "echo"} <= set(objects)


# ---- secrets


def test_a_function_whose_secret_was_deleted_says_so(client, deploy):
    """Break: start a container without the secret that is gone."""
    secret = f"secret-{uuid.uuid4().hex[:8]}"
    client.sdk(f"modal.Secret.objects.create('{secret}', {{'ONE': '1'}})")
    name = deploy(
        f"""
        import os, modal
        app = modal.App("keeper")

        @app.function(secrets=[modal.Secret.from_name("{secret}")], single_use_containers=True)
        def one():
            return os.environ["ONE"]
        """
    )
    one = f"modal.Function.from_name('{name}', 'one').remote()"
    assert client.sdk(f"answer({one})") == "1"
    client.modal("secret", "delete", "--yes", secret)
    assert secret not in [row["name"] for row in rows(client, "secret", "list")]
    error = client.sdk(
        f"""
        try:
            {one}
        except Exception as error:
            answer(str(error))
        """
    )
    assert f"Secret '{secret}'" in error and "was deleted" in error


def test_deleting_a_secret_that_is_not_there(client):
    """Break: let SecretDelete's look-up find what was deleted."""
    missing = client.modal("secret", "delete", "--yes", "no-such", succeeds=False)
    assert missing.status == 1
    assert "Secret 'no-such' does not exist in environment 'main'" in missing.output
    client.modal("secret", "delete", "--yes", "--allow-missing", "no-such")


# ---- environments


@pytest.fixture
def environment(client):
    name = f"env-{uuid.uuid4().hex[:8]}"
    client.modal("environment", "create", name)
    yield name
    client.modal("environment", "delete", "--yes", name, succeeds=False)


@pytest.mark.core
def test_an_environment_has_names_of_its_own_and_is_deleted_with_what_is_in_it(
    client, deploy, environment
):
    """Break: look apps up by their name alone; leave the apps of a deleted environment alone."""
    name = deploy(VERSIONED.format(number=1))
    source = client.folder / "deployed.py"
    source.write_text(textwrap.dedent(VERSIONED.format(number=2)))
    client.modal("deploy", "--env", environment, "--name", name, source)
    client.modal("secret", "create", "--env", environment, "the-secret", "ONE=1")
    version = "modal.Function.from_name('{}', 'version', environment_name='{}').remote()"
    here, there = version.format(name, "main"), version.format(name, environment)
    assert client.sdk(f"answer([{here}, {there}])") == [1, 2]
    assert [row["name"] for row in rows(client, "secret", "list", "-e", environment)] == ["the-secret"]
    assert environment in [row["name"] for row in rows(client, "environment", "list")]
    (app,) = rows(client, "app", "list", "--env", environment)
    assert (app["description"], app["state"]) == (name, "deployed")

    client.modal("environment", "delete", "--yes", environment)

    gone = client.modal("app", "list", "--env", environment, succeeds=False)
    assert gone.status == 1 and f"Environment '{environment}' does not exist" in gone.output
    assert client.sdk(f"answer({here})") == 1, "what has the same name elsewhere stays"
    client.modal("environment", "create", environment)
    assert rows(client, "app", "list", "--env", environment) == []
    secret = client.modal("secret", "create", "--env", environment, "the-secret", "ONE=2")
    assert "Created" in secret.output, "the name is free again"


@pytest.mark.core
def test_an_environment_has_what_it_had_under_another_name(client, environment):
    """Break: keep what is in an environment under its name; leave out the names that it had for its containers."""
    new = f"{environment}-new"
    source = client.folder / "asking.py"
    source.write_text(
        textwrap.dedent(
            """
            import os, uuid, modal
            app = modal.App("asking")
            container = uuid.uuid4().hex

            @app.function(secrets=[modal.Secret.from_name("the-secret")])
            def secret():
                return os.environ["ONE"]

            @app.function(scaledown_window=60)
            def ask():
                return container, modal.Function.from_name("asking", "secret").remote()
            """
        )
    )
    client.modal("secret", "create", "--env", environment, "the-secret", "ONE=1")
    client.modal("deploy", "--env", environment, source)
    ask = "modal.Function.from_name('asking', 'ask', environment_name='{}').remote()"
    before = client.sdk(f"answer({ask.format(environment)})")

    client.modal("environment", "update", environment, "--set-name", new)

    after = client.sdk(f"answer({ask.format(new)})")
    assert before == after, "the container that ran before finds what it found"
    (app,) = rows(client, "app", "list", "--env", new)
    assert (app["description"], app["state"]) == ("asking", "deployed")
    assert [row["name"] for row in rows(client, "secret", "list", "-e", new)] == ["the-secret"]
    gone = client.modal("app", "list", "--env", environment, succeeds=False)
    assert gone.status == 1 and f"Environment '{environment}' does not exist" in gone.output
    client.modal("environment", "create", environment)
    assert rows(client, "app", "list", "--env", environment) == []
    taken = client.modal("environment", "update", new, "--set-name", environment, succeeds=False)
    assert taken.status == 1 and "exists already" in taken.output
    client.modal("environment", "delete", "--yes", new)


def test_what_can_not_be_done_to_an_environment_is_said(client, server, environment):
    """Break: delete the default environment like any other."""
    for command, sentence in (
        (["delete", "--yes", "main"], "is the default one and can't be deleted"),
        (["delete", "--yes", "no-such"], "Environment 'no-such' does not exist"),
        (["create", environment], "exists already"),
        (["update", "main", "--set-name", "other"], "is the default one, and keeps its name"),
    ):
        finished = client.modal("environment", *command, succeeds=False)
        assert finished.status == 1 and sentence in finished.output, finished
    illegal = call(server, "EnvironmentCreate", api_pb2.EnvironmentCreateRequest(name="a b"))
    assert illegal.status == "INVALID_ARGUMENT" and "'a b'" in illegal.message


# ---- who and where


def test_profiles_and_the_token_are_shown(client, server):
    """Break: answer WorkspaceNameLookup without a name."""
    config = client.folder / "modal.toml"
    variables = server.variables
    config.write_text(
        f"""
        [mine]
        server_url = "{variables["MODAL_SERVER_URL"]}"
        token_id = "{variables["MODAL_TOKEN_ID"]}"
        token_secret = "{variables["MODAL_TOKEN_SECRET"]}"
        """
    )
    activated = client.modal("profile", "activate", "mine")
    assert "Active environment: main" in activated.output
    (profile,) = rows(client, "profile", "list")
    assert (profile["name"], profile["workspace"], profile["active"]) == ("mine", "troupe", True)
    info = client.modal("token", "info").output
    assert variables["MODAL_TOKEN_ID"] in info and "troupe" in info
