"""Tell whether a worker process of this machine still runs.

Each worker holds a lock on its own file. The kernel releases the lock when the process ends, even after a crash.
"""

import fcntl
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

STALE_AFTER = 3600  # seconds


def _lock_file(name: str) -> Path:
    folder = Path(settings.DATA_DIR) / "workers"
    folder.mkdir(mode=0o750, exist_ok=True)
    return folder / f"{name}.lock"


@contextmanager
def alive_process() -> Iterator[str]:
    """Lock a file under a new random name until the block ends or the process stops; yield that name."""
    name = secrets.token_hex(8)
    path = _lock_file(name)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield name


def is_dead(name: str) -> bool:
    """True only for an ended process of this machine. For a process of another machine the answer is always False."""
    path = _lock_file(name)
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked by a running process, or the file is on another machine
        return False
    return True


def remove_stale_files(*, keep: set[str]) -> None:
    """Remove the files of ended processes. `keep`: names of workers whose leased mails still need `is_dead`."""
    for path in _lock_file("any").parent.glob("*.lock"):
        if path.stem not in keep and time.time() - path.stat().st_mtime > STALE_AFTER and is_dead(path.stem):
            path.unlink(missing_ok=True)
