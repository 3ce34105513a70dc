from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations.backup import create


class Command(BaseCommand):
    help = "Write database, uploads and erasure journal into one file, while the site works."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, help="A folder of this site’s own. Default: backups/ in DATA_DIR.")
        parser.add_argument("--keep", type=int, help="Of the backups in the folder, keep only so many.")

    def handle(self, *args: Any, to: Path | None, keep: int | None, **options: Any) -> None:
        if keep is not None and keep < 1:
            raise CommandError("--keep wants 1 or more.")
        for name in create.missing_uploads():
            self.stderr.write(f"An event names a file that is not there: {name}")
        made = create.make((to or create.default_folder()).resolve(), keep=keep)
        self.stdout.write(f"{made.file} ({made.size / 1e6:.1f} MB)")
