"""Progress of a command on standard error: one updated line in a terminal, otherwise a line every few seconds."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from registrations.runtime import progress

TERMINAL_INTERVAL, LOG_INTERVAL = 0.2, 5.0  # seconds between updates
CLEAR_LINE = "\r\x1b[K"


@contextmanager
def shown(name: str, stream: TextIO | None = None) -> Iterator[None]:
    """Show the progress reported in the block as « name: 1200/5000 (24 %) »."""
    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    next_at = time.monotonic() + (0 if is_terminal else LOG_INTERVAL)

    def show(done: int, total: int, words: str) -> None:
        nonlocal next_at
        if not total or time.monotonic() < next_at:
            return
        next_at = time.monotonic() + (TERMINAL_INTERVAL if is_terminal else LOG_INTERVAL)
        line = f"{name}: {done}/{total} ({100 * done // total} %) {words}".rstrip()
        stream.write(f"{CLEAR_LINE}{line}" if is_terminal else f"{line}\n")
        stream.flush()

    try:
        with progress.reported_to(show):
            yield
    finally:
        if is_terminal:
            stream.write(CLEAR_LINE)
            stream.flush()
