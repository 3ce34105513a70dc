"""Duplicate an event: a draft with the texts and settings of the last one, without its people."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from registrations.models import Event, event_fields
from registrations.models.event_fields import OnDuplicate

YEAR = timedelta(weeks=52)  # keeps the day of the week
ENDS_WITH_A_YEAR = re.compile(r"-(19|20)\d\d(-\d+)?$")
SLUG_MAX = 50


@transaction.atomic
def duplicate(event: Event) -> Event:
    """Make a draft one year later, or as many years later as it takes to lie ahead, at the same local hours.

    `models.event_fields` declares what is taken over and what is left behind. Questions that are no longer asked are
    left behind too.
    """
    parts = [*event.report_sections.all(), *event.own_questions.asked(), *event.mail_texts.all()]
    years = years_ahead(event)
    new = Event(**_taken_over(event))
    for name in event_fields.names("Event", OnDuplicate.MOVED):
        setattr(new, name, moved(getattr(event, name), event, years))
    new.slug = free_slug(event, new.start_date.year)
    _copy_report(event, new)
    new.save(force_insert=True)
    for part in parts:
        type(part)(event=new, **_taken_over(part)).save(force_insert=True)
    return new


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


def free_slug(event: Event, year: int) -> str:
    wanted = f"{ENDS_WITH_A_YEAR.sub('', event.slug)[: SLUG_MAX - 8]}-{year}"
    taken = set(Event.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    candidates = [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 2))]
    return next(slug for slug in candidates if slug not in taken)


def _copy_report(event: Event, new: Event) -> None:
    """Copy the file too: replacing one event's report must not change the other's."""
    if event.report_file and default_storage.exists(str(event.report_file.name)):
        with event.report_file.open() as file:
            new.report_file.save("report.pdf", file, save=False)
