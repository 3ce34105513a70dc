"""A lock that a worker holds for as long as it lives, and that the system takes back when it dies, however it dies."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


def _file(name: str) -> Path:
    folder = Path(settings.DATA_DIR) / "workers"
    folder.mkdir(mode=0o750, exist_ok=True)
    return folder / f"{name}.lock"


@contextmanager
def lifeline() -> Iterator[str]:
    """A name of this process's own, alive until the block ends or the process does."""
    name = secrets.token_hex(8)
    path = _file(name)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield name
        finally:
            path.unlink(missing_ok=True)


def is_dead(name: str) -> bool:
    """True only for a process of this machine that is gone; of other machines' nothing can be known here."""
    path = _file(name)
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except OSError:  # held by the living, or not of this machine
        return False
    return True
