"""Which of the site's processes run on this machine, so that no backup is restored under their feet.

Each of them shares a lock for as long as it lives; a restore wants it alone. A mark tells of a restore that was
begun: until it has ended, no process starts.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError


class Refused(CommandError):
    """A sentence that says to the operator why not, and what to do."""


def mark() -> Path:
    return Path(settings.DATA_DIR) / "restore_under_way"


@contextmanager
def site() -> Iterator[None]:
    """Around the life of a process of the site."""
    with _lock_file().open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("A backup is being restored: start the site when it is done.") from error
        if mark().exists():
            raise Refused("A restore was begun and has not ended: run manage.py restore again, then start the site.")
        yield


@contextmanager
def restore(*, while_running: bool) -> Iterator[None]:
    """Around a restore: alone, unless the operator knows better; marked from the first change to the last."""
    with _lock_file().open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not while_running:
                raise Refused(
                    "Processes of the site run on this machine: stop them first (or say --while-running)."
                ) from error
        yield


def require_owner() -> None:
    """What root writes into DATA_DIR, the site's own account could not open any more."""
    owner = Path(settings.DATA_DIR).stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise Refused(f"Run this as the account of the site, which owns {settings.DATA_DIR}, and not as root.")


def _lock_file() -> Path:
    return Path(settings.DATA_DIR) / "site.lock"
