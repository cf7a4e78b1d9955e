"""Calls below the client: bytes of our own choice on the server's public port."""

import base64
import socket
import struct
from dataclasses import dataclass
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from modal_proto import api_pb2

CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE "
    "DATA_LOSS UNAUTHENTICATED"
).split()


@dataclass
class Answer:
    """How a call ended. `status` is a name of gRPC, or "HTTP 404", or "RESET"."""

    status: str
    message: str = ""
    body: bytes = b""
    retry_after: float | None = None


class Call:
    """One call on a connection of its own, sent piece by piece."""

    def __init__(self, server, rpc, token=True, path=None, key=None, within=30):
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.settimeout(within)
        self.connection = H2Connection(H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()
        variables = server.variables
        secret = [
            ("x-modal-token-id", variables["MODAL_TOKEN_ID"]),
            ("x-modal-token-secret", variables["MODAL_TOKEN_SECRET"]),
        ]
        self.connection.send_headers(
            1,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", path or f"/modal.client.ModalClient/{rpc}"),
                (":authority", f"127.0.0.1:{server.port}"),
                ("te", "trailers"),
                ("content-type", "application/grpc+proto"),
                ("x-modal-client-version", "1.6.4"),
                ("x-modal-client-type", "1"),
                *(secret if token else []),
                *([("x-idempotency-key", key)] if key else []),
            ],
        )
        self.headers = {}
        self.body = bytearray()
        self.over = False
        self.was_reset = False
        self._flush()

    def send(self, data, end=False):
        """Sends what the peer's windows allow, waiting for them; stops when the answer is there."""
        data = memoryview(data)
        while data and not self.over:
            window = min(
                self.connection.local_flow_control_window(1),
                self.connection.max_outbound_frame_size,
            )
            if window == 0:
                self._receive()
                continue
            self.connection.send_data(1, data[:window].tobytes())
            data = data[window:]
            self._flush()
        if end and not self.over:
            self.connection.end_stream(1)
            self._flush()
        return self

    def send_message(self, message, end=True):
        """Sends a whole message, with its prefix."""
        self.send(struct.pack(">BI", 0, len(message)))
        return self.send(message, end)

    def answer(self, whole=False):
        """Waits for the answer; its body is the one message, or all of them with their prefixes."""
        with self.socket:
            while not self.over:
                self._receive()
        status = self.headers.get("grpc-status")
        if status is None:
            return Answer("RESET" if self.was_reset else f"HTTP {self.headers.get(':status')}")
        return Answer(
            CODES[int(status)],
            unquote(self.headers.get("grpc-message", "")),
            bytes(self.body if whole else self.body[5:]),
            _retry_after(self.headers.get("grpc-status-details-bin")),
        )

    def close(self):
        self.socket.close()

    def _flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def _receive(self):
        data = self.socket.recv(1 << 16)
        if not data:
            self.over = self.was_reset = True
            return
        for event in self.connection.receive_data(data):
            if isinstance(event, ResponseReceived | TrailersReceived):
                self.headers.update(dict(event.headers))
            elif isinstance(event, DataReceived):
                self.body += event.data
                self.connection.acknowledge_received_data(event.flow_controlled_length, 1)
            if isinstance(event, StreamReset):
                self.was_reset = "grpc-status" not in self.headers
            if isinstance(event, StreamEnded | StreamReset):
                self.over = True
        self._flush()


def call(server, rpc, message=b"", whole=False, **options):
    """Sends a message, protobuf or bytes, and waits for the answer."""
    data = message if isinstance(message, bytes) else message.SerializeToString()
    return Call(server, rpc, **options).send_message(data).answer(whole)


def _retry_after(details):
    if details is None:
        return None
    padded = details + "=" * (-len(details) % 4)
    for detail in api_pb2.RPCStatus.FromString(base64.b64decode(padded)).details:
        policy = api_pb2.RPCRetryPolicy()
        if detail.Unpack(policy):
            return policy.retry_after_secs
    return None
