"""What registrants may correct: their answers, and their address, which is confirmed from the new mailbox."""

import secrets
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from registrations.domain import erasure, mailboxes, signup, waiting_list
from registrations.mailing import wakeups
from registrations.models import Delivery, Event, Registration
from registrations.models.mail_kinds import SCHEDULED
from registrations.models.person_fields import PERSON_FIELDS
from registrations.models.registration import new_code
from registrations.security import rate_limits

Kind, Reason = Delivery.Kind, Delivery.Reason
FIRST = [Kind.CONFIRMATION, Kind.WAITING_LIST]  # the first mail of a registration


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
def ask_for_address(registration: Registration, *, email: str) -> None:
    """Send a link to the new address; nothing changes until it is confirmed there.

    An address that has another registration is treated in the same way: only its owner, who opens the link, learns of
    it. A mailbox over its limit gets no mail.
    """
    registration = Registration.objects.locked(registration)
    if email.lower() == registration.email.lower():
        return
    send_at = signup.mail_due(registration.event, email, is_first=False).at
    _forget_new_address(registration)
    registration.new_email, registration.new_email_code = email, new_code()
    registration.save(update_fields=["new_email", "new_email_code"])
    if send_at:
        Delivery.objects.enqueue(registration, Kind.ADDRESS_CHECK, recipient=email, send_at=send_at)
        wakeups.send_due_mail.enqueue()


@transaction.atomic
def confirm_address(registration: Registration) -> None:
    """Use the new address from now on, send it the confirmation again, and tell the old one.

    The old mailbox's calendar loses its entry, the new one's gets one of its own. Raises AddressTaken.
    """
    registration = Registration.objects.locked(registration)
    if not registration.new_email:
        return  # a second click
    old = registration.email
    held_entry = mailboxes.move(registration, registration.new_email)
    _forget_new_address(registration)
    save_address(registration)
    reason = Reason.INVITED if held_entry else ""
    Delivery.objects.enqueue(registration, Kind.ADDRESS_CHANGED, reason=reason, recipient=old)
    if not registration.is_cancelled:
        signup.send_link(registration, reason=Reason.CORRECTED)
    wakeups.send_due_mail.enqueue()


@transaction.atomic
def send_to_corrected(registration: Registration) -> None:
    """Send the link to an address that an organiser has corrected, in place of a first mail that has not left."""
    registration.deliveries.filter(kind__in=FIRST).drop(_("the address was corrected"))
    send_at = signup.correctable_until(registration.email)
    signup.send_link(registration, reason=Reason.CORRECTED, send_at=send_at)


def is_refused(registration: Registration) -> bool:
    """Whether the mail server refused the link that was sent to the new address, so that nobody can confirm it."""
    if not registration.new_email:
        return False
    to_new_address = registration.deliveries.filter(sent_to__iexact=registration.new_email)
    last = registration.deliveries.filter(kind=Kind.ADDRESS_CHECK).order_by("-pk").first()
    return last is not None and (last.state == Delivery.State.FAILED or to_new_address.refused().exists())


@transaction.atomic
def refuse_address(registration: Registration) -> None:
    """The owner of the new address did not ask for the change: suppress that address."""
    registration = Registration.objects.locked(registration)
    if registration.new_email and not registration.is_dry_run:
        erasure.suppress(registration.new_email)
    _forget_new_address(registration)


@transaction.atomic
def correct_sign_up(
    event: Event, made: int | None, *, email: str, language: str, asked_from: str = "", **typed: Any
) -> signup.SignUp:
    """Bring a sign-up of a few minutes ago to the right address, even if the event takes no sign-up any more.

    `made`: the row that it made. It moves to the new address, and the links that were sent to the wrong one become
    invalid. If the new address has a row already, that one stays and the mistaken one is erased. A row whose own link
    was opened belongs to whoever opened it: it stays, and `typed`, the answers of the sign-up, go to the new address.
    It stays also after several moves from its address on one day, which would bring many mails there. A calendar that
    has taken the invitation in at the wrong address loses it.
    """
    register = partial(
        signup.register, event, email=email, language=language, in_time=True, asked_from=asked_from, **typed
    )
    event = Event.objects.locked(event)
    mistaken = Registration.objects.select_for_update(no_key=True).filter(event=event, pk=made or 0).first()
    if mistaken is None or not _is_untouched(mistaken) or not rate_limits.may_move_from(event, mistaken.email):
        return register()
    mistaken.event = event
    if Registration.objects.like(mistaken).of_address(email).exists():
        _take_back(mistaken)  # first, so that its seat is free for the other
        done = register()
        waiting_list.promote(event)
        return done
    mistaken.deliveries.filter(kind__in=FIRST).drop(_("the address was corrected"))
    wrong = mistaken.email
    held_entry = mailboxes.move(mistaken, email)
    mistaken.renew_codes()
    mistaken.save()
    if held_entry and (send_at := rate_limits.mail_due(event, wrong, is_first=False).at):
        mailboxes.take_out(mistaken, wrong, send_at=send_at)
    send_at, is_limited = signup.mail_due(event, email, is_first=True, asked_from=asked_from)
    signup.send_link(mistaken, reason=Reason.NEW, send_at=send_at)
    is_delayed = signup.is_delayed(event, send_at)
    return signup.SignUp(mistaken, True, mistaken.is_waiting, is_delayed=is_delayed, is_limited=is_limited)


def _take_back(mistaken: Registration) -> None:
    """Erase a sign-up, once its mailbox has been told if the calendar there has taken the invitation in."""
    held_entry = mailboxes.holds_entry(mistaken)
    send_at = rate_limits.mail_due(mistaken.event, mistaken.email, is_first=False).at if held_entry else None
    if send_at is None:
        erasure.erase(mistaken)
        return
    wrong = mistaken.email
    mistaken.renew_codes()
    erasure.begin(mistaken)
    # who signs up again from there begins anew, as after a correction to an address that has no row
    mistaken.email = f"{secrets.token_hex(8)}@erased.invalid"
    mistaken.save(update_fields=["email"])
    mailboxes.take_out(mistaken, wrong, send_at=send_at, not_after=mistaken.erase_by)


def _is_untouched(registration: Registration) -> bool:
    """As its sign-up made it. Its links were not opened (a program that looks through mails counts too), and nobody
    else changed it: that cancels it, or leaves a mail, a presence or an address to confirm.
    """
    of_correction = Q(kind=Kind.ADDRESS_CHANGED, reason=Reason.CORRECTED)
    of_sign_up = Q(kind__in=FIRST, reason=Reason.NEW) | Q(kind__in=SCHEDULED) | of_correction
    is_used = registration.link_was_used or registration.deliveries.exclude(of_sign_up).exists()
    return not (is_used or registration.is_cancelled or registration.attendances.exists() or registration.new_email)


def answers(registration: Registration) -> dict[str, Any]:
    """By name, what a person corrects in one form: everything but the address."""
    return {one.name: getattr(registration, one.name) for one in PERSON_FIELDS if one.corrected_by_person}


def _forget_new_address(registration: Registration) -> None:
    registration.new_email, registration.new_email_code = "", None
    registration.save(update_fields=["new_email", "new_email_code"])
    registration.deliveries.filter(kind=Kind.ADDRESS_CHECK).drop(_("the new address is no longer asked for"))


def save_address(registration: Registration) -> None:
    """Raises AddressTaken."""
    try:
        with transaction.atomic():
            registration.save(update_fields=["email", "search", "first_email", "sequence"])
    except IntegrityError as error:
        raise AddressTaken from error
