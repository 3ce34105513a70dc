"""Every mail in every state, as a page of the table in `tests.browser.pages`."""

import secrets
from collections.abc import Callable
from typing import Any

from registrations.models import Broadcast, Delivery, Registration
from tests.browser.scenes import (
    CONFIRMATION,
    DAY,
    MESSAGE,
    MINUTE,
    WORDS,
    Kind,
    SitePage,
    admin_alarmed,
    language,
    registration,
    someone_present,
)
from tests.factories import make_event, make_registration


def past_registration() -> Registration:
    return registration(starts_in=-30 * DAY, open_after_session=True, report=False)


def letter(kind: Delivery.Kind, made: Registration | None = None, reason: str = "") -> str:
    """The HTML of a mail, as a mail program would show it."""
    recipient = "" if made else "operator@example.org"
    delivery = Delivery.objects.create(registration=made, kind=kind, reason=reason, recipient=recipient)
    return f"/letter/{delivery.pk}/"


def letter_to(kind: Delivery.Kind, reason: str = "", status: str = "confirmed", **fields: Any) -> Callable[[], str]:
    """A mail to someone of that status, about an event of those fields."""

    def prepare() -> str:
        fields_of_event = {name.removesuffix("_of_event"): value for name, value in fields.items()}
        event = make_event(report=False, **fields_of_event)
        code = secrets.token_urlsafe(16)
        made = make_registration(
            event, language=language(), status=status, new_email="n@example.org", new_email_code=code
        )
        return letter(kind, made, reason)

    return prepare


def alert() -> str:
    admin_alarmed()
    return letter(Delivery.Kind.ALERT)


def trial_reader() -> Registration:
    return make_registration(make_event(report=False), language=language(), is_dry_run=True)


def message_letter(kind: Delivery.Kind) -> Callable[[], str]:
    def prepare() -> str:
        made = None if kind == Kind.TRIAL else registration(report=False)
        event = made.event if made else make_event()
        written = Broadcast.objects.create(event=event, audience="seated", subject="Salle", body=MESSAGE, created_by=1)
        delivery = Delivery.objects.create(registration=made, kind=kind, broadcast=written)
        return f"/letter/{delivery.pk}/"

    return prepare


MAIL_PAGES = [
    *(
        SitePage(name, prepare, languages=languages, mail=True)
        for name, prepare, languages in [
            ("mail-confirmation", lambda: letter(CONFIRMATION, registration(report=False)), ("fr", "en")),
            ("mail-confirmation-past", lambda: letter(CONFIRMATION, past_registration()), ("fr", "en")),
            ("mail-confirmation-today", letter_to(CONFIRMATION, "new", starts_in=30 * MINUTE), ("fr", "en")),
            ("mail-confirmation-trial", lambda: letter(CONFIRMATION, trial_reader()), ("fr", "en")),
            ("mail-promoted", letter_to(Kind.PROMOTED, "promoted"), ("fr", "en")),
            ("mail-waiting-list", letter_to(Kind.WAITING_LIST, "new", "waitlisted"), ("fr", "en")),
            ("mail-reminder-day", letter_to(Kind.REMINDER_DAY, starts_in=DAY), ("fr", "en")),
            ("mail-reminder-hour", letter_to(Kind.REMINDER_HOUR, starts_in=60 * MINUTE), ("fr", "en")),
            ("mail-moved", letter_to(Kind.CHANGED, "moved", organiser_words=WORDS), ("fr", "en")),
            ("mail-notes", letter_to(Kind.CHANGED, "notes", connection_notes="Code : 1234"), ("fr", "en")),
            (
                "mail-postponed",
                letter_to(Kind.CHANGED, "postponed", status_of_event="postponed", organiser_words=WORDS),
                ("fr", "en"),
            ),
            (
                "mail-cancelled",
                letter_to(Kind.CANCELLED, status_of_event="cancelled", organiser_words=WORDS),
                ("fr", "en"),
            ),
            ("mail-withdrawn", letter_to(Kind.WITHDRAWN, "seat", "cancelled"), ("fr", "en")),
            ("mail-updated", letter_to(Kind.UPDATED), ("fr", "en")),
            ("mail-address-check", letter_to(Kind.ADDRESS_CHECK), ("fr", "en")),
            ("mail-address-changed", letter_to(Kind.ADDRESS_CHANGED, "invited"), ("fr", "en")),
            ("mail-address-corrected", letter_to(Kind.ADDRESS_CHANGED, "corrected"), ("fr", "en")),
            ("mail-erased", letter_to(Kind.ERASED, "seat", "cancelled"), ("fr", "en")),
            ("mail-follow-up", lambda: letter(Kind.FOLLOW_UP, someone_present()), ("fr", "en")),
            ("mail-broadcast", message_letter(Kind.BROADCAST), ("fr", "en")),
            ("mail-trial", message_letter(Kind.TRIAL), ("fr",)),
            ("mail-alert", alert, ("fr",)),
        ]
    ),
]
