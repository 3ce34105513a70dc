"""An organiser's own words in an automatic mail: subject, opening and closing, with the placeholders filled in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from registrations.mailing import placeholders
from registrations.models import Delivery, Event, MailText, Registration
from registrations.models.mail_kinds import KINDS, OwnWords
from registrations.models.mail_text import WORDS
from registrations.models.one_line import one_line
from registrations.text import markdown

TYPED = ["kind", "language", *WORDS]
SPACES = re.compile(r" +")  # not the no-break space
LINE_END = re.compile(r"(?<=[^\s\\])\n(?=\S)")
HARD_BREAK = "  \n"  # of Markdown: « À bientôt, » and the name below it stay two lines


@dataclass(frozen=True)
class Words:
    """In both forms of the mail."""

    text: str
    html: SafeString


@dataclass(frozen=True)
class Filled:
    subject: str  # empty: the site's
    opening: Words | None
    closing: Words | None


def filled_words(delivery: Delivery) -> Filled | None:
    """The words for this mail; None when all are the site's. Only an event that has some costs a query."""
    declared, registration = delivery.facts.own_words, delivery.registration
    if declared is None or registration is None:
        return None
    text = _text(registration.event, delivery.kind, registration.language)
    return _filled(text, declared, delivery, registration) if text else None


def _text(event: Any, kind: str, language: str) -> MailText | None:
    """As it is typed in a preview, else as it is saved at this moment."""
    if (typed := getattr(event, "typed_texts", None)) is not None:
        return next((text for text in typed if (text.kind, text.language) == (kind, language)), None)
    if not getattr(event, "has_own_words", True):
        return None
    return MailText.objects.filter(event=event, kind=kind, language=language).first()


def _filled(text: MailText, declared: OwnWords, delivery: Delivery, registration: Registration) -> Filled:
    values = placeholders.markdown_values(registration)
    subject = text.subject if delivery.reason in declared.subject_reasons else ""
    return Filled(
        subject=placeholders.filled(subject, placeholders.plain_values(registration.event)),
        opening=_words(text.opening, values) if declared.has_opening else None,
        closing=_words(text.closing, values),
    )


def _words(typed: str, values: Mapping[str, str]) -> Words | None:
    if not typed.strip():
        return None
    text = placeholders.filled(LINE_END.sub(HARD_BREAK, typed), values)
    schemes = {*markdown.SCHEMES, urlsplit(settings.BASE_URL).scheme}
    return Words(markdown.plain(text, schemes=schemes), markdown.safe_html(text, schemes=schemes))


def in_body(declared: OwnWords) -> list[str]:
    """The placeholders of an opening or a closing: whoever may have no seat has no link to the room."""
    return [name for name in placeholders.IN_BODY if declared.has_link or name != "lien"]


def site_subject(event: Event, kind: Delivery.Kind, language: str) -> str:
    """The subject as the site writes it."""
    situation = KINDS[kind].situations[0]
    person = Registration(event=event, language=language, status=situation.status)
    with translation.override(language):
        context = {"event": event, "registration": person, "reason": situation.reason}
        return SPACES.sub(" ", one_line(render_to_string(f"mail/{kind}.txt#subject", context))).strip()


def as_typed(texts: Sequence[MailText]) -> list[dict[str, str]]:
    """For the row of a trial, which sends what is not saved yet."""
    return [{name: getattr(text, name) for name in TYPED} for text in texts]
