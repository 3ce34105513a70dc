import tomllib
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from registrations.models import Event, EventQuestion, ReportSection


class Command(BaseCommand):
    help = "Create an event from a TOML file; one that exists already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    @transaction.atomic
    def handle(self, *args: Any, file: Path, verbosity: int, **options: Any) -> None:
        fields = tomllib.loads(file.read_text("utf-8"))
        sections, questions = fields.pop("report_sections", []), fields.pop("questions", [])
        event, created = Event.objects.get_or_create(slug=fields.pop("slug"), defaults=fields)
        if created:
            ReportSection.objects.bulk_create(
                ReportSection(event=event, position=position, **section)
                for position, section in enumerate(sections, start=1)
            )
            for position, question in enumerate(questions, start=1):
                _checked(EventQuestion(event=event, position=position, **question)).save()
        if verbosity:
            self.stdout.write(f"{event.slug}: {'created' if created else 'exists already'}")


def _checked(question: EventQuestion) -> EventQuestion:
    """Raise CommandError for an invalid question of the file."""
    try:
        question.full_clean()
    except ValidationError as error:
        raise CommandError(f"{question.label}: {error.messages}") from error
    return question
