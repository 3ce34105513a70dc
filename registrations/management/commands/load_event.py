import tomllib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from registrations.models import Event, ReportSection


class Command(BaseCommand):
    help = "Create an event from a TOML file; one that exists already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    @transaction.atomic
    def handle(self, *args: Any, file: Path, verbosity: int, **options: Any) -> None:
        fields = tomllib.loads(file.read_text("utf-8"))
        sections = fields.pop("report_sections", [])
        event, created = Event.objects.get_or_create(slug=fields.pop("slug"), defaults=fields)
        if created:
            ReportSection.objects.bulk_create(
                ReportSection(event=event, position=position, **section)
                for position, section in enumerate(sections, start=1)
            )
        if verbosity:
            self.stdout.write(f"{event.slug}: {'created' if created else 'exists already'}")
