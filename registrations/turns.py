"""Whoever writes to SQLite waits for whoever writes already; in one process, the one who came first goes first.

Left alone, SQLite looks again after longer and longer pauses, and under load somebody always finds it taken.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

PATIENCE = 4  # seconds; then SQLite's own wait begins, as without a turn

_turn = threading.Lock()


@contextmanager
def turn_to_write() -> Iterator[None]:
    """Around a transaction; PostgreSQL needs none."""
    mine = connection.vendor == "sqlite" and _turn.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if mine:
            _turn.release()
