"""The date of an event as its pages show it: a leaf of a calendar, and a sentence beside it that says it all."""

from typing import NamedTuple

from django.template.defaultfilters import capfirst
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from registrations.models import Event
from registrations.text import dates


class When(NamedTuple):
    day: str  # 13, on the leaf
    month: str  # mai, on the leaf
    title: str  # Mardi 13 mai 2025; Demain, mardi 13 mai; En ce moment; Annulé
    rest: str  # 16 h 30 – 18 h; Jusqu’à 18 h; Ce webinaire a eu lieu
    tells_hours: bool  # so that the zone is named
    is_live: bool
    is_off: bool


def when(event: Event) -> When:
    local = event.starts_at.astimezone(event.zone)
    title, rest = _sentence(event)
    is_off = event.status == Event.Status.CANCELLED
    return When(
        day=str(local.day),
        month=formats.date_format(local, "F"),
        title=capfirst(title),
        rest=rest,
        tells_hours=not is_off and not event.is_over,
        is_live=not is_off and event.has_started and not event.is_over,
        is_off=is_off,
    )


def _sentence(event: Event) -> tuple[str, str]:
    if event.status == Event.Status.CANCELLED:
        return pgettext("of a webinar", "cancelled"), _("It was planned %(on_days)s") % {
            "on_days": dates.on_days(event)
        }
    if event.is_over:
        return dates.event_days(event), _("This webinar took place")
    if event.has_started and not dates.takes_several_days(event):
        return _("happening now"), _("Until %(hour)s") % {"hour": dates.end_hour(event)}
    if near := nearness(event):
        days = dates.event_days(event, year=False)
        return _("%(today)s, %(days)s") % {"today": near, "days": days}, dates.hours(event)
    return dates.event_days(event), dates.hours(event)


def nearness(event: Event) -> str:
    """aujourd’hui, demain; empty for an event that is further away, has begun or is off."""
    days = (event.start_date - timezone.now().astimezone(event.zone).date()).days
    is_near = event.status == Event.Status.PUBLISHED and not event.has_started and days in (0, 1)
    return dates.relative_day(event) if is_near else ""
