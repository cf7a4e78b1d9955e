"""The wire contract: our .proto files beside the descriptor in the installed client."""

import re
from importlib.metadata import version

import pytest
from google.protobuf import descriptor_pb2
from modal_proto import api_pb2

from harness import wire
from harness.server import ROOT

DESCRIPTORS = ROOT / "protocol/target/generated-resources/protobuf/descriptor-sets"
COVERAGE = ROOT / "docs/wire-coverage.md"


def messages(file):
    """All messages and enums of a file by their full names."""

    def inside(prefix, message):
        yield f"{prefix}{message.name}", message
        for nested in message.nested_type:
            yield from inside(f"{prefix}{message.name}.", nested)
        for enum in message.enum_type:
            yield f"{prefix}{message.name}.{enum.name}", enum

    for message in file.message_type:
        yield from inside("", message)
    for enum in file.enum_type:
        yield enum.name, enum


def theirs():
    file = descriptor_pb2.FileDescriptorProto()
    api_pb2.DESCRIPTOR.CopyToProto(file)
    return dict(messages(file))


def ours():
    (stored,) = DESCRIPTORS.glob("*.protobin")
    files = descriptor_pb2.FileDescriptorSet.FromString(stored.read_bytes()).file
    return {
        name: declared
        for file in files
        if file.package == "modal.client"
        for name, declared in messages(file)
    }


def shape(field):
    """What of a field is on the wire."""
    return field.number, field.type, field.label, field.type_name.rpartition(".")[2]


# The client our files were written from: it has all that they declare, older ones have a part.
WRITTEN_FROM = (1, 6, 4)


@pytest.mark.core
def test_every_field_we_declare_is_the_clients():
    """Break: give a field of functions.proto the number of its neighbour."""
    client = tuple(map(int, re.findall(r"\d+", version("modal"))[:3]))
    known, missing, differences = theirs(), [], []
    for name, declared in ours().items():
        if name not in known:
            missing.append(name)
        elif isinstance(declared, descriptor_pb2.EnumDescriptorProto):
            numbers = {value.number: value.name for value in known[name].value}
            for value in declared.value:
                if value.number not in numbers:
                    missing.append(f"{name}.{value.name}")
                elif not same_name(numbers[value.number], value.name):
                    differences.append(f"{name} {value.number} is {numbers[value.number]}")
        else:
            fields = {field.number: field for field in known[name].field}
            for field in declared.field:
                if field.number not in fields:
                    missing.append(f"{name}.{field.name}")
                elif shape(fields[field.number]) != shape(field):
                    differences.append(f"{name}.{field.name} is {shape(fields[field.number])}")
    assert not differences, "\n".join(differences)
    assert not missing or client < WRITTEN_FROM, "\n".join(missing)


def same_name(known, declared):
    """Names are not on the wire; a few of ours differ where two would clash in Java."""
    return known is not None and known.strip("_").lower() == declared.strip("_").lower()


@pytest.mark.core
def test_a_field_that_is_not_declared_reaches_the_container(client, script):
    """Break: build ContainerArguments from a Function that was parsed and written again by field."""
    app = script(
        "echo_app.py",
        """
        import os, modal
        app = modal.App("echo")

        @app.function()
        def look():
            from modal_proto import api_pb2
            with open(os.environ["MODAL_CONTAINER_ARGUMENTS_PATH"], "rb") as file:
                arguments = api_pb2.ContainerArguments.FromString(file.read())
            return b"from the future" in arguments.function_def.SerializeToString()
        """,
    )
    answers = client.sdk(
        f"""
        import sys
        sys.path.insert(0, {str(app.parent)!r})
        from grpclib.encoding.proto import ProtoCodec
        from modal_proto import api_pb2

        encode = ProtoCodec.encode
        echoed = []

        def with_a_new_field(self, message, message_type):
            if isinstance(message, api_pb2.FunctionCreateRequest):
                text = b"from the future"
                field = bytes([0x92, 0xA0, 0x02, len(text)]) + text  # number 4610, length-delimited
                message.function.MergeFromString(field)
            return encode(self, message, message_type)

        ProtoCodec.encode = with_a_new_field
        from echo_app import app, look
        with app.run():
            answer(look.remote())
        """
    )
    assert answers is True


def rpcs():
    """Name and kind of every RPC of the client's service."""
    file = descriptor_pb2.FileDescriptorProto()
    api_pb2.DESCRIPTOR.CopyToProto(file)
    (service,) = (service for service in file.service if service.name == "ModalClient")
    return {method.name: method for method in service.method}


# Held on purpose until something happens, for an empty request too.
HELD = {"ContainerHeartbeat", "FunctionGetInputs"}


def test_every_rpc_is_served_or_refused_with_a_sentence(server):
    """Break: let a service throw where an empty request leaves an id out."""
    wrong = []
    for name, method in rpcs().items():
        if name in HELD or method.client_streaming:
            continue
        try:
            answer = wire.call(server, name, within=5)
        except TimeoutError:
            continue  # a long poll that was taken
        if answer.status in ("INTERNAL", "UNKNOWN", "RESET") or answer.status.startswith("HTTP"):
            wrong.append(f"{name}: {answer}")
        if answer.status == "UNIMPLEMENTED" and len(answer.message.split()) < 5:
            wrong.append(f"{name} says only {answer.message!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.core
def test_the_table_of_rpcs_says_what_the_server_does(server):
    """Break: leave an RPC out of the generated docs/wire-coverage.md."""
    table = dict(re.findall(r"^\| `(\w+)` \| (served|UNIMPLEMENTED)", COVERAGE.read_text(), re.M))
    known = rpcs()
    # The table is that of the newest client; an older one also has RPCs that are gone since.
    newest = "FunctionGetById" in known
    wrong = []
    for name, method in known.items():
        if name not in table and newest:
            wrong.append(f"{name} is missing")
        elif table.get(name, "UNIMPLEMENTED") == "UNIMPLEMENTED" and not method.client_streaming:
            answer = wire.call(server, name, within=20)
            if answer.status != "UNIMPLEMENTED":
                wrong.append(f"{name} is said to be UNIMPLEMENTED and answers {answer.status}")
    assert not wrong, "\n".join(wrong)
