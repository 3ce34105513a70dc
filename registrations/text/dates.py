"""Moments in words, in the active language and the event's own zone."""

import copy
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from registrations.models import Event
from registrations.text import hour_of_day, time_zones

NBSP = "\u00a0"
PARIS = "Europe/Paris"
LONGEST_SESSION = timedelta(hours=12)  # across midnight; what is longer takes several days
OVERSEAS = [
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "America/Miquelon",
    "Indian/Mayotte",
    "Indian/Reunion",
    "Pacific/Tahiti",
    "Pacific/Noumea",
    "Pacific/Wallis",
]


def day(moment: datetime, event: Event, *, weekday: bool = True, year: bool = True) -> str:
    """mardi 13 mai 2025; dimanche 1er juin 2025; Tuesday 13 May 2025."""
    return _day_in(moment, event.zone, weekday=weekday, year=year)


def hour(moment: datetime, event: Event) -> str:
    """16 h 30, 18 h; 16:30 in English."""
    return _hour_in(moment, event.zone)


def short_moment(moment: datetime) -> str:
    """10 mars, 9 h 12, in the active zone; with its year when that is another one."""
    local = timezone.localtime(moment)
    zone = timezone.get_current_timezone()
    words = _day_in(moment, zone, weekday=False, year=local.year != timezone.localdate().year)
    return f"{words}, {_hour_in(moment, zone)}"


def _day_in(moment: datetime, zone: ZoneInfo, *, weekday: bool = True, year: bool = True) -> str:
    local = moment.astimezone(zone)
    number = "1er" if local.day == 1 and translation.get_language() == "fr" else str(local.day)
    words = [formats.date_format(local, "l")] if weekday else []
    words.append(f"{number}{NBSP}{formats.date_format(local, 'F')}")
    if year:
        words.append(str(local.year))
    return " ".join(words)


def _hour_in(moment: datetime, zone: ZoneInfo) -> str:
    return hour_of_day.spoken(moment.astimezone(zone).time())


def relative_day(event: Event) -> str:
    """aujourd’hui, demain; or the day itself when it is further away."""
    days = (event.start_date - timezone.now().astimezone(event.zone).date()).days
    return {0: _("today"), 1: _("tomorrow")}.get(days) or day(event.starts_at, event, year=False)


def zone_name(event: Event) -> str:
    """heure de Paris; Paris time."""
    return time_zones.spoken(event.timezone)


def leaf(moment: datetime, event: Event) -> tuple[str, str]:
    """13, mai: for a leaf of a calendar."""
    local = moment.astimezone(event.zone)
    return str(local.day), formats.date_format(local, "F")


def named_hour(moment: datetime, event: Event) -> str:
    """16 h 30; 9 h (heure de Nouméa) where the active zone, in which hours are told without a name, is another."""
    return _named(hour(moment, event), event)


def named_from_to(event: Event) -> str:
    """de 16 h 30 à 18 h; de 9 h à 10 h (heure de Nouméa) where the active zone is another."""
    return _named(from_to(event), event)


def _named(words: str, event: Event) -> str:
    return words if event.timezone == timezone.get_current_timezone_name() else f"{words} ({zone_name(event)})"


def event_days(event: Event, *, weekday: bool = True, year: bool = True) -> str:
    """mardi 13 mai 2025; du mardi 13 au mercredi 14 mai 2025."""
    if not takes_several_days(event):
        return day(event.starts_at, event, weekday=weekday, year=year)
    first, last = (moment.astimezone(event.zone) for moment in (event.starts_at, event.ends_at))
    one_year = first.year == last.year
    start = day(event.starts_at, event, weekday=weekday, year=year and not one_year)
    if one_year and first.month == last.month:
        start = start.rpartition(NBSP)[0]
    end = day(event.ends_at, event, weekday=weekday, year=year)
    return _("%(first)s to %(last)s") % {"first": start, "last": end}


def event_dates(event: Event) -> str:
    """13 mai 2025; du 13 au 14 mai 2025."""
    return event_days(event, weekday=False)


def short_days(event: Event) -> str:
    """mardi 13 mai; du 13 au 14 mai: for a subject."""
    return event_days(event, weekday=not takes_several_days(event), year=False)


def short_start(event: Event) -> str:
    """mardi 13 mai, 16 h 30; du 13 au 14 mai: for a subject."""
    days = short_days(event)
    return days if takes_several_days(event) else f"{days}, {hour(event.starts_at, event)}"


def on_days(event: Event) -> str:
    """le mardi 13 mai 2025; du mardi 13 au mercredi 14 mai 2025."""
    words = pgettext("several", "from %(days)s") if takes_several_days(event) else _("on %(days)s")
    return words % {"days": event_days(event)}


def of_days(event: Event) -> str:
    """du mardi 13 mai 2025; du mardi 13 au mercredi 14 mai 2025."""
    return _of(event, event_days(event))


def of_dates(event: Event) -> str:
    """du 13 mai 2025; du 13 au 14 mai 2025."""
    return _of(event, event_dates(event))


def of_short_dates(event: Event) -> str:
    """du 13 mai; du 13 au 14 mai: for a subject."""
    return _of(event, event_days(event, weekday=False, year=False))


def of_short_start(event: Event) -> str:
    """du mardi 13 mai, 16 h 30; du 13 au 14 mai: for a subject."""
    return _of(event, short_start(event))


def _of(event: Event, days: str) -> str:
    words = pgettext("several", "of %(days)s") if takes_several_days(event) else _("of %(days)s")
    return words % {"days": days}


def day_after_le(event: Event) -> str:
    """mardi 13 mai 2025; mardi 13 mai (jusqu’au mercredi 14 mai 2025): whole days that read well after « le » too."""
    if not takes_several_days(event):
        return day(event.starts_at, event)
    one_year = event.start_date.year == event.ends_at.astimezone(event.zone).year
    first, last = day(event.starts_at, event, year=not one_year), day(event.ends_at, event)
    return _("%(first)s (until %(last)s)") % {"first": first, "last": last}


def hour_after_a(event: Event) -> str:
    """16 h 30; 9 h le premier jour: reads well after « à »."""
    start = hour(event.starts_at, event)
    return _("%(hour)s on the first day") % {"hour": start} if takes_several_days(event) else start


def _nights(event: Event) -> int:
    return (event.ends_at.astimezone(event.zone).date() - event.start_date).days


def takes_several_days(event: Event) -> bool:
    """A session across midnight is of one day."""
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


def end_hour(event: Event) -> str:
    """18 h; 1 h le lendemain; 18 h le dernier jour."""
    return _start_and_end(event)[1]


def overseas_times(moment: datetime, event: Event) -> list[tuple[str, str]]:
    """(places of one hour, the hour there) of a moment of an event in Paris time; with the day if it is another."""
    if event.timezone != PARIS:
        return []
    places: dict[str, list[str]] = {}
    for name in OVERSEAS:
        places.setdefault(_hour_there(moment, event, ZoneInfo(name)), []).append(time_zones.territory_name(name))
    return [(", ".join(names), words) for words, names in places.items()]


def _hour_there(moment: datetime, event: Event, zone: ZoneInfo) -> str:
    words = _hour_in(moment, zone)
    if moment.astimezone(zone).date() == moment.astimezone(event.zone).date():
        return words
    day_there = _day_in(moment, zone, weekday=False, year=False)
    return _("%(hour)s, on %(day)s") % {"hour": words, "day": day_there}
