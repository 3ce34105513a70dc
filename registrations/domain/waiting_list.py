"""The line in front of a full event."""

from django.db import transaction

from registrations.mailing import reminders, wakeups
from registrations.models import Delivery, Event, Registration

State = Delivery.State


@transaction.atomic
def promote(event: Event, *, mails: State = State.PENDING) -> int:
    """Give every free seat to the first in line, tell them, and return how many there were; never after the start.

    `mails`: the state in which those that tell them begin.
    """
    event = Event.objects.locked(event)
    if event.status != Event.Status.PUBLISHED or event.has_started:
        return 0
    line = event.registrations.without_dry_runs().in_line().select_for_update()
    if event.capacity is not None:
        line = line[: max(event.capacity - event.seats_taken, 0)]
    promoted = list(line)
    for registration in promoted:
        _give_seat(registration, event, mails)
    return len(promoted)


@transaction.atomic
def promote_one(registration: Registration) -> bool:
    """Give this person a seat, whoever stands before them and however many seats there are: the organiser says so."""
    event = Event.objects.locked(registration.event)
    registration = Registration.objects.locked(registration)
    if not registration.is_waiting or event.status != Event.Status.PUBLISHED or event.has_started:
        return False
    _give_seat(registration, event, State.PENDING)
    return True


def _give_seat(registration: Registration, event: Event, mail: State) -> None:
    registration.event = event
    registration.status, registration.waiting_since = Registration.Status.CONFIRMED, None
    registration.save(update_fields=["status", "waiting_since"])
    Delivery.objects.enqueue(registration, Delivery.Kind.PROMOTED, reason=Delivery.Reason.PROMOTED, state=mail)
    reminders.schedule_for(registration)
    wakeups.send_due_mail.enqueue()
