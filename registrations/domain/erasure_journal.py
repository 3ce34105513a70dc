"""A file beside the database with what people decided about themselves, so that no restored backup undoes it.

A line is either a timestamp and the calendar UID of an erased person (a random value without meaning once the row is
deleted), or a timestamp, a word and the HMAC digest of a mailbox or of a registration. Unknown words, as a newer
version writes them, are ignored.
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
    SILENCED = "silenced"  # the owner of a mailbox wants no more mails
    LIFTED = "lifted"  # an organiser took the mailbox off the suppression list
    WITHDRAWN = "withdrawn"  # a person withdrew
    ERASING = "erasing"  # a person asked to be erased
    RETURNED = "returned"  # a person came back
    UNSUBSCRIBED = "unsubscribed"  # a person took back the consent to the newsletter
    SUBSCRIBED = "subscribed"  # a person has given it again
    NO_MESSAGES = "nomessages"  # a person wants no more messages from organisers
    MESSAGES = "messages"  # a person wants them again
    NO_REMINDERS = "noreminders"  # a person wants no more mails of the clock
    REMINDERS = "reminders"  # a person wants them again


OF_MAILBOX = {Word.SILENCED, Word.LIFTED}
OF_PLACE = {Word.WITHDRAWN, Word.ERASING, Word.RETURNED}
OF_CONSENT = {Word.UNSUBSCRIBED, Word.SUBSCRIBED}
OF_MESSAGES = {Word.NO_MESSAGES, Word.MESSAGES}
OF_REMINDERS = {Word.NO_REMINDERS, Word.REMINDERS}
GIVES_BACK = {Word.LIFTED, Word.RETURNED, Word.SUBSCRIBED, Word.MESSAGES, Word.REMINDERS}


class Decision(NamedTuple):
    at: datetime
    word: Word


def path() -> Path:
    return Path(settings.DATA_DIR) / "erasures.log"


def write(uid: str) -> None:
    """Record an erasure, synced to disk before the row is deleted: a spare line is harmless, a missing one is not."""
    _append(f"{timezone.now():%Y-%m-%dT%H:%M:%SZ} {uid}\n")


def write_word(word: Word, *digests: str) -> None:
    """Record a decision. Call it in the transaction that makes the change, with the row locked.

    A word that withdraws something is written at once, one that restores something after the commit. If the process
    dies in between, the stricter decision stands.
    """
    at = timezone.now()
    write = partial(_append, "".join(f"{at:%Y-%m-%dT%H:%M:%S.%fZ} {word} {digest}\n" for digest in digests))
    if word in GIVES_BACK:
        transaction.on_commit(write, robust=True)
    else:
        write()


def add(other: Path) -> None:
    """Add the lines of another journal (of a backup or another machine) that this one lacks."""
    known = set(_lines([path()]))
    if new := [line for line in _lines([other]) if line not in known]:
        _append("".join(f"{line}\n" for line in new))


def _append(text: str) -> None:
    """Write and sync. An earlier line that a crash cut short gets its line break first."""
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
    """The UIDs of all erased people in these journals, without lines that a crash cut short."""
    parts = (line.split(" ") for line in _lines(files))
    return {part[1] for part in parts if len(part) == 2}


def words(files: Iterable[Path], among: set[Word], *, since: datetime = ALWAYS) -> dict[str, list[Decision]]:
    """The decisions by digest, in order of time, whatever the order of the journals."""
    lines = [match.groups() for line in dict.fromkeys(_lines(files)) if (match := OF_DIGEST.fullmatch(line))]
    decisions = defaultdict(list)
    for moment, word, digest in sorted(lines, key=lambda line: line[0]):
        if word in among and (at := datetime.fromisoformat(moment)) >= since:
            decisions[digest].append(Decision(at, Word(word)))
    return decisions
