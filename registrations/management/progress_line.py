"""How far a command has come: on its standard error a line that moves, or a line now and then where no terminal is."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from registrations.runtime import progress

MOVES_EVERY, SPEAKS_EVERY = 0.2, 5.0  # seconds
CLEAR_LINE = "\r\x1b[K"


@contextmanager
def shown(name: str, stream: TextIO | None = None) -> Iterator[None]:
    """Whatever is reported inside is told as « name: 1200/5000 (24 %) »."""
    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    next_at = time.monotonic() + (0 if is_terminal else SPEAKS_EVERY)

    def tell(done: int, total: int, words: str) -> None:
        nonlocal next_at
        if not total or time.monotonic() < next_at:
            return
        next_at = time.monotonic() + (MOVES_EVERY if is_terminal else SPEAKS_EVERY)
        line = f"{name}: {done}/{total} ({100 * done // total} %) {words}".rstrip()
        stream.write(f"{CLEAR_LINE}{line}" if is_terminal else f"{line}\n")
        stream.flush()

    try:
        with progress.reported_to(tell):
            yield
    finally:
        if is_terminal:
            stream.write(CLEAR_LINE)
            stream.flush()
