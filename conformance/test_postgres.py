"""A server whose store is on PostgreSQL."""

import pytest

from harness.client import Client
from harness.images import link_layers
from harness.postgres import PASSWORD, Postgres
from harness.server import Server


@pytest.fixture
def database(tmp_path):
    postgres = Postgres(tmp_path / "database")
    try:
        yield postgres.start()
    finally:
        postgres.stop()


@pytest.fixture
def stored(server, database, script, tmp_path):
    """A server of its own, whose agent has what that of the shared server has made."""
    settings = script("postgres.conf", database.settings())
    stored = Server(
        tmp_path / "data", options=["--config", str(settings)], TROUPE_STORE_PASSWORD=PASSWORD
    )
    link_layers(server.agent_data, stored.agent_data)
    stored.start()
    yield stored
    if stored.runs:
        stored.stop()


@pytest.fixture
def client(stored, tmp_path):
    return Client(stored.variables, tmp_path)


def test_calls_on_postgresql_end_after_a_kill_and_a_second_server_needs_a_token(
    stored, client, deploy, tmp_path
):
    """Break: name the functions to wake from the H2 files, or let a process in whose keys are others."""
    name = deploy(
        """
        import time, modal
        app = modal.App("stored")

        @app.function(max_containers=1)
        def work(n):
            time.sleep(0.1)
            return n * n
        """
    )
    calls = client.sdk(
        f"""
        work = modal.Function.from_name("{name}", "work")
        calls = [work.spawn(n).object_id for n in range(10)]
        os.kill(int(os.environ["SERVER"]), 9)  # the moment the last is acknowledged
        answer(calls)
        os._exit(0)
        """,
        SERVER=str(stored.process.pid),
    )
    stored.process.wait()
    stored.start()
    results = client.sdk(
        f"answer([modal.FunctionCall.from_id(call).get(timeout=30) for call in {calls!r}])"
    )
    assert results == [n * n for n in range(10)]

    second = Server(tmp_path / "second", options=stored.options, **stored.environment)
    second.launch()
    assert second.ended(30) == 1
    assert "--join HOST:PORT" in second.said()
