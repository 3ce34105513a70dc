"""A queue in front of SQLite's single write lock, within one process.

SQLite itself retries a busy lock after longer and longer pauses: under load, some requests never get it in time.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

WAIT_MAX = 4  # seconds in the queue; after that the request relies on SQLite's own retries
PAUSE_MAX = 1.0  # seconds

_write_lock = threading.Lock()


@contextmanager
def write_transaction() -> Iterator[None]:
    """On SQLite: wait in the queue, then run the block in one transaction, so that the disk is synced only once.

    On PostgreSQL it does nothing: there is no single write lock, and each function called has its own transaction.
    """
    if connection.vendor != "sqlite":
        yield
        return
    is_locked = _write_lock.acquire(timeout=WAIT_MAX)
    try:
        with transaction.atomic():
            yield
    finally:
        if is_locked:
            _write_lock.release()


def pause_for_other_writers(*, since: float) -> None:
    """Sleep between two transactions of a long operation on SQLite, half as long as the last transaction took.

    Other writers only poll the lock, so without a pause they would rarely find it free. `since`: `time.monotonic()`
    when the last transaction began.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        time.sleep(min((time.monotonic() - since) / 2, PAUSE_MAX))
