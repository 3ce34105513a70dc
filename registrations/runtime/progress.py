"""How far a long act has come, told to whoever listens: a page of the desk, a line in the shell, or nobody."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from registrations.runtime.write_queue import let_others_write

type Listener = Callable[[int, int, str], None]  # done, of how many, and what is being done


def _nobody(done: int, total: int, words: str) -> None:
    pass


_listener: ContextVar[Listener] = ContextVar("listener", default=_nobody)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Whatever is reported inside reaches this listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(done: int, total: int, words: Any = "") -> None:
    _listener.get()(done, total, str(words))


def batches[T](items: Sequence[T], size: int, words: Any = "") -> Iterator[Sequence[T]]:
    """The items, so many at a time; each batch is reported once it has been dealt with."""
    report(0, len(items), words)
    for start in range(0, len(items), size):
        began = time.monotonic()
        yield items[start : start + size]
        done = min(start + size, len(items))
        report(done, len(items), words)
        if done < len(items):
            let_others_write(since=began)
