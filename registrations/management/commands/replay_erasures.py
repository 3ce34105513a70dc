from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations import erasure_journal, privacy
from registrations.management import progress_line


class Command(BaseCommand):
    help = "After a backup was restored: erase again whoever had been erased since, and leave their mailboxes alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("journals", nargs="*", type=Path, help="Beside erasures.log in DATA_DIR.")

    def handle(self, *args: Any, journals: list[Path], **options: Any) -> None:
        if missing := [str(file) for file in journals or [erasure_journal.path()] if not file.is_file()]:
            raise CommandError(f"No such journal: {', '.join(missing)}")
        with progress_line.shown("replay_erasures"):
            erased, silenced = privacy.replay([erasure_journal.path(), *journals])
        self.stdout.write(f"Erased again: {erased}")
        self.stdout.write(f"Left alone again: {silenced}")
