"""A lock that a worker holds for as long as it lives, and that the system takes back when it dies, however it dies."""

import fcntl
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

FORGOTTEN_AFTER = 3600  # seconds


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
        yield name


def is_dead(name: str) -> bool:
    """True only for a process of this machine that is gone; of other machines' nothing can be known here."""
    path = _file(name)
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by the living, or not of this machine
        return False
    return True


def forget(*, but: set[str]) -> None:
    """Remove what the dead have left, but for those whose mail has not been taken over yet."""
    for path in _file("any").parent.glob("*.lock"):
        if path.stem not in but and time.time() - path.stat().st_mtime > FORGOTTEN_AFTER and is_dead(path.stem):
            path.unlink(missing_ok=True)
