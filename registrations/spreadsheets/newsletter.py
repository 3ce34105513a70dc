"""Newsletter subscribers with the proof of their consent: when it was given, and its exact words."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from registrations.models import Event, Registration
from registrations.runtime.rows import in_chunks


def subscribers(event: Event) -> QuerySet[Registration]:
    """Registrations with a newsletter consent. Giving the seat back does not withdraw the consent."""
    return event.registrations.without_dry_runs().filter(newsletter=True, erase_by__isnull=True)


def headings() -> list[str]:
    return [_("Email address"), _("First name"), _("Last name"), _("Consent given (ISO 8601)"), _("Words agreed to")]


def rows(event: Event) -> Iterator[list[str]]:
    for subscriber in in_chunks(subscribers(event).order_by("pk")):
        consent = (
            subscriber.newsletter_at.astimezone(event.zone).isoformat(timespec="seconds")
            if subscriber.newsletter_at
            else ""
        )
        yield [subscriber.email, subscriber.first_name, subscriber.last_name, consent, subscriber.newsletter_words]
