"""A registration moves to another mailbox: the calendar there gets an entry of its own, the old one loses its own."""

from typing import Any

from django.db.models import Q

from registrations.models import Delivery, Registration, Suppression
from registrations.models.mail_kinds import KINDS, CalendarRule

Kind, Reason, State = Delivery.Kind, Delivery.Reason, Delivery.State
HAS_CALENDAR = [kind for kind, facts in KINDS.items() if facts.calendar != CalendarRule.NONE]
HAS_NONE = Q(reason__in=[Reason.NOTES, Reason.LINE]) | Q(kind=Kind.WAITING_LIST) & ~Q(reason=Reason.INVITED)
MAY_HAVE_ARRIVED = [State.SENT, State.SENDING, State.PENDING, State.HELD]  # with an address: tried once at least


def move(registration: Registration, email: str) -> bool:
    """Give a locked registration another address; the caller saves it.

    Returns whether the calendar of the old mailbox holds an entry, which a mail to it has to take out.
    """
    old, registration.email = registration.email, email
    if email.lower() == old.lower():
        return False
    last = _last_with_calendar(registration, old)
    if last is None:
        return False
    registration.first_email = registration.first_email or old
    registration.sequence += 1
    return _puts_in(last)


def holds_entry(registration: Registration) -> bool:
    """Whether the last mail to its address that touched the calendar put the entry in."""
    last = _last_with_calendar(registration, registration.email)
    return last is not None and _puts_in(last)


def take_out(registration: Registration, mailbox: str, **fields: Any) -> None:
    """Enqueue the mail that takes the entry out of a mailbox whose address was mistaken.

    Its owner may be a stranger: it names neither the person nor the right address.
    """
    Delivery.objects.enqueue(registration, Kind.ADDRESS_CHANGED, reason=Reason.CORRECTED, recipient=mailbox, **fields)


def _last_with_calendar(registration: Registration, mailbox: str) -> Delivery | None:
    """A mailbox on the suppression list is treated like any other: whoever moves away must not learn that it is."""
    is_silent = Suppression.objects.of_address(mailbox).exists()
    states = [*MAY_HAVE_ARRIVED, *([State.CANCELLED] if is_silent else [])]
    mails = registration.deliveries.filter(kind__in=HAS_CALENDAR, state__in=states)
    return mails.filter(sent_to__iexact=mailbox).exclude(HAS_NONE).order_by("-pk").first()


def _puts_in(mail: Delivery) -> bool:
    puts_in = mail.facts.calendar in {CalendarRule.ADD, CalendarRule.FOLLOW_THE_CHANGE}
    return puts_in and mail.reason != Reason.POSTPONED
