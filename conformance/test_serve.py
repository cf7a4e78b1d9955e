"""`modal serve`: a reload on a file change, and the end by Ctrl-C."""

import pytest

from harness.guide import blocks
from harness.waiting import eventually


@pytest.mark.timeout(120)
def test_a_served_app_runs_new_code_after_an_edit_and_ends_with_ctrl_c(client, script):
    """Break: let AppPublish without a state leave its functions as they were."""
    (source,) = (text for _, name, text in blocks("containers.md") if name == "edition.py")
    file = script("edition.py", source)
    serving = client.start_modal("serve", file)
    app = serving.wait_for_line("apps/(ap-[0-9A-Za-z]{22})").group(1)
    serving.wait_for_line("Watching")
    served = client.modal("app", "info", app, "--json").json
    edition = f"edition = modal.Function.from_id('{served['functions']['edition']['id']}')"
    caller = client.start_sdk(f"{edition}\nanswer(edition.spawn(3).get())")
    serving.wait_for_line("^edition 1 begins")
    file.write_text(source.replace("edition 1", "edition 2").replace("return 1", "return 2"))
    serving.wait_for_line("^edition 2 ends")
    assert caller.finish(within=20).status == 0
    assert caller.answer() == 2, "what ran on an old container ran again on a new one"
    assert "edition 1 ends" not in serving.output
    assert client.sdk(f"{edition}\nanswer(edition.remote())") == 2
    assert len(containers_of(client, app)) == 1
    serving.interrupt()
    assert "App aborted" in serving.finish(within=20).output
    eventually(lambda: not containers_of(client, app), 10, "its containers are gone")
    assert client.modal("app", "info", app, "--json").json["lifecycle"]["state"] == "stopped"


def containers_of(client, app):
    listed = client.modal("container", "list", "--json").json
    return [each["container_id"] for each in listed if each["app_id"] == app]
