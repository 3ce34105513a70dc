"""What people decided about themselves, in a file beside the database: a restored backup must not undo it.

A line is a moment and the calendar UID of who was erased, a random value that means nothing once its row is gone; or
a moment, a word and the keyed digest of a mailbox, or of a person on a list, whom it is about. What is not understood,
as a word of a newer version, is passed over.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

ALWAYS, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
OF_DIGEST = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([a-z]+) ([0-9a-f]{64})")


class Word(StrEnum):
    SILENCED = "silenced"  # a mailbox whose owner asked to be left alone
    LIFTED = "lifted"  # an organiser let it be written to again
    WITHDRAWN = "withdrawn"  # a person left the list
    ERASING = "erasing"  # a person asked to be erased
    RETURNED = "returned"  # a person is on the list again
    UNSUBSCRIBED = "unsubscribed"  # a person took back the consent to the newsletter
    SUBSCRIBED = "subscribed"  # a person has given it again


OF_MAILBOX = {Word.SILENCED, Word.LIFTED}
OF_PLACE = {Word.WITHDRAWN, Word.ERASING, Word.RETURNED}
OF_CONSENT = {Word.UNSUBSCRIBED, Word.SUBSCRIBED}
GIVES_BACK = {Word.LIFTED, Word.RETURNED, Word.SUBSCRIBED}


class Said(NamedTuple):
    at: datetime
    word: Word


def path() -> Path:
    return Path(settings.DATA_DIR) / "erasures.log"


def write(uid: str) -> None:
    """On the disk before the row goes: better a line too many than one too few."""
    _append(f"{timezone.now():%Y-%m-%dT%H:%M:%SZ} {uid}\n")


def write_word(word: Word, *digests: str) -> None:
    """What takes away is on the disk before its row says so, and what gives back once that is committed: whatever is
    cut short in between takes away. Call it in the transaction, with the row in hand: the moment is now."""
    at = timezone.now()
    write = partial(_append, "".join(f"{at:%Y-%m-%dT%H:%M:%S.%fZ} {word} {digest}\n" for digest in digests))
    if word in GIVES_BACK:
        transaction.on_commit(write, robust=True)
    else:
        write()


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


def words(files: Iterable[Path], among: set[Word], *, since: datetime = ALWAYS) -> dict[str, list[Said]]:
    """What was said of each digest, in the order of time, whatever the order of the journals."""
    lines = [match.groups() for line in dict.fromkeys(_lines(files)) if (match := OF_DIGEST.fullmatch(line))]
    said = defaultdict(list)
    for moment, word, digest in sorted(lines, key=lambda line: line[0]):
        if word in among and (at := datetime.fromisoformat(moment)) >= since:
            said[digest].append(Said(at, Word(word)))
    return said
