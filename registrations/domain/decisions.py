"""What people decide about their place and their data, told to the erasure journal: no restored backup undoes it."""

from registrations.domain import erasure_journal
from registrations.domain.erasure_journal import Word
from registrations.models import Registration, hmac_digest


def names_of(uid: str) -> list[str]:
    """What the journal may call the person of this calendar entry, who is still there: nothing that a mail shows."""
    return hmac_digest.digests("registrations.decisions", uid)


def note(registration: Registration, word: Word) -> None:
    """Call it in the transaction that makes the change, and that holds the registration's row."""
    erasure_journal.write_word(word, names_of(registration.uid)[0])


def save(registration: Registration) -> None:
    """With the consent to the newsletter that is given, or taken back, in this transaction."""
    if registration.consent_changes:
        note(registration, Word.SUBSCRIBED if registration.newsletter else Word.UNSUBSCRIBED)
    registration.save()
