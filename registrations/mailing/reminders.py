"""The mails that leave by the clock: two reminders and the follow-up, rows of the outbox from the sign-up on."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.models import Delivery, Event, Registration
from registrations.models.delivery import DeliveryQuerySet, desk_words

Kind, State = Delivery.Kind, Delivery.State


class Planned(NamedTuple):
    kind: Delivery.Kind
    due: datetime | None  # None: switched off
    not_after: datetime | None


def hours_of(event: Event) -> Iterator[Planned]:
    """When each mail of the clock leaves."""
    yield Planned(Kind.REMINDER_DAY, event.reminder_day_at, event.starts_at)
    yield Planned(Kind.REMINDER_HOUR, event.reminder_hour_at, event.starts_at)
    yield Planned(Kind.FOLLOW_UP, event.follow_up_at, None)


def plan(registration: Registration) -> None:
    """Owe a new seat its mails to come."""
    Delivery.objects.bulk_create(planned(registration))


def planned(registration: Registration, *, is_new: bool = False) -> list[Delivery]:
    """The mails to come of a new seat, not yet written down; those whose hour has passed are skipped, with the reason.

    `is_new`: the registration was made in this transaction, and has no such mail yet.
    """
    event = registration.event
    if event.status != Event.Status.PUBLISHED or event.is_over or registration.is_trial:
        return []
    last = {} if is_new else _last_revisions(registration)
    now = timezone.now()
    rows = []
    for kind, due, not_after in hours_of(event):
        if due is None:
            continue
        row = Delivery(registration=registration, kind=kind, due=due, not_after=not_after)
        row.priority, row.revision = Delivery.priority_of(kind), last.get(kind, -1) + 1
        if due <= now:
            row.state, row.error = State.EXPIRED, desk_words(_("signed up after the hour of this mail"))
        rows.append(row)
    return rows


def _last_revisions(registration: Registration) -> dict[str, int]:
    last = registration.deliveries.order_by().values("kind").annotate(last=Max("revision"))
    return dict(last.values_list("kind", "last"))


def replan(event: Event) -> None:
    """Let the mails to come follow the event: its date, its status, the organiser's choice of hours.

    A reminder that has left for this date is not repeated; a new date gets reminders of its own. Call it in the
    transaction that changes the event and holds its row.
    """
    for kind, due, not_after in hours_of(event):
        pending = Delivery.objects.pending().filter(registration__event=event, kind=kind)
        if event.status != Event.Status.PUBLISHED:
            pending.drop(_("the event was cancelled or postponed"))
        elif due is None:
            pending.drop(_("the organiser has switched this mail off"))
        elif due <= timezone.now():
            _not_on_their_way(pending, not_after).skip(_("the hour of this mail has passed"))
        else:
            pending.update(due=due, not_after=not_after, trying_since=None, error="")
            without = _without(event, kind, not_after)
            Delivery.objects.owe_all(without, kind, due=due, not_after=not_after)


def _not_on_their_way(pending: DeliveryQuerySet, not_after: datetime | None) -> DeliveryQuerySet:
    """Without those for this very date whose hour has come: they wait for a worker, or for their next try."""
    has_come = Q(due__lte=timezone.now()) | Q(attempts__gt=0)
    return pending.exclude(has_come, **_for_date(not_after))


def _for_date(not_after: datetime | None) -> dict[str, Any]:
    return {"not_after": not_after} if not_after else {"not_after__isnull": True}


def _without(event: Event, kind: Delivery.Kind, not_after: datetime | None) -> QuerySet[Registration]:
    """The seats that neither have this mail for this date nor wait for it."""
    for_date = Q(state__in=[State.SENDING, State.SENT, State.FAILED, State.HELD], **_for_date(not_after))
    have = Delivery.objects.filter(Q(state=State.PENDING) | for_date, registration=OuterRef("pk"), kind=kind)
    return event.registrations.seated().filter(~Exists(have), created_at__lt=event.ends_at)
