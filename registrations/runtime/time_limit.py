"""A limit on the time that a block takes, whatever it waits for."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block once it has taken so long.

    A time-out of a socket begins anew with each byte that arrives; this one does not. It needs the main thread, in
    which workers send their mails; in another one the block has no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler, began_at = signal.signal(signal.SIGALRM, _raise), time.monotonic()
    around, _interval = signal.setitimer(signal.ITIMER_REAL, seconds)  # what a limit around this one had left
    try:
        yield
    finally:
        left = max(around - (time.monotonic() - began_at), 0.001) if around else 0
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, handler)


def _raise(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise TimeoutError("it took too long as a whole")
