"""Who asked for the newsletter, with what proves it: when, and the words that were agreed to."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from registrations.models import Event, Registration


def readers(event: Event) -> QuerySet[Registration]:
    """Whoever ticked the box and has not taken it back; a seat given back does not take it back."""
    return event.registrations.filter(newsletter=True, erase_by__isnull=True)


def headings() -> list[str]:
    return [_("Email address"), _("First name"), _("Last name"), _("Consent given (ISO 8601)"), _("Words agreed to")]


def rows(event: Event) -> Iterator[list[str]]:
    for reader in readers(event).order_by("pk").iterator():
        consent = (
            reader.newsletter_at.astimezone(event.zone).isoformat(timespec="seconds") if reader.newsletter_at else ""
        )
        yield [reader.email, reader.first_name, reader.last_name, consent, reader.newsletter_words]
