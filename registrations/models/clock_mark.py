"""Whether the clock of the machine can be believed, before what cannot be taken back is done because of it.

A start with the clock in 2038 would end every retention period at once. The one row of this table holds the last
moment at which the clock was believed; workers move it on every day.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Max, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from registrations.models.delivery import Delivery
from registrations.models.registration import Registration
from registrations.models.worker import WorkerPresence, WorkerPresenceQuerySet

LONG_PAUSE = timedelta(days=7)
LONG_SILENCE = timedelta(days=60)  # without a sign-up or a mail, on a site that has not run this version yet
BACKWARDS = timedelta(hours=1)
NOT_BELIEVED = timedelta(days=1)
THE_ROW = 1


class ClockMark(models.Model):
    at = models.DateTimeField(null=True)
    purge_waits = models.JSONField(null=True)  # numbers of the last purge, which did nothing: see `too_many`

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}" if self.at else ""


def doubt() -> str:
    """Why the clock may be wrong, as a sentence in the reader's language; empty when nothing speaks against it."""
    return _doubt(_row())


def stopped_purge(workers: Iterable[WorkerPresence] | None = None) -> str:
    """Why the purge does nothing until a person confirms it; empty when it goes on.

    `workers`: from `with_mark`, which spares a query. Without a worker no purge is stopped.
    """
    if workers is None:
        row = _row()
    else:
        marks = [ClockMark(THE_ROW, one.mark_at, one.mark_waits) for one in workers if one.mark]  # type: ignore[attr-defined]
        if not marks:
            return ""
        row = marks[0]
    return _doubt(row) or (too_many(row.purge_waits) if row.purge_waits else "")


def with_mark(workers: WorkerPresenceQuerySet) -> WorkerPresenceQuerySet:
    the_row = ClockMark.objects.filter(pk=THE_ROW)
    fields = {"mark": "pk", "mark_at": "at", "mark_waits": "purge_waits"}
    return workers.annotate(**{name: Subquery(the_row.values(field)) for name, field in fields.items()})


def move_on() -> None:
    """Believe the clock from now on: call it when there is no doubt, or when a person has said that it is right."""
    ClockMark.objects.update_or_create(pk=THE_ROW, defaults={"at": timezone.now(), "purge_waits": None})


def stop_purge(numbers: dict[str, int] | None) -> None:
    """`numbers`: as `too_many` tells them; None when only the clock is in doubt."""
    ClockMark.objects.update_or_create(pk=THE_ROW, defaults={"purge_waits": numbers})


def too_many(numbers: dict[str, int]) -> str:
    sentence = _("%(count)s of %(all)s registrations, of %(events)s events, would become anonymous at once.")
    return sentence % numbers


def _row() -> ClockMark:
    return ClockMark.objects.filter(pk=THE_ROW).first() or ClockMark()


def _doubt(row: ClockMark) -> str:
    now = timezone.now()
    last, patience = (row.at, LONG_PAUSE) if row.at else (_newest_row(), LONG_SILENCE)
    if last is None or last - BACKWARDS <= now <= last + patience:
        return ""
    words = {"now": f"{timezone.localtime(now):%Y-%m-%d %H:%M}", "last": f"{timezone.localtime(last):%Y-%m-%d %H:%M}"}
    if now < last:
        return _("The clock of this machine says %(now)s, and the site was already at %(last)s.") % words
    return _("The clock of this machine says %(now)s, and the site last ran at %(last)s.") % words


def _newest_row() -> datetime | None:
    """The last sign-up or mail: what there is to compare with before a worker of this version has run.

    Without those of the last day, which may have been made under the same wrong clock.
    """
    now = timezone.now()
    believed = Q(created_at__lte=now - NOT_BELIEVED) | Q(created_at__gt=now)
    rows: list[models.QuerySet[Any]] = [Registration.objects.filter(believed), Delivery.objects.filter(believed)]
    return max(filter(None, (each.aggregate(at=Max("created_at"))["at"] for each in rows)), default=None)
