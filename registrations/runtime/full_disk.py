"""Remember that the database had no room for a change, so that the operator is told.

The disk may be that of another machine. All processes of this machine see the file.
"""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

import psycopg
from django.conf import settings

REMEMBERED_FOR = 180  # seconds: workers tell it at the second look, a minute after the first


def note(error: Exception) -> None:
    cause = error.__cause__
    if isinstance(cause, psycopg.errors.DiskFull) or getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
        with contextlib.suppress(OSError):  # of the full disk itself, which is told by its free space
            _file().touch()
            os.utime(_file(), (time.time(), time.time()))


def is_noted() -> bool:
    try:
        return abs(time.time() - _file().stat().st_mtime) < REMEMBERED_FOR
    except OSError:
        return False


def _file() -> Path:
    return Path(settings.DATA_DIR) / "no_room"
