"""Sign up, withdraw, come back, ask for one's link. Each function is one transaction."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import BigAutoField, EmailField
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.domain import decisions, mailboxes, waiting_list
from registrations.domain.erasure_journal import Word
from registrations.mailing import first_mails, reminders, wakeups
from registrations.models import Delivery, Event, EventState, Registration
from registrations.models.prepared import Parameter, PreparedQuery, insert_or_ignore
from registrations.security import rate_limits
from registrations.text import email_typos

Kind, Reason = Delivery.Kind, Delivery.Reason
CORRECTABLE_FOR = timedelta(minutes=2)
SEAT: dict[str, Any] = {"status": Registration.Status.CONFIRMED, "waiting_since": None}
_OF_ADDRESS = PreparedQuery(
    lambda: (
        Registration.objects.without_dry_runs()
        .select_for_update(no_key=True)
        .filter(event=Parameter("event", BigAutoField()))
        .of_address(Parameter("email", EmailField()))
    )
)


class SignUpClosed(Exception):
    """This event takes no sign-up at this moment."""


class SignUp(NamedTuple):
    registration: Registration
    is_new: bool  # this sign-up made the row
    was_full: bool  # the event was full; also told for a known address, so that the page is the same
    is_delayed: bool  # the event has too many mails for now; told in the same way for a known address
    is_limited: bool  # the mailbox had had its mails of the day; told in the same way for a known address


def register(
    event: Event, *, email: str, language: str, in_time: bool = False, asked_from: str = "", **answers: Any
) -> SignUp:
    """Put a person on the list of an event, or on its waiting list, and enqueue the mail that says so.

    An address that is already on the list keeps its answers and receives its mail again. A cancelled registration is
    used again, with the new answers and the same calendar entry. When one address signs up several times at once, the
    unique constraint lets one create the row and the others find it. Raises SignUpClosed without writing anything.
    `in_time`: it was accepted before, and only its address is corrected now. `asked_from`: the visitor's network.
    """
    with transaction.atomic(savepoint=False):
        event = Event.objects.joined(event)
        if in_time or event.accepts_sign_ups:
            return _register(event, asked_from, email=email, language=language, **answers)
    raise SignUpClosed


def _register(event: Event, asked_from: str, *, email: str, language: str, **answers: Any) -> SignUp:
    registration, is_new = _found_or_made(event, email=email, language=language, **answers)
    registration.event = event
    is_late = registration.is_waiting and event.has_started
    is_first = is_new or registration.is_cancelled or is_late
    send_at, is_limited = mail_due(event, registration.email, is_first=is_first, asked_from=asked_from)
    if is_new:
        _welcome(registration, Reason.NEW, is_new=True, send_at=send_at)
    elif registration.is_cancelled:
        _return(registration, send_at=send_at, language=language, **answers)
    elif is_late:
        _take(registration, _place(event))  # the waiting list has ended: give what a new sign-up gets
        _welcome(registration, Reason.NEW, send_at=send_at)
    elif send_at:
        _send_link(registration, Reason.KNOWN, send_at=send_at)
    is_full = event.state == EventState.FULL
    return SignUp(registration, is_new, is_full, is_delayed=is_delayed(event, send_at), is_limited=is_limited)


def is_delayed(event: Event, send_at: datetime | None) -> bool:
    """Whether the mail waits because the event has too many; of one that is dropped, whether it would."""
    is_now = send_at is not None and send_at <= timezone.now()
    return not is_now and rate_limits.has_too_many_mails(event)


def mail_due(event: Event, email: str, *, is_first: bool, asked_from: str = "") -> rate_limits.Due:
    """When a mail may leave to an address that was just typed: `at` is None when the rate limits forbid it."""
    due = rate_limits.mail_due(event, email, is_first=is_first, asked_from=asked_from)
    wait = correctable_until(email)
    return due._replace(at=max(due.at, wait)) if due.at and wait else due


def correctable_until(email: str) -> datetime | None:
    """When a mail may leave to an address that was just typed and looks like a slip; None for all others: at once."""
    return timezone.now() + CORRECTABLE_FOR if email_typos.meant_domain(email) else None


def _found_or_made(event: Event, *, email: str, **answers: Any) -> tuple[Registration, bool]:
    """The registration of an address, and whether it is new. Insert first, because most addresses are new."""
    made = Registration(event=event, email=email, **answers, **_place(event))
    while not insert_or_ignore(made):
        if found := _OF_ADDRESS.first(event=event.pk, email=email):
            return found, False  # otherwise it was erased in between: insert again
    return made, True


@transaction.atomic
def withdraw(registration: Registration, *, by_team: bool = False) -> None:
    """Give the seat back, tell the registrant, and promote the first on the waiting list.

    `by_team`: an organiser does it, and the mail does not say that the person did.
    """
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    if registration.is_cancelled:
        return
    reason = leave(registration)
    if by_team and reason == Reason.SEAT:
        reason = Reason.SEAT_TAKEN
    Delivery.objects.enqueue(registration, Kind.WITHDRAWN, reason=reason)
    wakeups.wake_up()
    waiting_list.promote(event)


def leave(registration: Registration) -> Delivery.Reason:
    """Cancel a locked registration, and note it in the journal that outlives a restored backup."""
    reason = take_off(registration, at=timezone.now())
    decisions.note(registration, Word.WITHDRAWN)
    return reason


def take_off(registration: Registration, *, at: datetime) -> Delivery.Reason:
    """Cancel as of this moment, without a line in the journal. The entry of a seat gets a higher SEQUENCE."""
    was_seated = registration.is_seated
    registration.status = Registration.Status.CANCELLED
    registration.cancelled_at = at
    registration.waiting_since = None
    registration.sequence += was_seated
    registration.save()
    _drop(registration, _("the registration was cancelled"))
    return Reason.SEAT if was_seated else Reason.LINE


def _drop(registration: Registration, reason: Any) -> None:
    """Drop pending mails, except those about a change of address: its owner has to know in any case."""
    registration.deliveries.exclude(kind__in=[Kind.ADDRESS_CHECK, Kind.ADDRESS_CHANGED]).drop(reason)


@transaction.atomic
def come_back(registration: Registration) -> Registration:
    """Reactivate a cancelled registration with the answers it had. Raises SignUpClosed."""
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    registration.event = event
    if registration.is_cancelled:
        if registration.erase_by or not (registration.is_dry_run or event.accepts_sign_ups):
            raise SignUpClosed
        _return(registration)
    return registration


@transaction.atomic
def resend(event: Event, *, email: str) -> bool:
    """Send the person of this address their mail again, or the one that brings them back; return whether it leaves.

    It does not if there is no such person, or if the mailbox is over its limit. As much is counted and written in any
    case, so that the time of the answer does not tell who is on the list: a mail to nobody, which a worker deletes.
    """
    registration = (
        Registration.objects.without_dry_runs()
        .select_for_update(of=("self",), no_key=True)
        .select_related("event")
        .filter(event=event)
        .of_address(email)
        .filter(erase_by__isnull=True)
        .first()
    )
    send_at = rate_limits.link_due(event if registration else None, email)
    if registration and send_at:
        _send_link(registration, Reason.RESENT, send_at=send_at)
        return True
    Delivery.objects.enqueue(None, Kind.CONFIRMATION, reason=Reason.RESENT)
    wakeups.wake_up()
    return False


@transaction.atomic
def send_link(registration: Registration, *, reason: Delivery.Reason, send_at: datetime | None = None) -> None:
    """Enqueue the mail with the link, or the one about the event or the waiting list that takes its place."""
    registration = Registration.objects.locked(registration)
    _send_link(registration, reason, send_at=send_at)
    _promise(registration, reason)


@transaction.atomic
def renew_links(registration: Registration) -> None:
    """Make all links invalid, and send new ones; calendars update the entry."""
    registration = Registration.objects.locked(registration)
    registration.renew_codes()
    registration.sequence += registration.is_seated
    registration.save(update_fields=["join_code", "manage_code", "sequence"])
    _send_link(registration, Reason.RESENT)
    _promise(registration, Reason.RESENT)


@transaction.atomic
def welcome(registration: Registration) -> None:
    """Enqueue the first mail and the reminders of a person whom the organiser has added."""
    _welcome(Registration.objects.locked(registration), Reason.NEW, send_at=correctable_until(registration.email))


def _send_link(
    registration: Registration, reason: Delivery.Reason, *, send_at: datetime | None = None, **more: Any
) -> None:
    more["send_at"] = send_at or timezone.now()
    match registration.event.status:
        case _ if registration.is_cancelled:
            Delivery.objects.enqueue(registration, Kind.WITHDRAWN, reason=Reason.RESENT, **more)
        case Event.Status.CANCELLED:
            Delivery.objects.enqueue(registration, Kind.CANCELLED, **more)
        case Event.Status.POSTPONED:
            Delivery.objects.enqueue(registration, Kind.CHANGED, reason=Reason.POSTPONED, **more)
        case _:
            kind = Kind.CONFIRMATION if registration.is_seated else Kind.WAITING_LIST
            Delivery.objects.enqueue(registration, kind, reason=reason, **more)
    wakeups.wake_up()


def _welcome(
    registration: Registration, reason: Delivery.Reason, *, is_new: bool = False, send_at: datetime | None = None
) -> None:
    """Write the first mail and the planned ones in one statement: a new address takes as long as a known one."""
    also = reminders.planned(registration, is_new=is_new) if registration.is_seated else []
    _send_link(registration, reason, send_at=send_at, is_new=is_new, also=also)
    _promise(registration, reason)


def _promise(registration: Registration, reason: Delivery.Reason) -> None:
    """Of an event that is off another mail was enqueued: the first mail is owed once the event stands again."""
    if registration.event.status in {Event.Status.POSTPONED, Event.Status.CANCELLED}:
        first_mails.note_as_owed(registration, reason)


def _place(event: Event) -> dict[str, Any]:
    """A seat, or a place on the waiting list before the start of a full event, also of a cancelled or closed one."""
    if not event.has_started and not event.has_free_seat:
        return {"status": Registration.Status.WAITLISTED, "waiting_since": timezone.now()}
    return SEAT


def _take(registration: Registration, place: dict[str, Any], **answers: Any) -> None:
    for name, value in {**answers, **place}.items():
        setattr(registration, name, value)
    registration.save()


def _return(registration: Registration, *, send_at: datetime | None = None, **answers: Any) -> None:
    """Reactivate a cancelled registration. Without a higher SEQUENCE, its calendar entry would stay cancelled."""
    held_entry = mailboxes.holds_entry(registration)  # the mail that takes it out has not left, and is dropped
    _drop(registration, _("the registration was taken up again"))
    registration.sequence += 1
    place = SEAT if registration.is_dry_run else _place(registration.event)
    _take(registration, place, cancelled_at=None, erase_by=None, figures=None, **answers)
    decisions.note(registration, Word.RETURNED)
    reason = Reason.INVITED if held_entry and registration.is_waiting else Reason.RETURNED
    _welcome(registration, reason, send_at=send_at)
