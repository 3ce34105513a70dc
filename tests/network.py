"""Ports on the loopback interface, which other machines cannot reach."""

import random
import socket

PORTS = range(10_000, 30_000)  # the system gives none of these to outgoing connections


def free_port() -> int:
    """Chosen at random: tests that run beside each other would find the same port free."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
