"""A lock file that prevents a restore while processes of the site run on this machine.

Each process holds a shared lock while it runs; a restore needs the exclusive lock. A marker file says that a restore
has begun and not ended: while it exists, no process starts.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError


class Refused(CommandError):
    """The message tells the operator the reason and what to do."""


def restore_marker() -> Path:
    return Path(settings.DATA_DIR) / "restore_under_way"


@contextmanager
def shared() -> Iterator[None]:
    """Hold the shared lock while a process of the site runs. Raises Refused while a restore is unfinished."""
    with _lock_file().open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("A backup is being restored: start the site when it is done.") from error
        if restore_marker().exists():
            raise Refused("A restore was begun and has not ended: run manage.py restore again, then start the site.")
        yield


@contextmanager
def exclusive(*, while_running: bool) -> Iterator[None]:
    """Hold the exclusive lock during a restore.

    Raises Refused when processes of the site run, unless `while_running`.
    """
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
    """Raises Refused for root when another account owns DATA_DIR: it could not open files that root has written."""
    owner = Path(settings.DATA_DIR).stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise Refused(f"Run this as the account of the site, which owns {settings.DATA_DIR}, and not as root.")


def _lock_file() -> Path:
    return Path(settings.DATA_DIR) / "site.lock"
