"""Scheduled mails (reminders, the follow-up …): rows of the outbox as soon as it is known who is to receive them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.mailing import relevance
from registrations.models import Delivery, Event, Registration
from registrations.models.delivery import DeliveryQuerySet
from registrations.models.mail_kinds import KINDS, SCHEDULES, Recipient
from registrations.models.site_language import in_site_language

State = Delivery.State


class Planned(NamedTuple):
    kind: Delivery.Kind
    send_at: datetime | None  # None: switched off
    not_after: datetime | None


def scheduled_times(event: Event) -> Iterator[Planned]:
    """When each scheduled mail of the event is sent."""
    for kind, schedule in SCHEDULES.items():
        not_after = event.starts_at if schedule.useless_after_start else None
        yield Planned(kind, getattr(event, schedule.at), not_after)


def missed(event: Event) -> list[Delivery.Kind]:
    """The scheduled mails whose hour has passed, of which none has left for this date or is about to.

    Of a mail that would be useless after the start nothing is said once the event has begun.
    """
    now = timezone.now()
    passed = [
        (kind, not_after)
        for kind, send_at, not_after in scheduled_times(event)
        if send_at and send_at <= now and (not_after is None or not_after > now)
    ]
    mails = Delivery.objects.filter(Q(sent_at__isnull=False) | Q(state=State.PENDING), event=event)
    return [kind for kind, not_after in passed if not mails.filter(kind=kind, **_for_date(not_after)).exists()]


def schedule_for(registration: Registration) -> None:
    """Add the scheduled mails of someone who has just been given a seat."""
    Delivery.objects.bulk_create(planned(registration))


def planned(registration: Registration, *, is_new: bool = False) -> list[Delivery]:
    """The scheduled mails of a new seat, not saved yet. One whose time has passed is skipped, with the reason.

    `is_new`: the registration was made in this transaction, so it has no mails yet.
    """
    event = registration.event
    if event.status != Event.Status.PUBLISHED or event.is_over or registration.is_dry_run:
        return []
    if not registration.wants_reminders:
        return []
    last = {} if is_new else _last_revisions(registration)
    now = timezone.now()
    rows = []
    for kind, send_at, not_after in scheduled_times(event):
        if send_at is None or KINDS[kind].recipient != Recipient.REGISTRANT:
            continue
        row = Delivery.of(registration, kind, send_at=send_at, not_after=not_after, revision=last.get(kind, -1) + 1)
        if send_at <= now:
            row.state, row.error = State.EXPIRED, in_site_language(_("signed up after the hour of this mail"))
        rows.append(row)
    return rows


def _last_revisions(registration: Registration) -> dict[str, int]:
    last = registration.deliveries.order_by().values("kind").annotate(last=Max("revision"))
    return dict(last.values_list("kind", "last"))


def follow_wish(registration: Registration) -> None:
    """Plan or cancel the scheduled mails of a person who has just said whether they are wanted.

    The transaction must hold a lock on the event and on the registration.
    """
    if not registration.wants_reminders:
        registration.deliveries.filter(kind__in=SCHEDULES).drop(relevance.NO_REMINDERS)
    if not registration.is_seated:
        return
    for row in planned(registration):
        have = registration.deliveries.filter(_of_date(row.not_after), kind=row.kind)
        if row.state == State.PENDING and not have.exists():
            row.save(force_insert=True)


def schedule(event: Event) -> None:
    """Bring the scheduled mails in line with the event: its date, its status, the hours that the organiser chose.

    Call it when an event is created, and when a field of RESCHEDULED_BY changes, in the same transaction, which must
    hold a lock on the event. It may be called again: a mail that has left for this date is not repeated. A new date
    gets reminders of its own.
    """
    for kind, send_at, not_after in scheduled_times(event):
        pending = Delivery.objects.pending().filter(event=event, kind=kind)
        if event.status != Event.Status.PUBLISHED:
            pending.drop(_("the event was cancelled or postponed"))
        elif send_at is None:
            pending.drop(_("the organiser has switched this mail off"))
        elif send_at <= timezone.now():
            _not_under_way(pending, not_after).skip(_("the hour of this mail has passed"))
        else:
            pending.update(send_at=send_at, not_after=not_after, trying_since=None, error="")
            _add_missing(event, kind, send_at=send_at, not_after=not_after)


def _not_under_way(pending: DeliveryQuerySet, not_after: datetime | None) -> DeliveryQuerySet:
    """Without those for this very date that are due: they wait for a worker, or for their next try."""
    is_under_way = Q(send_at__lte=timezone.now()) | Q(attempts__gt=0)
    return pending.exclude(is_under_way, **_for_date(not_after))


def _of_date(not_after: datetime | None) -> Q:
    """Pending, or dealt with for this very date."""
    dealt_with = [State.SENDING, State.SENT, State.FAILED, State.HELD, State.BROKEN]
    return Q(state=State.PENDING) | Q(state__in=dealt_with, **_for_date(not_after))


def _for_date(not_after: datetime | None) -> dict[str, Any]:
    return {"not_after": not_after} if not_after else {"not_after__isnull": True}


def _add_missing(event: Event, kind: Delivery.Kind, *, send_at: datetime, not_after: datetime | None) -> None:
    existing = Delivery.objects.filter(_of_date(not_after), kind=kind)
    if KINDS[kind].recipient == Recipient.REGISTRANT:
        without = _seats_without(event, existing)
        Delivery.objects.enqueue_all(without, kind, send_at=send_at, not_after=not_after)
    elif not existing.filter(event=event, registration=None).exists():
        Delivery.objects.enqueue_for_event(event, kind, send_at=send_at, not_after=not_after)


def _seats_without(event: Event, existing: DeliveryQuerySet) -> QuerySet[Registration]:
    """The seats that do not have this mail for this date. People who signed up after the session never get one."""
    have = existing.filter(registration=OuterRef("pk"))
    seats = event.registrations.without_dry_runs().seated().filter(wants_reminders=True)
    return seats.filter(~Exists(have), created_at__lt=event.ends_at)
