"""Options and output that the commands `restore` and `replay_erasures` share."""

from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import CommandError

from registrations.backup.replay import Replayed


def require(journals: Iterable[Path]) -> None:
    if missing := [str(file) for file in journals if not file.is_file()]:
        raise CommandError(f"No such journal: {', '.join(missing)}")


def lines(done: Replayed, *, held: int) -> list[str]:
    held_back = f"Mails held back: {held}"
    return [
        f"Erased again: {done.erased}",
        f"Left alone again: {done.silenced}",
        f"Withdrawn again: {done.withdrawn}",
        f"Consents taken back again: {done.unsubscribed}",
        f"Wishes about mails kept again: {done.wishes}",
        f"Seats given to who waited: {done.promoted}",
        f"{held_back}; the desk shows them, and lets them leave" if held else held_back,
    ]
