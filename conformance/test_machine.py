"""What is left on the machine when the server has stopped. Runs after all other tests."""

from harness import machine
from harness.server import Server


def test_nothing_is_left_behind_when_the_server_has_stopped(server, before):
    """Break: leave the parents of the containers' control groups, or the table of rules."""
    things, ip_forward = before
    for process in [*Server.started, server]:
        if process.runs:
            process.stop()

    def left():
        now = machine.things() - things
        return machine.processes_of(Server.started) + sorted(
            thing for thing in now if not machine.foreign(thing, Server.started)
        )

    assert left() == []
    # Servers of somebody else turn it on and off as they need it.
    others = [thing for thing in things | machine.things() if machine.foreign(thing, Server.started)]
    assert machine.ip_forward() == ip_forward or others, "net.ipv4.ip_forward as it was"
