"""The SQLite file that a site runs on: which one it was, so that a deleted or replaced one is noticed."""

import json
from pathlib import Path


def _record(database: Path) -> Path:
    return database.with_name(f"{database.name}.in-use")


def note(database: Path) -> None:
    """Remember that the site runs on this very file from now on."""
    draft = _record(database).with_suffix(".draft")
    draft.write_text(json.dumps(_identity(database)))
    draft.replace(_record(database))


def is_gone(database: Path) -> bool:
    """Whether a site ran on a file of this name that is not there any more."""
    return _record(database).exists() and not database.exists()


def problem(database: Path) -> str:
    """What has happened to the file since the site started, as a sentence; empty when it is the same."""
    try:
        noted = json.loads(_record(database).read_text())
    except (OSError, ValueError):
        return ""  # not started by `up`
    if not database.exists():
        return "The database file has been deleted: stop the site and restore a backup."
    if noted != _identity(database):
        return (
            "The database file has been replaced by another one: stop the site, and start it again with the right one."
        )
    if not database.with_name(f"{database.name}-wal").exists():
        return "The write-ahead log beside the database file has been deleted: stop the site, and check the database."
    return ""


def _identity(database: Path) -> list[int]:
    found = database.stat()
    return [found.st_dev, found.st_ino]
