"""What people decide about their place and their data, noted in the erasure journal, so that a restore respects it.

A consent is saved in one way: saving a registration also writes the date, the words and the line of the journal.
"""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.utils import timezone

from registrations.domain import erasure_journal
from registrations.domain.erasure_journal import Word
from registrations.models import Registration, hmac_digest

CONSENT = {"newsletter", "newsletter_at", "newsletter_words"}


def names_of(uid: str) -> list[str]:
    """The names of a person in the journal: digests of the calendar UID, one for each SECRET_KEY in use."""
    return hmac_digest.digests("registrations.decisions", uid)


def note(registration: Registration, word: Word) -> None:
    """Write a line. Call it in the transaction that makes the change and has locked the row."""
    erasure_journal.write_word(word, names_of(registration.uid)[0])


@receiver(pre_save, sender=Registration)
def keep_consent(instance: Registration, *, raw: bool, update_fields: Collection[str] | None, **_signal: Any) -> None:
    """Save a consent with its date and the words that were agreed to; a withdrawn one leaves neither.

    A change of a stored row is noted in the journal. A new row needs no line: no backup has an older answer.
    """
    written = CONSENT if update_fields is None else CONSENT.intersection(update_fields)
    if raw or not written:
        return
    if written != CONSENT:
        raise ValueError(f"A consent is saved as a whole: {', '.join(sorted(CONSENT))}.")
    if instance.newsletter == bool(instance.newsletter_at):
        return
    instance.newsletter_at = timezone.now() if instance.newsletter else None
    instance.newsletter_words = str(instance.event.texts.newsletter_label) if instance.newsletter else ""
    if not instance._state.adding:
        note(instance, Word.SUBSCRIBED if instance.newsletter else Word.UNSUBSCRIBED)
