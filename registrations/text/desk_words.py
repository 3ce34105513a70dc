"""How the organiser's desk names the state of an event and its distance in time."""

from datetime import timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from registrations.models import Event, EventState
from registrations.text import dates

WEEKS_FROM, MONTHS_FROM = 21, 84  # days


class Badge(NamedTuple):
    look: str  # a class of desk.css; empty: over
    words: Any


PUBLISHED = Badge("ok", gettext_lazy("Published"))
PAST = Badge("", pgettext_lazy("event", "Past"))
BADGES = {
    EventState.DRAFT: Badge("draft", gettext_lazy("Draft")),
    EventState.CANCELLED: Badge("", pgettext_lazy("event", "Cancelled")),
    EventState.POSTPONED: Badge("notice", gettext_lazy("Postponed")),
    EventState.NOT_YET_OPEN: PUBLISHED,
    EventState.PAST_AND_OPEN: PAST,
    EventState.PAST: PAST,
    EventState.CLOSED: PUBLISHED,
    EventState.LIVE: Badge("deep", gettext_lazy("Under way")),
    EventState.FULL: Badge("notice", pgettext_lazy("event", "Full")),
    EventState.OPEN: PUBLISHED,
}
TODAY = Badge("deep", gettext_lazy("Today"))


def badge(event: Event) -> Badge:
    is_on = event.status == Event.Status.PUBLISHED and not event.has_started
    return TODAY if is_on and event.is_today else BADGES[event.state]


def public_address(event: Event) -> str:
    """What organisers pass on, in the language of the site."""
    with translation.override(settings.LANGUAGE_CODE):
        return settings.BASE_URL + event.get_absolute_url()


def named_with_date(event: Event) -> str:
    """« Partager la rue, 13 mai 2025 »; the name alone where this machine does not know the time zone."""
    try:
        return f"{event.short_title}, {dates.event_dates(event)}"
    except ZoneInfoNotFoundError:
        return event.short_title


def distance(event: Event) -> str:
    """dans 14 jours; aujourd’hui; il y a 3 semaines; in the calendar of the event."""
    now = timezone.now()
    if event.has_started and not event.is_over:
        return _("ends in %(time)s") % {"time": _hours(event.ends_at - now)}
    days = (event.start_date - now.astimezone(event.zone).date()).days
    match days:
        case 0:
            return _("today")
        case 1:
            return _("tomorrow")
        case -1:
            return _("yesterday")
    words = _("in %(time)s") if days > 0 else _("%(time)s ago")
    return words % {"time": _days(abs(days))}


def _days(days: int) -> str:
    if days < WEEKS_FROM:
        return ngettext("%(number)s day", "%(number)s days", days) % {"number": days}
    if days < MONTHS_FROM:
        return ngettext("%(number)s week", "%(number)s weeks", days // 7) % {"number": days // 7}
    return ngettext("%(number)s month", "%(number)s months", days // 30) % {"number": days // 30}


def _hours(time: timedelta) -> str:
    hours, minutes = divmod(max(int(time.total_seconds()) // 60, 1), 60)
    return _("%(hours)s h %(minutes)s") % {"hours": hours, "minutes": f"{minutes:02}"} if hours else f"{minutes} min"
