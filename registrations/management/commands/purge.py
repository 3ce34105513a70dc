from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from registrations.domain import retention
from registrations.management import progress_line


class Command(BaseCommand):
    help = "Make registrations anonymous whose retention period has ended. Workers do this once a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        with progress_line.shown("purge"):
            done = retention.purge(dry_run=dry_run)
        for event, count in done.items():
            self.stdout.write(f"{event.slug}: {count}")
        self.stdout.write(f"{'To be made' if dry_run else 'Made'} anonymous: {done.total()}")
