import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from registrations.mailing import reminders
from registrations.models import (
    Appearance,
    Event,
    EventDocument,
    EventPage,
    EventQuestion,
    Partner,
    ProgrammeItem,
    ReportSection,
    Speaker,
)
from registrations.models.event_validators import validate_timezone
from registrations.web.fields import AddressField


class Command(BaseCommand):
    help = "Create an event from a TOML file; one that exists already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    @transaction.atomic
    def handle(self, *args: Any, file: Path, verbosity: int, **options: Any) -> None:
        fields = _with_contact(tomllib.loads(file.read_text("utf-8")))
        sections, questions = fields.pop("report_sections", []), fields.pop("questions", [])
        parts = {name: fields.pop(name, []) for name in ("page", "speakers", "programme", "partners", "documents")}
        event, created = Event.objects.get_or_create(slug=fields.pop("slug"), defaults=_in_its_zone(fields))
        if created:
            ReportSection.objects.bulk_create(
                ReportSection(event=event, position=position, **section)
                for position, section in enumerate(sections, start=1)
            )
            for position, question in enumerate(questions, start=1):
                _checked(EventQuestion(event=event, position=position, **question)).save()
            _add_parts(event, **parts)
            reminders.schedule(Event.objects.locked(event))
        if verbosity:
            self.stdout.write(f"{event.slug}: {'created' if created else 'exists already'}")


def _with_contact(fields: dict[str, Any]) -> dict[str, Any]:
    """The contact's address is read as the event's form reads it. Raise CommandError for what is none."""
    try:
        return {**fields, "contact_email": AddressField().clean(fields.get("contact_email"))}
    except ValidationError as error:
        raise CommandError(f"contact_email: {error.messages}") from error


def _in_its_zone(fields: dict[str, Any]) -> dict[str, Any]:
    """An hour without an offset is one of the event's time zone. Raise CommandError for an unknown zone."""
    name = fields.get("timezone", settings.TIME_ZONE)
    try:
        validate_timezone(name)
    except ValidationError as error:
        raise CommandError(f"timezone: {error.messages}") from error
    naive = {key: value for key, value in fields.items() if isinstance(value, datetime) and timezone.is_naive(value)}
    return {**fields, **{key: timezone.make_aware(value, ZoneInfo(name)) for key, value in naive.items()}}


def _add_parts(event: Event, *, page: Any, speakers: Any, programme: Any, partners: Any, documents: Any) -> None:
    """What the page shows besides. A speaker of that name and organisation who is known already is taken as is."""
    if page:
        _checked(EventPage(event=event, **page)).save()
    for position, facts in enumerate(speakers, start=1):
        known = Speaker.objects.filter(name=facts["name"], organisation=facts.get("organisation", "")).first()
        speaker = known or _checked(Speaker(**facts))
        speaker.save()
        Appearance.objects.create(event=event, speaker=speaker, position=position)
    for part in programme:
        _checked(ProgrammeItem(event=event, **part)).save()
    for position, partner in enumerate(partners, start=1):
        _checked(Partner(event=event, position=position, **partner)).save()
    for position, document in enumerate(documents, start=1):
        _checked(EventDocument(event=event, position=position, **document)).save()


def _checked[Part: Model](part: Part) -> Part:
    """Raise CommandError for an invalid question or part of the file."""
    try:
        part.full_clean()
    except ValidationError as error:
        raise CommandError(f"{part}: {error.messages}") from error
    return part
