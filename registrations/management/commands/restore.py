from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from registrations.backup import restore
from registrations.backup.restore import Restored
from registrations.management import replayed
from registrations.monitoring.checks import require_safe_site


class Command(BaseCommand):
    help = "Replace the database by a backup, repeat what people decided since then, and hold back old mails."
    requires_system_checks = []  # the database may be away, or older than this version

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="Only check that the backup is complete.")
        parser.add_argument("--replace", action="store_true", help="Also when the database is not empty.")
        parser.add_argument(
            "--mails",
            choices=["hold", "send"],
            default="hold",
            help="Mails due may have been sent after the backup: hold them for the organiser, or send them (again).",
        )
        parser.add_argument(
            "--journals", nargs="+", type=Path, default=[], help="erasures.log of the site's other machines."
        )
        parser.add_argument("--while-running", action="store_true", help="Also while others use the database.")

    def handle(self, *args: Any, file: Path, check: bool, **options: Any) -> None:
        if check:
            manifest = restore.check(file)
            self.stdout.write(f"Whole: {manifest['database']}, version {manifest['version']}, of {manifest['at']}")
            return
        require_safe_site()
        replayed.require(options["journals"])
        done = restore.restore(
            file,
            journals=options["journals"],
            replace=options["replace"],
            hold_mails=options["mails"] == "hold",
            while_running=options["while_running"],
        )
        for line in summary(done):
            self.stdout.write(line)


def summary(done: Restored) -> list[str]:
    lines = [
        f"Restored: the site as it was at {done.at.isoformat()}",
        f"Kept aside: {done.aside} (it holds people’s data: delete it when you are sure)" if done.aside else "",
        f"Uploaded files: {done.uploads}",
        *replayed.lines(done.replayed, held=done.held),
        "Sessions ended: staff log in again.",
    ]
    return [line for line in lines if line]
