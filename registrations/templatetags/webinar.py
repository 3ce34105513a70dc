"""Filters and tags of the pages, mails and documents."""

from datetime import datetime

from django import template
from django.urls import translate_url
from django.utils import formats
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from registrations import dates, typography
from registrations.models import Event

register = template.Library()

register.filter("event_day", dates.event_day)
register.filter("hours", dates.hours)
register.filter("from_to", dates.from_to)
register.filter("when", dates.when)
register.filter("zone_name", dates.zone_name)
register.filter("of", typography.of)
register.filter("typo", typography.french)
register.filter("markdown", typography.markdown)


@register.simple_tag
def day(moment: datetime, event: Event, *, weekday: bool = True, year: bool = True) -> str:
    return dates.day(moment, event, weekday=weekday, year=year)


@register.simple_tag
def hour(moment: datetime, event: Event) -> str:
    return dates.hour(moment, event)


@register.filter
def starts_iso(event: Event) -> str:
    """2025-05-13T16:30+02:00, for <time datetime>."""
    return event.starts_at.astimezone(event.zone).isoformat(timespec="minutes")


@register.filter
def weight(size: int) -> str:
    """39 Ko, 2,4 Mo: the units of the reader's language, powers of ten."""
    if size < 1_000_000:
        return _("%(number)s kB") % {"number": max(1, round(size / 1000))}
    return _("%(number)s MB") % {"number": formats.number_format(size / 1_000_000, 1)}


@register.filter
def mailto(address: str) -> SafeString:
    """A link that may be cut before the @ on a narrow screen."""
    shown = mark_safe(conditional_escape(address).replace("@", "<wbr>@"))  # noqa: S308 - escaped just before
    return format_html('<a href="mailto:{}">{}</a>', address, shown)


@register.filter
def in_language(path: str, language: str) -> str:
    """The same page in another language."""
    return translate_url(path, language)
