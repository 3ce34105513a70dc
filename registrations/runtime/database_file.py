"""The SQLite file that a site runs on: which one it was, so that a deleted or replaced one is noticed."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path


def _record(database: Path) -> Path:
    return database.with_name(f"{database.name}.in-use")


def note(database: Path) -> None:
    """Remember that the site runs on this very file from now on."""
    draft = _record(database).with_suffix(".draft")
    draft.write_text(json.dumps(_identity(database)))
    draft.replace(_record(database))


def is_gone(database: Path) -> bool:
    """Whether a site ran on a file of this name that is not there any more.

    An empty file in its place does not count: SQLite makes one for a process that still runs and connects again.
    """
    if not _record(database).exists():
        return False
    return not database.exists() or (_noted(database) != _identity(database) and _is_empty(database))


def problem(database: Path) -> str:
    """What has happened to the file since the site started, as a sentence; empty when it is the same."""
    noted = _noted(database)
    if noted is None:
        return ""  # not started by `up`
    if not database.exists():
        return "The database file has been deleted: stop the site and restore a backup."
    if noted != _identity(database):
        return (
            "The database file has been replaced by another one: stop the site, and start it again with the right one."
        )
    if not _log(database).exists() or _holds_deleted_log(database):
        return "The write-ahead log beside the database file has been deleted: stop the site, and check the database."
    return ""


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def _holds_deleted_log(database: Path) -> bool:
    """Whether this process still writes to a deleted log, in whose place another connection has made a new one.

    See proc(5), on Linux only. SQLite itself deletes a log only when nobody has it open.
    """
    deleted = f"{_log(database.resolve())} (deleted)"
    open_files = Path("/proc/self/fd")
    return any(_target(file) == deleted for file in open_files.glob("*"))


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:  # closed meanwhile
        return ""


def _noted(database: Path) -> list[int] | None:
    try:
        noted: list[int] = json.loads(_record(database).read_text())
    except (OSError, ValueError):
        return None
    return noted


def _is_empty(database: Path) -> bool:
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])


def _identity(database: Path) -> list[int]:
    found = database.stat()
    return [found.st_dev, found.st_ino]
