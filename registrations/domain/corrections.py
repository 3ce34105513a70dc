"""What registrants may correct: their answers, and their address, which is confirmed from the new mailbox."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from registrations.domain import erasure, signup, waiting_list
from registrations.mailing import wakeups
from registrations.models import Delivery, Event, Registration
from registrations.models.person_fields import PERSON_FIELDS
from registrations.models.registration import new_code
from registrations.security import rate_limits

Kind, Reason = Delivery.Kind, Delivery.Reason


class AddressTaken(Exception):
    """Another registration for this event has this address."""


@transaction.atomic
def correct_answers(registration: Registration, **typed: Any) -> bool:
    """Save corrected answers, and enqueue the mail about it, once for several corrections in a row.

    Returns whether anything changed.
    """
    registration = Registration.objects.locked(registration)
    before = registration.own_answers
    registration.answer(typed.pop("own_answers", {}))
    is_same = registration.own_answers == before
    if is_same and not any(getattr(registration, name) != value for name, value in typed.items()):
        return False
    for name, value in typed.items():
        setattr(registration, name, value)
    registration.save()
    if not registration.deliveries.pending().filter(kind=Kind.UPDATED).exists():
        Delivery.objects.enqueue(registration, Kind.UPDATED)
        wakeups.send_due_mail.enqueue()
    return True


@transaction.atomic
def ask_for_address(registration: Registration, *, email: str) -> bool:
    """Send a link to the new address; nothing changes until it is confirmed there.

    If the address has another registration, that one's mail is sent instead, and the page says the same. Returns
    whether a mail leaves: a mailbox over its limit gets none.
    """
    others = Registration.objects.like(registration)
    if other := others.of_address(email).not_cancelled().first():
        other = Registration.objects.locked(other)
        if send_at := rate_limits.mail_due(other.event, email, is_first=False):
            signup.send_link(other, reason=Reason.KNOWN, send_at=send_at)
        return send_at is not None
    registration = Registration.objects.locked(registration)
    if email.lower() == registration.email.lower():
        return False
    send_at = rate_limits.mail_due(registration.event, email, is_first=False)
    if send_at is None:
        return False
    _forget_new_address(registration)
    registration.new_email, registration.new_email_code = email, new_code()
    registration.save(update_fields=["new_email", "new_email_code"])
    Delivery.objects.enqueue(registration, Kind.ADDRESS_CHECK, recipient=email, send_at=send_at)
    wakeups.send_due_mail.enqueue()
    return True


@transaction.atomic
def confirm_address(registration: Registration) -> None:
    """Use the new address from now on, send it the confirmation again, and tell the old one.

    Raises AddressTaken.
    """
    registration = Registration.objects.locked(registration)
    if not registration.new_email:
        return  # a second click
    old = registration.email
    registration.email = registration.new_email
    _forget_new_address(registration)
    _save_address(registration)
    Delivery.objects.enqueue(registration, Kind.ADDRESS_CHANGED, recipient=old)
    if not registration.is_cancelled:
        signup.send_link(registration, reason=Reason.CORRECTED)
    wakeups.send_due_mail.enqueue()


@transaction.atomic
def refuse_address(registration: Registration) -> None:
    """The owner of the new address did not ask for the change: suppress that address."""
    registration = Registration.objects.locked(registration)
    if registration.new_email and not registration.is_dry_run:
        erasure.suppress(registration.new_email)
    _forget_new_address(registration)


@transaction.atomic
def correct_sign_up(registration: Registration, *, email: str) -> Registration:
    """Move a sign-up of a few minutes ago from a mistyped address to the right one.

    The links that were sent to the wrong address become invalid. If the right address already has a registration, that
    one stays and the mistaken one is erased. Returns the registration that is valid now.
    """
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    others = Registration.objects.like(registration)
    if other := others.of_address(email).first():
        if not event.accepts_sign_ups:
            raise signup.SignUpClosed  # before the erasure is written to the journal
        typed = answers(registration)
        erasure.erase(registration)  # first, so that its seat is free for the other
        language = registration.language
        other = signup.register(event, email=email, language=language, **typed).registration
        waiting_list.promote(event)
        return other
    registration.deliveries.filter(kind__in=[Kind.CONFIRMATION, Kind.WAITING_LIST]).drop(
        _("the address was corrected")
    )
    registration.email = email
    registration.renew_codes()
    registration.save()
    send_at = rate_limits.mail_due(event, email, is_first=True)
    signup.send_link(registration, reason=Reason.NEW, send_at=send_at)
    return registration


def answers(registration: Registration) -> dict[str, Any]:
    """By name, what a person corrects in one form: everything but the address."""
    return {one.name: getattr(registration, one.name) for one in PERSON_FIELDS if one.corrected_by_person}


def _forget_new_address(registration: Registration) -> None:
    registration.new_email, registration.new_email_code = "", None
    registration.save(update_fields=["new_email", "new_email_code"])
    registration.deliveries.filter(kind=Kind.ADDRESS_CHECK).drop(_("the new address is no longer asked for"))


def _save_address(registration: Registration) -> None:
    try:
        with transaction.atomic():
            registration.save(update_fields=["email", "search"])
    except IntegrityError as error:
        raise AddressTaken from error
