"""Whoever writes to SQLite waits for whoever writes already; in one process, the one who came first goes first.

Left alone, SQLite looks again after longer and longer pauses, and under load somebody always finds it taken.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

PATIENCE = 4  # seconds; then SQLite's own wait begins, as without a turn

BREATH_MAX = 1.0  # seconds

_turn = threading.Lock()


@contextmanager
def turn_to_write() -> Iterator[None]:
    """Around all that is written for one visitor, which on SQLite is one transaction: the disk is waited for once.

    PostgreSQL needs no turn, and there each act is a transaction of its own.
    """
    if connection.vendor != "sqlite":
        yield
        return
    mine = _turn.acquire(timeout=PATIENCE)
    try:
        with transaction.atomic():
            yield
    finally:
        if mine:
            _turn.release()


def let_others_write(*, since: float) -> None:
    """Between two transactions of a long act: a pause half as long as the last one took, since SQLite's other writers
    look only now and then whether it is free. `since`: when it began, by the monotonic clock."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        time.sleep(min((time.monotonic() - since) / 2, BREATH_MAX))
