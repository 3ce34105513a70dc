"""The waiting list of a full event."""

from django.db import transaction

from registrations.mailing import reminders, wakeups
from registrations.models import Delivery, Event, Registration

State = Delivery.State


@transaction.atomic
def promote(event: Event, *, mails: State = State.PENDING) -> int:
    """Give free seats to the first on the waiting list and tell them. Returns how many; always 0 after the start.

    `mails`: the first state of the mails that tell them.
    """
    event = Event.objects.locked(event)
    if event.status != Event.Status.PUBLISHED or event.has_started:
        return 0
    line = event.registrations.without_dry_runs().on_waiting_list().select_for_update(no_key=True)
    if event.capacity is not None:
        line = line[: max(event.capacity - event.seats_taken, 0)]
    promoted = list(line)
    for registration in promoted:
        _give_seat(registration, event, mails)
    return len(promoted)


def has_someone_to_serve(event: Event) -> bool:
    """Whether somebody waits to whom a seat goes that becomes free now."""
    if event.status != Event.Status.PUBLISHED or event.has_started:
        return False
    return event.registrations.without_dry_runs().on_waiting_list().exists()


@transaction.atomic
def promote_one(registration: Registration) -> bool:
    """Give this person a seat at the organiser's request, regardless of their place and of the capacity."""
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
