"""Progress of a long operation, sent to the current listener: an admin page, a line in the shell, or none."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from registrations.runtime.write_queue import pause_for_other_writers

type Listener = Callable[[int, int, str], None]  # done, total, description of the current step


def _ignore(done: int, total: int, words: str) -> None:
    pass


_listener: ContextVar[Listener] = ContextVar("listener", default=_ignore)


@contextmanager
def reported_to(listener: Listener) -> Iterator[None]:
    """Send the reports made inside the block to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(done: int, total: int, words: Any = "") -> None:
    _listener.get()(done, total, str(words))


def batches[T](items: Sequence[T], size: int, words: Any = "") -> Iterator[Sequence[T]]:
    """Slices of `size` items. Progress is reported before the first batch and after each one has been processed."""
    report(0, len(items), words)
    for start in range(0, len(items), size):
        began = time.monotonic()
        yield items[start : start + size]
        done = min(start + size, len(items))
        report(done, len(items), words)
        if done < len(items):
            pause_for_other_writers(since=began)
