from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from registrations.domain import retention
from registrations.management import progress_line
from registrations.models import clock_mark


class Command(BaseCommand):
    help = "Make registrations anonymous whose retention period has ended. Workers do this once a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count.")
        parser.add_argument("--confirm", action="store_true", help="The clock is right, and this many may go.")

    def handle(self, *args: Any, dry_run: bool, confirm: bool, **options: Any) -> None:
        with translation.override("en"):
            reason = retention.stopped()
        if reason:
            if not dry_run and not confirm:
                raise CommandError(f"{reason} Look at the clock and at purge --dry-run, then use purge --confirm.")
            self.stdout.write(reason)
        if not dry_run:
            clock_mark.move_on()
        with progress_line.shown("purge"):
            done = retention.purge(dry_run=dry_run)
        for event, count in done.items():
            self.stdout.write(f"{event.slug}: {count}")
        self.stdout.write(f"{'To be made' if dry_run else 'Made'} anonymous: {done.total()}")
