"""What people asked to be forgotten, in a file beside the database: a restored backup must not undo it.

A line is a moment and the calendar UID of who was erased, a random value that means nothing once its row is gone; or
a moment, a word and the keyed digest of a mailbox: `silenced` when its owner asked to be left alone, `lifted` when an
organiser let it be written to again.
"""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

SILENCED, LIFTED = "silenced", "lifted"
OF_MAILBOX = re.compile(rf"(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z) ({SILENCED}|{LIFTED}) ([0-9a-f]{{64}})")


class Word(NamedTuple):
    """The last that was said of a mailbox."""

    at: datetime
    is_silenced: bool


def path() -> Path:
    return Path(settings.DATA_DIR) / "erasures.log"


def write(uid: str) -> None:
    """On the disk before the row goes: better a line too many than one too few."""
    _append(f"{timezone.now():%Y-%m-%dT%H:%M:%SZ} {uid}\n")


def write_silenced(digest: str) -> None:
    """On the disk before the row is there, as above."""
    _append(_of_mailbox(timezone.now(), SILENCED, digest))


def write_lifted(digests: Iterable[str], *, at: datetime) -> None:
    """Once the rows are gone: a line too few leaves someone alone, a line too many writes to them."""
    _append("".join(_of_mailbox(at, LIFTED, digest) for digest in digests))


def _of_mailbox(at: datetime, word: str, digest: str) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ} {word} {digest}\n"


def add(other: Path) -> None:
    """What another journal, of a backup or another machine, tells and this one does not."""
    known = set(_lines([path()]))
    if new := [line for line in _lines([other]) if line not in known]:
        _append("".join(f"{line}\n" for line in new))


def _append(text: str) -> None:
    """A line that a crash cut short stays alone."""
    descriptor = os.open(path(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        is_cut = size and os.pread(descriptor, 1, size - 1) != b"\n"
        with os.fdopen(os.dup(descriptor), "ab") as file:
            file.write(("\n" + text if is_cut else text).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        if file.exists():
            yield from file.read_text("utf-8").splitlines()


def uids(files: Iterable[Path]) -> set[str]:
    """Of all that was erased, as these journals tell; a line that a crash cut short is left out."""
    parts = (line.split(" ") for line in _lines(files))
    return {part[1] for part in parts if len(part) == 2}


def words(files: Iterable[Path]) -> dict[str, Word]:
    """The last word on each mailbox, by its digest, whatever the order of the journals."""
    found = [match.groups() for line in _lines(files) if (match := OF_MAILBOX.fullmatch(line))]
    in_time = sorted(found, key=lambda one: one[0])
    return {digest: Word(datetime.fromisoformat(at), word == SILENCED) for at, word, digest in in_time}
