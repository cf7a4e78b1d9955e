"""A machine that has joined and then does what it may not: the words of NodeLink by hand."""

import asyncio
import http.client
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

from grpclib.client import Channel
from grpclib.const import Cardinality
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.encoding.base import CodecBase


class Bytes(CodecBase):
    """Messages as they are."""

    __content_subtype__ = "proto"

    def encode(self, message, message_type):
        return message

    def decode(self, data, message_type):
        return data


def field(number, value):
    """A protobuf field: text, bytes, or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value):
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def hello(machine, *containers):
    """FromMachine.hello, with these reports of containers."""
    report = field(1, 1) + field(2, machine) + field(4, field(1, 0)) + field(6, "http://127.0.0.1:1")
    return field(1, report + b"".join(field(5, container) for container in containers))


def container(task, function, app):
    """A ContainerReport of a running container."""
    return field(1, task) + field(2, function) + field(3, app) + field(4, 2)


def door_call(number, task, method, request=b""):
    """FromMachine.door_call."""
    return field(4, field(1, number) + field(2, task) + field(3, method) + field(4, request))


class Rogue:
    """A machine that joins a server, and a connection to it that says what it likes."""

    def __init__(self, server, name):
        self.port = server.port + 1
        self.name = name
        self.folder = Path(tempfile.mkdtemp())

    def join(self, token):
        """Asks for a certificate; gives status and text of the answer."""
        key, request = self.folder / "key.pem", self.folder / "request.pem"
        made = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        if not key.exists():
            command = [*made, "-keyout", key, "-subj", f"/CN={self.name}", "-out", request]
            subprocess.run(command, check=True, capture_output=True)
        status, text = self.http("POST", "/_troupe/join", request.read_bytes(), {"x-troupe-join-token": token})
        if status == 200:
            (self.folder / "chain.pem").write_text(text)
        return status, text

    def tls(self):
        """TLS with what certificate there is; the server is not looked at."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if (self.folder / "chain.pem").exists():
            context.load_cert_chain(self.folder / "chain.pem", self.folder / "key.pem")
        return context

    def http(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls(), timeout=20)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def link(self, *messages, seconds=1.5):
        """Says these over a link; gives all that came in that time, and the sentence of its end."""
        return asyncio.run(self._link(messages, seconds))

    async def _link(self, messages, seconds):
        context = self.tls()
        context.set_alpn_protocols(["h2"])
        channel = Channel("127.0.0.1", self.port, ssl=context, codec=Bytes())
        heard, end = [], ""
        path = "/troupe.link.NodeLink/Connect"
        try:
            async with channel.request(path, Cardinality.STREAM_STREAM, bytes, bytes) as stream:
                for message in messages:
                    await stream.send_message(message)
                while True:
                    try:
                        word = await asyncio.wait_for(stream.recv_message(), seconds)
                    except asyncio.TimeoutError:
                        await stream.cancel()
                        break
                    if word is None:
                        await stream.end()
                        break
                    heard.append(word)
        except GRPCError as refused:
            end = refused.message
        except StreamTerminatedError as broken:
            end = str(broken)
        finally:
            channel.close()
        return heard, end


def plain_link_is_refused(port):
    """Whether the port of clients takes no links of machines."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST /troupe.link.NodeLink/Connect HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        return b" 404 " in connection.recv(200)
