"""Filters and tags of the pages, mails and documents."""

import json
from datetime import datetime
from urllib.parse import quote, urlencode

from django import template
from django.conf import settings
from django.urls import translate_url
from django.utils import formats, translation
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from registrations.models import Event
from registrations.text import dates, markdown, structured_data, typography

INERT = str.maketrans({"<": "\\u003C", ">": "\\u003E", "&": "\\u0026"})  # in JSON, the same signs

register = template.Library()

register.filter("event_day", dates.event_day)
register.filter("hours", dates.hours)
register.filter("from_to", dates.from_to)
register.filter("when", dates.when)
register.filter("zone_name", dates.zone_name)
register.filter("relative_day", dates.relative_day)
register.filter("of", typography.of)
register.filter("typo", typography.french)
register.filter("markdown", markdown.rendered)


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
def share_by_mail(event: Event) -> str:
    """A mailto: link (RFC 6068) with the public page in it."""
    words = {"subject": typography.french(event.title), "body": settings.BASE_URL + event.get_absolute_url()}
    return f"mailto:?{urlencode(words, quote_via=quote)}"


@register.filter
def masked(address: str) -> str:
    """z…@example.org: recognised by who knows it, told to nobody else."""
    local_part, at, domain = address.rpartition("@")
    return f"{local_part[:1]}…{at}{domain}"


@register.filter
def mailto(address: str) -> SafeString:
    """A link that may be cut before the @ on a narrow screen."""
    shown = mark_safe(conditional_escape(address).replace("@", "<wbr>@"))  # noqa: S308 - escaped just before
    return format_html('<a href="mailto:{}">{}</a>', address, shown)


@register.filter
def sentence(text: str) -> str:
    """Ended by a period, unless it ends itself: a title before other words."""
    return text if text.endswith(("?", "!", "…", ".")) else f"{text}."


@register.filter
def in_language(path: str, language: str) -> str:
    """The same page in another language; empty for a page that has only one."""
    path = "/" + path.lstrip("/")  # two slashes would make what follows a host
    translated = translate_url(path, language)
    return "" if translated == path else translated


@register.simple_tag
def alternates(path: str) -> list[tuple[str, str]]:
    """(hreflang, path) of a page in each language; the default one for everybody else."""
    languages = [code for code, _name in settings.LANGUAGES]
    return [
        *((code, translate_url(path, code)) for code in languages),
        ("x-default", translate_url(path, settings.LANGUAGE_CODE)),
    ]


@register.simple_tag
def event_data(event: Event) -> SafeString:
    """A block of data, which no browser runs; no title can close it."""
    data = json.dumps(structured_data.event_data(event), ensure_ascii=False).translate(INERT)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(data))  # noqa: S308 - made inert


@register.simple_tag
def content_lang() -> SafeString:
    """The attribute that tells screen readers that an organiser's text is French, on a page in another language."""
    if translation.get_language() == settings.LANGUAGE_CODE:
        return SafeString()
    return format_html(' lang="{}"', settings.LANGUAGE_CODE)
