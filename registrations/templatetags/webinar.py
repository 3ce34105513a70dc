"""Template filters and tags of pages, mails and documents."""

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
from registrations.models.texts import Text
from registrations.text import (
    calendar_links,
    date_leaf,
    dates,
    markdown,
    report_name,
    structured_data,
    time_zones,
    typography,
)

JSON_ESCAPES = str.maketrans({"<": "\\u003C", ">": "\\u003E", "&": "\\u0026"})  # the same characters, escaped in JSON

register = template.Library()

register.filter("event_days", dates.event_days)
register.filter("event_dates", dates.event_dates)
register.filter("short_days", dates.short_days)
register.filter("short_start", dates.short_start)
register.filter("on_days", dates.on_days)
register.filter("of_days", dates.of_days)
register.filter("of_dates", dates.of_dates)
register.filter("of_short_dates", dates.of_short_dates)
register.filter("of_short_start", dates.of_short_start)
register.filter("hours", dates.hours)
register.filter("from_to", dates.from_to)
register.filter("named_from_to", dates.named_from_to)
register.filter("when", dates.when)
register.filter("date_leaf", date_leaf.when)
register.filter("calendar_links", calendar_links.calendar_links)
register.filter("zone_name", dates.zone_name)
register.filter("spoken_zone", time_zones.spoken)
register.filter("relative_day", dates.relative_day)
register.filter("former_date", dates.former)
register.filter("the_report", report_name.the_report)
register.filter("the_report_title", report_name.the_report_title)
register.filter("for_whom", report_name.for_whom)
register.filter("of", typography.of)
register.filter("typo", typography.french)
register.filter("markdown", markdown.rendered)


@register.simple_tag
def day(moment: datetime, event: Event, *, weekday: bool = True, year: bool = True) -> str:
    return dates.day(moment, event, weekday=weekday, year=year)


@register.simple_tag
def hour(moment: datetime, event: Event) -> str:
    return dates.hour(moment, event)


@register.simple_tag
def named_hour(moment: datetime, event: Event) -> str:
    return dates.named_hour(moment, event)


@register.filter
def overseas_starts(event: Event) -> list[tuple[str, str]]:
    """(places, hour) of the start of a session that is still to come."""
    return [] if event.has_started else dates.overseas_times(event.starts_at, event)


@register.filter
def ends_iso(event: Event) -> str:
    return event.ends_at.astimezone(event.zone).isoformat(timespec="minutes")


@register.filter
def starts_iso(event: Event) -> str:
    """Such as 2025-05-13T16:30+02:00, for <time datetime>."""
    return event.starts_at.astimezone(event.zone).isoformat(timespec="minutes")


@register.filter
def weight(size: int) -> str:
    """File size such as « 39 Ko » or « 2,4 Mo » (powers of ten), in the current language."""
    if size < 1_000_000:
        return _("%(number)s kB") % {"number": max(1, round(size / 1000))}
    return _("%(number)s MB") % {"number": formats.number_format(size / 1_000_000, 1)}


@register.filter
def share_by_mail(event: Event) -> str:
    """A mailto: link (RFC 6068) to share the public page of the event."""
    words = {"subject": typography.french(event.texts.title), "body": settings.BASE_URL + event.get_absolute_url()}
    return f"mailto:?{urlencode(words, quote_via=quote)}"


@register.filter
def masked(address: str) -> str:
    """z…@example.org: the owner can recognise the address, others cannot read it."""
    local_part, at, domain = address.rpartition("@")
    return f"{local_part[:1]}…{at}{domain}"


@register.filter
def mailto(address: str) -> SafeString:
    """A mailto: link that can break before the @ on a narrow screen."""
    shown = mark_safe(conditional_escape(address).replace("@", "<wbr>@"))  # noqa: S308 - escaped just before
    return format_html('<a href="mailto:{}">{}</a>', address, shown)


@register.filter
def sentence(text: str) -> str:
    """The text with a period at its end, unless it ends with punctuation."""
    return text if text.endswith(("?", "!", "…", ".")) else f"{text}."


@register.filter
def in_language(path: str, language: str) -> str:
    """Path of the same page in another language; empty for a page in one language only."""
    path = "/" + path.lstrip("/")  # a path that begins with two slashes would be read as a host
    translated = translate_url(path, language)
    return "" if translated == path else translated


@register.simple_tag
def alternates(path: str) -> list[tuple[str, str]]:
    """(hreflang, path) of a page in each language, and x-default."""
    languages = [code for code, _name in settings.LANGUAGES]
    return [
        *((code, translate_url(path, code)) for code in languages),
        ("x-default", translate_url(path, settings.LANGUAGE_CODE)),
    ]


@register.simple_tag
def event_data(event: Event) -> SafeString:
    """Structured data (JSON-LD) as a script element; the JSON is escaped so that it cannot close the element."""
    data = json.dumps(structured_data.event_data(event), ensure_ascii=False).translate(JSON_ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(data))  # noqa: S308 - escaped just before


@register.simple_tag
def content_lang(text: str = "") -> SafeString:
    """The attribute lang of an organiser's text on a page in another language, for screen readers.

    A text that does not say its language (a name, an answer) is in the site's.
    """
    language = getattr(text, "language", settings.LANGUAGE_CODE)
    return SafeString() if translation.get_language() == language else format_html(' lang="{}"', language)


@register.filter
def written_in(texts: list[Text]) -> str:
    """What a page says of texts in another language than its own; empty when there is none."""
    others = {text.language for text in texts if text.language != translation.get_language()}
    if not others:
        return ""
    if len([text for text in texts if text.language in others]) < len(texts):
        return {"fr": _("Part of the text is in French only."), "en": _("Part of the text is in English only.")}[
            others.pop()
        ]
    return {"fr": _("This text is in French only."), "en": _("This text is in English only.")}[others.pop()]
