"""Adding many people to an event in one transaction."""

from collections.abc import Iterable
from itertools import batched
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.mailing import reminders, wakeups
from registrations.models import Delivery, Event, Registration, Suppression
from registrations.models.delivery import BATCH
from registrations.runtime import progress

Kind, Status = Delivery.Kind, Registration.Status
PRIORITY = 1  # after the mails of those who sign up at this moment


class Places(NamedTuple):
    """How many people get a seat, a place on the waiting list, or neither."""

    seats: int
    on_waiting_list: int
    none: int


def places(event: Event, count: int) -> Places:
    """As in the form: seats first, then the waiting list, which ends at the start. After the session, no limit."""
    free = count if event.capacity is None or event.is_over else max(event.capacity - event.seats_taken, 0)
    seats = min(count, free)
    on_waiting_list = count - seats if event.waiting_list and not event.has_started else 0
    return Places(seats, on_waiting_list, count - seats - on_waiting_list)


def known(event: Event, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses, in lower case, that have a registration, cancelled or not."""
    registrations = event.registrations.without_dry_runs().alias(lower=Lower("email"))
    found: set[str] = set()
    for some in batched({address.lower() for address in addresses}, BATCH, strict=False):
        found.update(registrations.filter(lower__in=some).values_list(Lower("email"), flat=True))
    return found


@transaction.atomic
def enrol(event: Event, people: list[dict[str, Any]], *, with_mail: bool) -> list[Registration]:
    """Add new people and plan their reminders; `with_mail`: also enqueue their first mail.

    Known addresses are skipped, also cancelled ones, and so are addresses on the suppression list. The first mail is
    sent only if the event is published. Returns the added registrations.
    """
    event = Event.objects.locked(event)
    new = _newcomers(event, people)
    seats, on_waiting_list, _none = places(event, len(new))
    now = timezone.now()
    seated = [_registration(event, person) for person in new[:seats]]
    waiting = [
        _registration(event, person, status=Status.WAITLISTED, waiting_since=now)
        for person in new[seats : seats + on_waiting_list]
    ]
    added = [*seated, *waiting]
    for some in progress.batches(added, BATCH, _("People")):
        Registration.objects.bulk_create(some)
    is_told = with_mail and event.status == Event.Status.PUBLISHED
    mails = [mail for one in added for mail in _mails(one, is_told)]
    for batch in progress.batches(mails, BATCH, _("Mails")):
        Delivery.objects.bulk_create(batch)
    wakeups.send_due_mail.enqueue()
    return added


def _newcomers(event: Event, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    addresses = [person["email"] for person in people]
    passed_over = known(event, addresses) | Suppression.objects.among(addresses)
    by_address = {person["email"].lower(): person for person in reversed(people)}  # the first of two lines counts
    return [
        person
        for person in people
        if person["email"].lower() not in passed_over and by_address[person["email"].lower()] is person
    ]


def _registration(event: Event, answers: dict[str, Any], **place: Any) -> Registration:
    return Registration(event=event, language=settings.LANGUAGE_CODE, **answers, **place)


def _mails(registration: Registration, is_told: bool) -> list[Delivery]:
    kind = Kind.CONFIRMATION if registration.is_seated else Kind.WAITING_LIST
    first = Delivery.of(registration, kind, reason=Delivery.Reason.NEW, priority=PRIORITY)
    later = reminders.planned(registration, is_new=True) if registration.is_seated else []
    return [*([first] if is_told else []), *later]
