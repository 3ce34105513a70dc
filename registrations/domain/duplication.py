"""Duplicate an event: a draft with the texts and settings of the last one, without its people."""

from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from registrations.domain import slugs
from registrations.models import Event, EventDocument, EventPage, event_fields
from registrations.models.event_fields import OnDuplicate

YEAR = timedelta(weeks=52)  # keeps the day of the week


@transaction.atomic
def duplicate(event: Event) -> Event:
    """Make a draft one year later, or as many years later as it takes to lie ahead, at the same local hours.

    `models.event_fields` declares what is taken over and what is left behind. Questions that are no longer asked are
    left behind too.
    """
    parts = parts_of(event)
    years = years_ahead(event)
    new = Event(**_taken_over(event))
    for name in event_fields.names("Event", OnDuplicate.MOVED):
        setattr(new, name, moved(getattr(event, name), event, years))
    new.slug = slugs.for_year(event.slug, new.start_date.year)
    _copy_report(event, new)
    new.save(force_insert=True)
    for part in parts:
        copy = type(part)(event=new, **_taken_over(part))
        if isinstance(part, EventDocument) and part.file and not _copy_file(part.file, copy):
            continue
        copy.save(force_insert=True)
    return new


def parts_of(event: Event) -> list[Model]:
    """The page's facts come first: the other rows of the page change its revision (`event_page.touch`)."""
    of_page = [*event.appearances.all(), *event.programme.all(), *event.partners.all(), *_documents(event)]
    texts = [*event.report_sections.all(), *event.own_questions.asked(), *event.mail_texts.all()]
    return [*EventPage.objects.filter(event=event), *of_page, *texts]


def _documents(event: Event) -> list[EventDocument]:
    """What is for after the session is of the last one: slides, answers."""
    return [document for document in event.all_documents if not document.is_for_afterwards]


def _taken_over(row: Model) -> dict[str, Any]:
    names = event_fields.names(type(row).__name__, OnDuplicate.TAKEN_OVER, OnDuplicate.PERSONAL)
    return {name: getattr(row, name) for name in names}


def years_ahead(event: Event) -> int:
    years = 1
    while (moment := moved(event.starts_at, event, years)) and moment <= timezone.now():
        years += 1
    return years


def moved(moment: datetime | None, event: Event, years: int) -> datetime | None:
    """The same weekday and local hour in the event's time zone, so many years later."""
    return moment and moment.astimezone(event.zone) + years * YEAR


def _copy_report(event: Event, new: Event) -> None:
    """Copy the file too: replacing one event's report must not change the other's."""
    if event.report_file and default_storage.exists(str(event.report_file.name)):
        with event.report_file.open() as file:
            new.report_file.save("report.pdf", file, save=False)


def _copy_file(stored: Any, copy: Any) -> bool:
    """False where the file is gone: a document without one is no document."""
    if not default_storage.exists(str(stored.name)):
        return False
    with stored.open() as file:
        copy.file = ContentFile(file.read(), "document.pdf")
    return True
