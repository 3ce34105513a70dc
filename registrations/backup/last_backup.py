"""When the last backup was made. Kept in a file: a restored database would name an old backup."""

import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings


class LastBackup(NamedTuple):
    at: datetime
    file: str
    size: int  # bytes


def path() -> Path:
    return Path(settings.DATA_DIR) / "last_backup.json"


def write(backup: LastBackup) -> None:
    draft = path().with_suffix(".draft")
    draft.write_text(json.dumps({**backup._asdict(), "at": backup.at.isoformat()}))
    draft.replace(path())


def last() -> LastBackup | None:
    """None when there was none, or when its record cannot be read."""
    try:
        recorded = json.loads(path().read_text("utf-8"))
        return LastBackup(datetime.fromisoformat(recorded["at"]), recorded["file"], recorded["size"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
