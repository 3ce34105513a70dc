"""Moments in words, in the active language and the event's own zone."""

import copy
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from registrations.models import Event
from registrations.text import time_zones

NBSP = "\u00a0"
PARIS = "Europe/Paris"
LONGEST_SESSION = timedelta(hours=12)  # across midnight; what is longer takes several days
OVERSEAS = ["America/Guadeloupe", "America/Martinique", "America/Cayenne", "Indian/Reunion", "Indian/Mayotte"]


def day(moment: datetime, event: Event, *, weekday: bool = True, year: bool = True) -> str:
    """mardi 13 mai 2025; dimanche 1er juin 2025; Tuesday 13 May 2025."""
    return _day_in(moment, event.zone, weekday=weekday, year=year)


def hour(moment: datetime, event: Event) -> str:
    """16 h 30, 18 h; 16:30 in English."""
    return _hour_in(moment, event.zone)


def _day_in(moment: datetime, zone: ZoneInfo, *, weekday: bool = True, year: bool = True) -> str:
    local = moment.astimezone(zone)
    number = "1er" if local.day == 1 and translation.get_language() == "fr" else str(local.day)
    words = [formats.date_format(local, "l")] if weekday else []
    words.append(f"{number}{NBSP}{formats.date_format(local, 'F')}")
    if year:
        words.append(str(local.year))
    return " ".join(words)


def _hour_in(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    if translation.get_language() != "fr":
        return f"{local:%H:%M}"
    return f"{local.hour}{NBSP}h{NBSP}{local:%M}" if local.minute else f"{local.hour}{NBSP}h"


def relative_day(event: Event) -> str:
    """aujourd’hui, demain; or the day itself when it is further away."""
    days = (event.start_date - timezone.now().astimezone(event.zone).date()).days
    return {0: _("today"), 1: _("tomorrow")}.get(days) or day(event.starts_at, event, year=False)


def zone_name(event: Event) -> str:
    """heure de Paris; Paris time."""
    return time_zones.spoken(event.timezone)


def named_hour(moment: datetime, event: Event) -> str:
    """16 h 30; 9 h (heure de Nouméa) where the active zone, in which hours are told without a name, is another."""
    words = hour(moment, event)
    return words if event.timezone == timezone.get_current_timezone_name() else f"{words} ({zone_name(event)})"


def event_days(event: Event, *, weekday: bool = True) -> str:
    """mardi 13 mai 2025; du mardi 13 au mercredi 14 mai 2025."""
    if not _takes_several_days(event):
        return day(event.starts_at, event, weekday=weekday)
    first, last = (moment.astimezone(event.zone) for moment in (event.starts_at, event.ends_at))
    one_year = first.year == last.year
    start = day(event.starts_at, event, weekday=weekday, year=not one_year)
    if one_year and first.month == last.month:
        start = start.rpartition(NBSP)[0]
    return _("%(first)s to %(last)s") % {"first": start, "last": day(event.ends_at, event, weekday=weekday)}


def on_days(event: Event) -> str:
    """le mardi 13 mai 2025; du mardi 13 au mercredi 14 mai 2025."""
    words = pgettext("several", "from %(days)s") if _takes_several_days(event) else _("on %(days)s")
    return words % {"days": event_days(event)}


def of_days(event: Event, *, weekday: bool = True) -> str:
    """du mardi 13 mai 2025; du mardi 13 au mercredi 14 mai 2025."""
    words = pgettext("several", "of %(days)s") if _takes_several_days(event) else _("of %(days)s")
    return words % {"days": event_days(event, weekday=weekday)}


def of_dates(event: Event) -> str:
    """du 13 mai 2025; du 13 au 14 mai 2025."""
    return of_days(event, weekday=False)


def _nights(event: Event) -> int:
    return (event.ends_at.astimezone(event.zone).date() - event.start_date).days


def _takes_several_days(event: Event) -> bool:
    return _nights(event) > 0 and event.ends_at - event.starts_at > LONGEST_SESSION


def hours(event: Event) -> str:
    """16 h 30 – 18 h; with the day of an end on another one."""
    start, end = _start_and_end(event)
    return f"{start}{NBSP}– {end}"


def from_to(event: Event) -> str:
    """de 16 h 30 à 18 h; de 22 h à 1 h le lendemain; from 16:30 to 18:00."""
    start, end = _start_and_end(event)
    return _("from %(start)s to %(end)s") % {"start": start, "end": end}


def _start_and_end(event: Event) -> tuple[str, str]:
    start, end = hour(event.starts_at, event), hour(event.ends_at, event)
    match _nights(event):
        case 0:
            return start, end
        case 1:
            return start, _("%(hour)s the next day") % {"hour": end}
    return _("%(hour)s on the first day") % {"hour": start}, _("%(hour)s on the last day") % {"hour": end}


def when(event: Event) -> str:
    """mardi 13 mai 2025, 16 h 30 – 18 h (heure de Paris)."""
    return f"{event_days(event)}, {hours(event)} ({zone_name(event)})"


def former(event: Event) -> str:
    """mardi 13 mai 2025, de 16 h 30 à 18 h: before the last move; empty when there was none, or back to that date."""
    if event.former_starts_at is None or event.former_ends_at is None:
        return ""
    before = copy.copy(event)
    before.starts_at, before.ends_at = event.former_starts_at, event.former_ends_at
    is_same = (before.starts_at, before.ends_at) == (event.starts_at, event.ends_at)
    return "" if is_same else f"{event_days(before)}, {from_to(before)}"


def overseas_times(moment: datetime, event: Event) -> list[tuple[str, str]]:
    """(department, hour there) of a moment of an event in Paris time; with the day where it is another one."""
    if event.timezone != PARIS:
        return []
    at_home = moment.astimezone(event.zone).date()
    times = []
    for name in OVERSEAS:
        zone = ZoneInfo(name)
        words = _hour_in(moment, zone)
        if moment.astimezone(zone).date() != at_home:
            words = f"{_day_in(moment, zone, year=False)}, {words}"
        times.append((time_zones.territory_name(name), words))
    return times
