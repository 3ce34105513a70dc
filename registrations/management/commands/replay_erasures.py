from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from registrations import erasure_journal, replays
from registrations.management import progress_line, replayed


class Command(BaseCommand):
    help = "After a backup was restored: do again what people had decided about themselves since."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("journals", nargs="*", type=Path, help="Beside erasures.log in DATA_DIR.")

    def handle(self, *args: Any, journals: list[Path], **options: Any) -> None:
        replayed.require(journals or [erasure_journal.path()])
        with progress_line.shown("replay_erasures"):
            done = replays.replay([erasure_journal.path(), *journals])
        for line in replayed.lines(done, held=done.promoted):
            self.stdout.write(line)
