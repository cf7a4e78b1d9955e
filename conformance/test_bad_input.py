"""What a server is given by mistake or by malice: each has a clear answer."""

import socket
import struct
import threading
import time

import pytest
from modal_proto import api_pb2

from harness import wire

LIMIT = 100 << 20


# ---- of a client


@pytest.mark.core
def test_a_wrong_token_is_an_auth_error(client):
    """Break: let every token through that has a known id."""
    refused = """
        try:
            modal.Function.from_name("shared", "double").remote(1)
        except modal.exception.AuthError as error:
            answer(str(error))
    """
    assert "oken" in client.sdk(refused, MODAL_TOKEN_SECRET="as-wrong")
    assert "oken" in client.sdk(refused, MODAL_TOKEN_ID="ak-wrong")
    listed = client.modal("app", "list", MODAL_TOKEN_SECRET="as-wrong", succeeds=False)
    assert listed.status == 1 and "oken" in listed.output


def test_a_call_without_a_token_is_unauthenticated(server):
    """Break: look at the token only when the body is read."""
    assert wire.call(server, "AppList", token=False).status == "UNAUTHENTICATED"


@pytest.mark.core
def test_an_unknown_app_or_function_is_not_found_by_its_name(client, deployed):
    """Break: answer FunctionGet of a missing name with an empty function."""
    unknown_app, unknown_function = client.sdk(
        """
        said = []
        for app, function in [("no-such-app", "double"), ("shared", "no_such_function")]:
            try:
                modal.Function.from_name(app, function).remote(1)
            except modal.exception.NotFoundError as error:
                said.append(str(error))
        answer(said)
        """
    )
    assert "no-such-app" in unknown_app and "main" in unknown_app
    assert "no_such_function" in unknown_function and "shared" in unknown_function


def test_an_unknown_app_on_the_command_line_is_named(client):
    """Break: answer AppGetByDeploymentName of a missing name with NOT_FOUND of an empty name."""
    finished = client.modal("app", "stop", "--yes", "no-such-app", succeeds=False)
    assert finished.status == 1 and "no-such-app" in finished.output


def test_an_unknown_environment_is_named(client, deployed):
    """Break: take an unknown environment for the default one."""
    said = client.sdk(
        """
        try:
            modal.Function.from_name("shared", "double", environment_name="mars").remote(1)
        except modal.exception.NotFoundError as error:
            answer(str(error))
        """
    )
    assert "mars" in said


def test_a_call_that_nobody_knows_is_not_found(client, deployed):
    """Break: hold FunctionGetOutputs of an unknown call for its whole timeout."""
    said = client.sdk(
        """
        call = modal.Function.from_name("shared", "double").spawn(1)
        call.get()
        known = call.object_id
        said = []
        for unknown in ("fc-nonsense", known[:-4] + ("AAAA" if known[-4:] != "AAAA" else "BBBB")):
            try:
                modal.FunctionCall.from_id(unknown).get(timeout=20)
            except Exception as error:
                said.append(type(error).__name__)
        answer(said)
        """
    )
    assert said in (["NotFoundError", "NotFoundError"], ["InvalidError", "NotFoundError"])


@pytest.mark.core
def test_a_gpu_that_no_machine_has_is_named_at_once_and_waited_for(client, script):
    """Break: let a wish that no machine can grant wait without a word."""
    app = script(
        "gpu.py",
        """
        import modal
        app = modal.App("gpu")

        @app.function(gpu="H200:8")
        def work():
            pass

        @app.local_entrypoint()
        def main():
            work.remote()
        """,
    )
    running = client.start_modal("run", app)
    running.wait_for_line("H200", within=15)
    running.interrupt()
    assert "App aborted" in running.finish().output


@pytest.mark.parametrize(
    "feature, named",
    [
        ("@app.function(schedule=modal.Period(days=1))", "schedule"),
        ("@app.function(volumes={'/v': modal.Volume.ephemeral_of_this_test})", "volume"),
        ("@app.function()\n@modal.fastapi_endpoint()", "web endpoints"),
        ("@app.function(is_generator=True)", "generators"),
    ],
    ids=["schedule", "volume", "web", "generator"],
)
def test_a_feature_that_is_not_served_is_refused_by_name(client, script, feature, named):
    """Break: create a function without the part of it that is not served."""
    feature = feature.replace(
        "modal.Volume.ephemeral_of_this_test", "modal.Volume.from_name('v', create_if_missing=True)"
    )
    app = script("feature.py", f'import modal\napp = modal.App("feature")\n\n{feature}\ndef work():\n    pass\n')
    finished = client.modal("deploy", app, succeeds=False)
    assert finished.status == 1
    assert named in finished.output.lower() and "Troupe does not serve" in finished.output, finished


# ---- on the wire


@pytest.mark.core
def test_a_malformed_message_is_an_invalid_argument(server):
    """Break: answer a message that can't be parsed as a bug of the server."""
    for garbage in (b"\xff\xff\xff\xff", b"\x0a\x7fshort", b"\x0b"):
        answer = wire.call(server, "FunctionMap", garbage)
        assert answer.status == "INVALID_ARGUMENT", answer
        assert "FunctionMap" in answer.message or "malformed" in answer.message


def test_an_incomplete_or_overlong_request_is_an_invalid_argument(server):
    """Break: take what there is of a message that broke off."""
    broken = wire.Call(server, "AppList").send(struct.pack(">BI", 0, 10) + b"abc", end=True).answer()
    assert broken.status == "INVALID_ARGUMENT"
    double = wire.Call(server, "AppList").send(struct.pack(">BI", 0, 0) * 2, end=True).answer()
    assert double.status == "INVALID_ARGUMENT"


def test_an_unknown_rpc_is_unimplemented(server):
    """Break: answer an unknown path with 404."""
    assert wire.call(server, "NoSuchRpc").status == "UNIMPLEMENTED"
    assert wire.call(server, "", path="/other.Service/Method").status == "UNIMPLEMENTED"


@pytest.mark.core
def test_a_message_over_the_limit_is_refused_with_the_limit(server):
    """Break: read a request before its length is looked at."""
    answer = wire.call(server, "FunctionPutInputs", bytes(LIMIT + 1))
    assert answer.status == "RESOURCE_EXHAUSTED"
    assert "100 MiB" in answer.message and answer.retry_after is None


def test_a_stranger_who_announces_two_gibibytes_is_refused_at_once(server):
    """Break: reserve room for a request before its token is looked at."""
    call = wire.Call(server, "FunctionPutInputs", token=False, within=5)
    assert call.send(struct.pack(">BI", 0, 2**31 - 1)).answer().status == "UNAUTHENTICATED"


def test_a_compressed_message_is_refused_with_a_sentence(server):
    """Break: parse a message whose prefix says that it is compressed."""
    answer = wire.Call(server, "AppList").send(struct.pack(">BI", 1, 3) + b"abc", end=True).answer()
    assert answer.status == "UNIMPLEMENTED" and "compressed" in answer.message


@pytest.mark.timeout(240)
def test_a_thousand_connections_and_twenty_big_senders_leave_the_others_served(
    server, client, deployed
):
    """Break: read every request into memory as it comes, without admission."""
    process = server.process.pid
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(500)]
    waiting = [
        wire.Call(server, "FunctionPutInputs").send(struct.pack(">BI", 0, 1000)) for _ in range(480)
    ]
    payload, answers = bytes(98 << 20), []
    request = api_pb2.FunctionPutInputsRequest(function_id="fu-nobody").SerializeToString()
    request += b"\xfa\xff\x03" + _varint(len(payload))  # an unknown field that holds the payload

    def send():
        big = wire.Call(server, "FunctionPutInputs", within=120)
        big.send(struct.pack(">BI", 0, len(request) + len(payload)) + request)
        answers.append(big.send(payload, end=True).answer())

    senders = [threading.Thread(target=send) for _ in range(20)]
    for sender in senders:
        sender.start()
    slowest = client.sdk(
        """
        import time
        double, took = modal.Function.from_name("shared", "double"), []
        for n in range(20):
            began = time.monotonic()
            assert double.remote(n) == 2 * n
            took.append(time.monotonic() - began)
        answer(max(took))
        """,
        within=120,
    )
    for sender in senders:
        sender.join(120)
    for connection in [*silent, *waiting]:
        connection.close()
    assert server.runs and server.process.pid == process
    assert len(answers) == 20 and slowest < 20
    for answer in answers:
        overloaded = answer.status == "RESOURCE_EXHAUSTED" and answer.retry_after
        assert overloaded or answer.status in ("NOT_FOUND", "INVALID_ARGUMENT"), answer
    assert wire.call(server, "AppList").status == "OK"


def _varint(number):
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


def test_a_connection_that_is_no_http_is_closed_and_the_next_is_served(server):
    """Break: let a broken connection take its listener down."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n" * 10)
        began = time.monotonic()
        while connection.recv(1024):
            assert time.monotonic() - began < 10
    assert wire.call(server, "AppList").status == "OK"


# ---- of a container


@pytest.mark.core
def test_a_container_does_nothing_in_the_name_of_its_user(client, deployed, deploy):
    """Break: take the caller's token from the headers of a container's call."""
    name = deploy(
        """
        import os, modal
        app = modal.App("intruder")

        @app.function()
        async def intrude(headers, app_id):
            from grpclib import GRPCError
            from grpclib.client import Channel
            from modal_proto import api_grpc, api_pb2
            channel = Channel(path=os.environ["MODAL_SERVER_URL"].removeprefix("unix://"))
            stub = api_grpc.ModalClientStub(channel)
            tried = {}
            for rpc, request in {
                "AppStop": api_pb2.AppStopRequest(app_id=app_id),
                "AppList": api_pb2.AppListRequest(environment_name="main"),
                "SecretList": api_pb2.SecretListRequest(environment_name="main"),
                "TaskList": api_pb2.TaskListRequest(environment_name="main"),
            }.items():
                try:
                    await getattr(stub, rpc)(request, metadata=headers)
                    tried[rpc] = "OK"
                except GRPCError as error:
                    tried[rpc] = error.status.name
            channel.close()
            return tried
        """
    )
    tried = client.sdk(
        f"""
        intrude = modal.Function.from_name("{name}", "intrude")
        headers = {{
            "x-modal-token-id": os.environ["MODAL_TOKEN_ID"],
            "x-modal-token-secret": os.environ["MODAL_TOKEN_SECRET"],
            "x-modal-client-type": "1",
        }}
        answer(intrude.remote(headers, modal.App.lookup("shared").app_id))
        """
    )
    assert set(tried.values()) == {"PERMISSION_DENIED"}, tried
    assert client.sdk("answer(modal.Function.from_name('shared', 'double').remote(1))") == 2
