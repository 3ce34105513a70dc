"""Who was erased, in a file beside the database: a restored backup must not bring anyone back.

A line is a moment and the registration's calendar UID, a random value that means nothing once its row is gone.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.utils import timezone


def path() -> Path:
    return Path(settings.DATA_DIR) / "erasures.log"


def write(uid: str) -> None:
    """On the disk before the row goes: better a line too many than one too few."""
    _append(f"{timezone.now():%Y-%m-%dT%H:%M:%SZ} {uid}\n")


def add(other: Path) -> None:
    """What another journal, of a backup, tells and this one does not."""
    known = uids(filter(Path.exists, [path()]))
    lines = [line for line in other.read_text("utf-8").splitlines() if " " in line]
    if new := [line for line in lines if line.split(" ", 1)[1] not in known]:
        _append("".join(f"{line}\n" for line in new))


def _append(text: str) -> None:
    descriptor = os.open(path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def uids(files: Iterable[Path]) -> set[str]:
    """Of all that was erased, as these journals tell; a line that a crash cut short is left out."""
    lines = (line for file in files for line in file.read_text("utf-8").splitlines())
    return {line.split(" ", 1)[1] for line in lines if " " in line}
