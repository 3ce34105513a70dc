"""Replace {prenom}, {titre}, {lien} … in an organiser's text with their values, by looking them up in a dictionary.

A value is not searched for placeholders again, and is escaped in Markdown: a name cannot become a link or a tag.
"""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from registrations.models import Event, Registration
from registrations.models.one_line import one_line
from registrations.models.person_fields import PERSON_FIELDS
from registrations.text import dates
from registrations.text.typography import french

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # the characters that Markdown can escape (CommonMark, 2.4)
OF_EVENT = ["titre", "date", "heure"]
OF_PERSON = {one.placeholder: one.name for one in PERSON_FIELDS if one.placeholder}
LINKS = ["lien", "mon_inscription"]
IN_SUBJECT = OF_EVENT  # nothing that a visitor has typed
IN_BODY = [*OF_PERSON, *OF_EVENT, *LINKS]


def shown(names: list[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def unknown(text: str, known: list[str]) -> str:
    """The first unknown placeholder or single brace; empty when there is none."""
    rest = PLACEHOLDER.sub(lambda match: "" if match[1] in known else match[0], text)
    found = re.search(r"\{[^{}\n]*\}|[{}]", rest)
    return found[0] if found else ""


def filled(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def plain_values(event: Event) -> dict[str, str]:
    """Values for a subject, which is plain text."""
    if event.status == Event.Status.POSTPONED:
        day = hour = _("(new date not known yet)")
    else:
        day, hour = dates.day_after_le(event), dates.hour_after_a(event)
    return {"titre": french(event.texts.title), "date": day, "heure": hour}


def markdown_values(registration: Registration) -> dict[str, str]:
    """Values for a text in Markdown. Without a seat, {lien} is the event's page instead of the link to the room."""
    words = {
        **plain_values(registration.event),
        **{placeholder: getattr(registration, name) for placeholder, name in OF_PERSON.items()},
    }
    link = registration.join_url if registration.is_seated else registration.public_url
    links = {"lien": link, "mon_inscription": registration.manage_url}
    return {name: escaped(value) for name, value in words.items()} | {name: f"<{url}>" for name, url in links.items()}


def escaped(value: str) -> str:
    """The value as Markdown that shows it unchanged."""
    return MARKS.sub(r"\\\1", one_line(value))


def anyone(event: Event) -> Registration:
    """A placeholder person for a trial; the links lead to the event's page."""
    words = {one.name: f"({one.column.verbose_name})" for one in PERSON_FIELDS if one.placeholder}
    return Registration(event=event, **words, join_code="", manage_code="")
