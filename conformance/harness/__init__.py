"""What the tests stand on: a server, a client, and the machine they run on."""
