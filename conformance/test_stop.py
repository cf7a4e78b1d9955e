"""How apps of `modal run` end: by Ctrl-C, with their function, or not yet (--detach)."""

import pytest

SLEEPER = """
    import os, time, modal
    app = modal.App("sleeper")
    secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))

    @app.function(secrets=[secret])
    def nap(seconds: int):
        print("asleep")
        time.sleep(seconds)
        return f"slept {seconds}"

    @app.local_entrypoint()
    def main(seconds: int = 600):
        print(nap.remote(seconds))

    @app.local_entrypoint()
    def spawn(seconds: int = 600):
        print(f"call {nap.spawn(seconds).object_id}")
"""


@pytest.fixture
def sleeper(script):
    return script("sleeper.py", SLEEPER)


@pytest.mark.core
def test_ctrl_c_ends_the_app_and_its_containers(client, sleeper, mark, containers):
    """Break: ignore AppClientDisconnect of an ephemeral app."""
    running = client.start_modal("run", f"{sleeper}::main", THE_MARK=mark)
    running.wait_for_line("^asleep$")
    containers.appear()
    running.interrupt()
    finished = running.finish(within=20)
    assert "App aborted" in finished.output
    assert "Timed out waiting" not in finished.output
    containers.vanish(within=10)


def test_an_app_whose_run_has_ended_leaves_no_container(client, sleeper, mark, containers):
    """Break: leave the containers of an ended app to their scale-down window."""
    finished = client.modal("run", f"{sleeper}::main", "--seconds", 1, THE_MARK=mark)
    assert "slept 1" in finished.stdout
    containers.vanish(within=10)


@pytest.mark.core
def test_a_detached_app_goes_on_without_its_client_and_ends_with_its_calls(
    client, sleeper, mark, containers
):
    """Break: let AppClientDisconnect end a detached app."""
    running = client.start_modal("run", "--detach", f"{sleeper}::spawn", "--seconds", 5, THE_MARK=mark)
    call = running.wait_for_line("^call (fc-.*)$").group(1)
    containers.appear()
    running.kill()
    assert client.sdk(f"answer(modal.FunctionCall.from_id('{call}').get())") == "slept 5"
    containers.vanish(within=20)


def test_ctrl_c_leaves_a_detached_app_running(client, sleeper, mark, containers):
    """Break: treat the disconnect reason KEYBOARD_INTERRUPT as an order to stop."""
    running = client.start_modal(
        "run", "--detach", f"{sleeper}::nap", "--seconds", 6, THE_MARK=mark
    )
    running.wait_for_line("^asleep$")
    running.interrupt()
    app = running.wait_for_line("modal app stop (ap-[0-9A-Za-z]{22})").group(1)
    running.finish()
    assert containers.count() == 1
    client.modal("app", "stop", "--yes", app)
    containers.vanish(within=10)
