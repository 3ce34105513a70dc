"""Write the automatic mails of an event in one's own words."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db import transaction

from registrations.models import Event, MailText
from registrations.models.mail_kinds import Kind
from registrations.models.mail_text import WORDS


class Change(NamedTuple):
    language: str
    field: str  # one of WORDS
    before: str
    after: str


@transaction.atomic
def write(event: Event, kind: Kind, typed: Mapping[str, Mapping[str, str]]) -> list[Change]:
    """Save the words by language and field, and return what changed. Mails that wait leave with the new words.

    A field that is not in `typed` stays. Without any word left, the row is deleted.
    """
    Event.objects.locked(event)  # one after the other
    changes = []
    for language, words in typed.items():
        text = found_or_new(event, kind, language)
        changed = [Change(language, name, getattr(text, name), words[name]) for name in WORDS if name in words]
        changed = [one for one in changed if one.before != one.after]
        if changed:
            _save(text, changed)
        changes += changed
    return changes


def found_or_new(event: Event, kind: Kind, language: str) -> MailText:
    same = {"event": event, "kind": kind, "language": language}
    return MailText.objects.filter(**same).first() or MailText(**same)


def _save(text: MailText, changes: list[Change]) -> None:
    for change in changes:
        setattr(text, change.field, change.after)
    if text.has_words:
        text.save()
    elif text.pk:
        text.delete()
