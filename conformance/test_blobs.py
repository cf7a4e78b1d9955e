"""A server whose blobs are in a bucket of S3."""

import pytest

from harness.client import Client
from harness.images import link_layers
from harness.s3 import KEY, SECRET, S3Proxy
from harness.server import Server
from harness.waiting import eventually


@pytest.fixture
def s3(tmp_path):
    proxy = S3Proxy(tmp_path / "s3")
    try:
        yield proxy.start()
    finally:
        proxy.stop()


@pytest.fixture
def stored(server, s3, script, tmp_path):
    """A server of its own, whose agent has what that of the shared server has made."""
    s3.bucket("blobs")
    settings = script("s3.conf", s3.settings("blobs"))
    stored = Server(
        tmp_path / "data",
        options=["--config", str(settings)],
        TROUPE_BLOB_ACCESS_KEY_ID=KEY,
        TROUPE_BLOB_SECRET_ACCESS_KEY=SECRET,
    )
    link_layers(server.agent_data, stored.agent_data)
    stored.start()
    yield stored
    if stored.runs:
        stored.stop()


@pytest.fixture
def client(stored, tmp_path):
    return Client(stored.variables, tmp_path)


@pytest.mark.core
def test_blobs_in_a_bucket_and_small_calls_go_on_while_it_hangs(stored, s3, client, deploy):
    """Break: keep a payload after the answer, or read the blob store for a call that has none."""
    name = deploy(
        """
        import modal
        app = modal.App("stored")

        @app.function()
        def size(data, printed=0):
            for n in range(printed):
                print(n, "x" * 100)
            return len(data), data
        """
    )
    results = client.sdk(
        f"""
        import signal, threading, time
        size = modal.Function.from_name("{name}", "size")
        big = os.urandom(5 << 20)
        spawned = size.spawn(os.urandom(100_000))
        back = size.remote(big, printed=12_000)
        first = [back[0], back[1] == big, spawned.get(timeout=30)[0]]

        proxy = int(os.environ["PROXY"])
        os.kill(proxy, signal.SIGSTOP)
        waiting = threading.Thread(target=lambda: first.append(size.remote(big)[0]))
        waiting.start()
        began = time.monotonic()
        small = [size.remote("small")[0] for _ in range(3)]
        took = time.monotonic() - began
        os.kill(proxy, signal.SIGCONT)
        waiting.join(60)
        answer([first, small, took])
        """,
        PROXY=str(s3.process.pid),
    )
    assert results[0] == [5 << 20, True, 100_000, 5 << 20]
    assert results[1] == [5, 5, 5]
    assert results[2] < 10
    objects = s3.bucket("blobs") / "of/troupe"
    assert not (stored.data / "blobs").exists()
    assert any((objects / "content").iterdir()) and any((objects / "payload").iterdir())
    eventually(lambda: list(objects.glob("logs/ap-*/m-*/*.gz")), 20, "a segment of the log is there")

    stored.restart()
    assert client.sdk(f'answer(modal.Function.from_name("{name}", "size").remote("after")[0])') == 5
