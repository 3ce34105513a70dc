"""Signing up: one transaction that writes the registration, its mail and a wake-up for the worker."""

from datetime import datetime
from typing import Any

from django.db import transaction

from registrations import limits, tasks
from registrations.models import Delivery, Event, Registration


class SignUpClosed(Exception):
    """This event takes no sign-up at this moment."""


@transaction.atomic
def register(event: Event, *, email: str, language: str, **answers: Any) -> Registration:
    """Put a person on the list of an event and owe them the confirmation.

    An address that is on the list already keeps its answers and is sent the confirmation again. A cancelled
    registration is taken up again in the same row, with the new answers and the same calendar entry. Of several
    simultaneous sign-ups of one address the unique constraint lets one create the row; the others find it.
    Raises SignUpClosed.
    """
    if not event.accepts_sign_ups:
        raise SignUpClosed
    registration, is_new = (
        Registration.objects.select_for_update()
        .filter(event=event)
        .of_address(email)
        .get_or_create(defaults={"event": event, "email": email, "language": language, **answers})
    )
    if registration.status == Registration.Status.CANCELLED:
        _return(registration, language=language, **answers)
        is_new = True
    if due := limits.mail_due(event, registration.email, is_first=is_new):
        _owe_confirmation(registration, Delivery.Reason.NEW if is_new else Delivery.Reason.KNOWN, due=due)
    return registration


@transaction.atomic
def send_confirmation(registration: Registration, *, reason: Delivery.Reason) -> None:
    """Owe a registrant the confirmation, once more if it was sent before."""
    Registration.objects.select_for_update().get(pk=registration.pk)
    _owe_confirmation(registration, reason)


def _owe_confirmation(registration: Registration, reason: Delivery.Reason, *, due: datetime | None = None) -> None:
    Delivery.objects.owe(registration, Delivery.Kind.CONFIRMATION, reason=reason, due=due)
    tasks.send_due_mail.enqueue()


def _return(registration: Registration, **answers: Any) -> None:
    """Come back after a cancellation: the calendar entry gets a higher SEQUENCE, or it would stay cancelled."""
    for name, value in answers.items():
        setattr(registration, name, value)
    registration.status = Registration.Status.CONFIRMED
    registration.cancelled_at = None
    registration.sequence += 1
    registration.save()
