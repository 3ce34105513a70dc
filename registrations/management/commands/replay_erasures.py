from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from registrations.backup import replay
from registrations.domain import erasure_journal
from registrations.management import progress_line, replayed


class Command(BaseCommand):
    help = "After a restore: repeat the erasures and other decisions that people have made since the backup."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("journals", nargs="*", type=Path, help="Journals besides erasures.log in DATA_DIR.")
        parser.add_argument(
            "--backup-at",
            type=_moment,
            help="When the backup was begun, such as 2026-05-13T04:00+02:00. Without it, withdrawals and consents"
            " taken back are not repeated, since the journal alone does not say which of them took place.",
        )

    def handle(self, *args: Any, journals: list[Path], backup_at: datetime | None, **options: Any) -> None:
        replayed.require(journals or [erasure_journal.path()])
        with progress_line.shown("replay_erasures"):
            done = replay.replay([erasure_journal.path(), *journals], backup_at=backup_at)
        for line in replayed.lines(done, held=done.promoted):
            self.stdout.write(line)


def _moment(text: str) -> datetime:
    """A date and time in ISO 8601; without an offset, in the time zone of the site."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no moment like 2026-05-13T04:00+02:00") from error
    return moment if moment.tzinfo else timezone.make_aware(moment)
