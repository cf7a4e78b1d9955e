"""`modal serve`: a reload on a file change, and the end by Ctrl-C."""

import json
import textwrap

import pytest

SERVED = """
    import os, time, modal
    app = modal.App("served")
    secret = modal.Secret.from_dict(dict([os.environ.get("THE_MARK", "MARK=").split("=")]))

    @app.function(secrets=[secret], scaledown_window=60)
    def edition(seconds: float = 0):
        print("edition {number} begins")
        time.sleep(seconds)
        print("edition {number} ends")
        return {number}
"""


@pytest.mark.core
@pytest.mark.timeout(120)
def test_a_served_app_runs_new_code_after_an_edit_and_ends_with_ctrl_c(
    client, script, mark, containers
):
    """Break: let AppPublish without a state leave its functions as they were."""
    file = script("served.py", SERVED.format(number=1))
    serving = client.start_modal("serve", file, THE_MARK=mark)
    app = serving.wait_for_line("apps/(ap-[0-9A-Za-z]{22})").group(1)
    serving.wait_for_line("Watching")
    info = json.loads(client.modal("app", "info", app, "--json").stdout)
    edition = f"edition = modal.Function.from_id('{info['functions']['edition']['id']}')"
    caller = client.start_sdk(f"{edition}\nanswer(edition.spawn(3).get())")
    serving.wait_for_line("^edition 1 begins")
    file.write_text(textwrap.dedent(SERVED.format(number=2)))
    serving.wait_for_line("^edition 2 ends")
    assert caller.finish(within=20).status == 0
    assert caller.answer() == 2, "what ran on an old container ran again on a new one"
    assert "edition 1 ends" not in serving.output
    assert client.sdk(f"{edition}\nanswer(edition.remote())") == 2
    assert containers.count() == 1
    serving.interrupt()
    assert "App aborted" in serving.finish(within=20).output
    containers.vanish(within=10)
    assert json.loads(client.modal("app", "info", app, "--json").stdout)["lifecycle"]["state"] == "stopped"
