"""Mails that should have left: since when they have been owed, however often they were tried since."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, Count, F, Min, Q, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from registrations.models.delivery import Delivery, DeliveryQuerySet

OVERDUE_AFTER = timedelta(minutes=10)

NOT_OURS = [Delivery.Obstacle.RECIPIENT, Delivery.Obstacle.EVENT]  # such a mail is owed again from its next try
OWED_SINCE = Case(When(obstacle__in=NOT_OURS, then=F("send_at")), default=Coalesce("owed_since", "send_at"))


class Waiting(NamedTuple):
    due: int
    late: int
    oldest_due_at: datetime | None


def owed(before: datetime) -> Q:
    """Mails whose moment to leave came before. Each half has an index, also where most mails are due much later."""
    waits = Q(state__in=[Delivery.State.PENDING, Delivery.State.SENDING])
    return (waits & Q(send_at__lte=before)) | (waits & Q(owed_since__lte=before) & ~Q(obstacle__in=NOT_OURS))


def overdue() -> DeliveryQuerySet:
    """Owed for ten minutes or more, and not put off by the recipient's own mailbox or by a draft."""
    return Delivery.objects.filter(owed(timezone.now() - OVERDUE_AFTER))


def put_off_by_mailboxes() -> DeliveryQuerySet:
    """Owed for ten minutes or more to a mailbox that takes nothing for now: full, or unknown for the moment."""
    mails = Delivery.objects.pending().filter(owed_since__lte=timezone.now() - OVERDUE_AFTER)
    return mails.filter(obstacle=Delivery.Obstacle.RECIPIENT)


def oldest_overdue() -> datetime | None:
    oldest: datetime | None = overdue().aggregate(oldest=Min(OWED_SINCE))["oldest"]
    return oldest


def waiting() -> Waiting:
    """How many mails are owed, how many are overdue, and since when the oldest is owed; one query."""
    now = timezone.now()
    late = Count("pk", filter=owed(now - OVERDUE_AFTER))
    counted = Delivery.objects.filter(owed(now)).aggregate(count=Count("pk"), late=late, oldest=Min(OWED_SINCE))
    return Waiting(counted["count"], counted["late"], counted["oldest"])
