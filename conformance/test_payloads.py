"""Arguments and results of all sizes, and what a container may reach."""

import pytest

from harness.waiting import eventually

SIZES = [3 << 20, 50 << 20]


@pytest.mark.core
def test_a_big_argument_arrives_as_it_was(client, deployed):
    """Break: shorten what is read from the blob store by one byte."""
    arrived = client.sdk(
        f"""
        import hashlib
        digest = modal.Function.from_name("shared", "digest")
        payloads = [os.urandom(size) for size in {SIZES}]
        answer([digest.remote(each) == hashlib.sha256(each).hexdigest() for each in payloads])
        """
    )
    assert arrived == [True] * len(SIZES)


@pytest.mark.core
def test_a_big_result_arrives_as_it_was(client, deployed):
    """Break: sign the links of results with the address of the container's network."""
    arrived = client.sdk(
        f"""
        import hashlib
        produce, digest = (modal.Function.from_name("shared", name) for name in ("produce", "digest"))
        results = [produce.spawn(size).get() for size in {SIZES}]
        there = [digest.remote(result) == hashlib.sha256(result).hexdigest() for result in results]
        answer([len(result) for result in results] + there)
        """
    )
    assert arrived == SIZES + [True] * len(SIZES)


@pytest.mark.core
def test_a_spawned_call_carries_more_than_its_eight_kibibytes(client, deployed):
    """Break: answer BlobGet for the argument of an asynchronous call with NOT_FOUND."""
    came_back = client.sdk(
        """
        echo = modal.Function.from_name("shared", "echo")
        payloads = [os.urandom(size) for size in (9 << 10, 100 << 10, 3 << 20)]
        calls = [echo.spawn(payload) for payload in payloads]
        answer([[call.get() == payload for _ in range(2)] for call, payload in zip(calls, payloads)])
        """
    )
    assert came_back == [[True, True]] * 3


def test_payloads_go_when_nobody_can_ask_for_them_any_more(client, deployed, server):
    """Break: end a sweep before the blobs of the rows that it deleted."""

    def kept():
        return {file.name for file in (server.data / "blobs/payload").rglob("bl-*")}

    before = kept()
    spawned = client.sdk(
        """
        payload = os.urandom(3 << 20)
        call = modal.Function.from_name("shared", "echo").spawn(payload)
        taken = modal.Function.from_name("shared", "echo").remote(payload)
        assert call.get() == payload == taken
        answer(call.object_id)
        """
    )
    eventually(
        lambda: len(kept() - before) == 1,
        60,
        "arguments and the result that was taken deleted, the spawned call's result kept",
    )
    again = f"answer(len(modal.FunctionCall.from_id({spawned!r}).get()))"
    assert client.sdk(again) == 3 << 20


@pytest.mark.core
def test_a_container_without_network_takes_and_gives_big_payloads(client, script):
    """Break: leave 169.254.77.1 out of the network of a blocked container."""
    app = script(
        "blocked.py",
        """
        import hashlib, os, modal
        app = modal.App("blocked")

        @app.function(block_network=True)
        def work(payload, size):
            return hashlib.sha256(payload).hexdigest(), os.urandom(size)

        @app.local_entrypoint()
        def main():
            for size in (3 << 20, 50 << 20):
                payload = os.urandom(size)
                digest, result = work.remote(payload, size)
                print(size, digest == hashlib.sha256(payload).hexdigest(), len(result))
        """,
    )
    output = client.modal("run", app).stdout
    for size in SIZES:
        assert f"{size} True {size}" in output


REACH = """
    import socket, modal
    from concurrent.futures import ThreadPoolExecutor
    app = modal.App("reach")

    def reach(address):
        try:
            with socket.create_connection(tuple(address), timeout=3) as connection:
                connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                return connection.recv(4).decode()
        except OSError as error:
            return type(error).__name__

    def reach_each(addresses):
        with ThreadPoolExecutor() as threads:
            return list(threads.map(reach, addresses))

    @app.function()
    def free(addresses):
        return reach_each(addresses)

    @app.function(block_network=True)
    def blocked(addresses):
        return reach_each(addresses)
"""


@pytest.mark.core
def test_block_network_leaves_no_way_out_and_the_default_does(client, deploy, server, outside):
    """Break: give a blocked container the default route of the others."""
    name = deploy(REACH)
    free, blocked = client.sdk(
        f"""
        addresses = [{outside!r}]
        answer([
            modal.Function.from_name("{name}", function).remote(addresses)
            for function in ("free", "blocked")
        ])
        """
    )
    assert free == ["HTTP"], "NATed to the world"
    assert blocked != ["HTTP"]


def test_no_container_reaches_the_servers_own_ports(client, deploy, server):
    """Break: accept from containers whatever goes to this machine."""
    name = deploy(REACH)
    results = client.sdk(
        f"""
        addresses = [("169.254.77.1", {server.port}), ("169.254.77.1", 22)]
        functions = [modal.Function.from_name("{name}", function) for function in ("free", "blocked")]
        calls = [function.spawn(addresses) for function in functions]
        answer([call.get() for call in calls])
        """
    )
    assert "HTTP" not in results[0] + results[1]
