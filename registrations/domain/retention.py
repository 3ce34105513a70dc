"""The purge: registrations at the end of their retention become anonymous figures."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from registrations.domain import anonymisation, erasure
from registrations.models import Delivery, Event, PurgedCount, Registration, clock_mark
from registrations.runtime import progress
from registrations.runtime.rows import in_chunks
from registrations.statistics import event_figures

UNUSUAL_SHARE = 0.5  # of all people, at the end of several events at once
UNUSUAL_NUMBER = 20
AT_ONCE = 200  # registrations in one transaction, so that the site is not blocked


def unusual() -> dict[str, int] | None:
    """The numbers of a purge that would take more at once than a site that runs every day ever does; else None."""
    expected = purge(dry_run=True)
    everybody = Registration.objects.without_dry_runs().count()
    if len(expected) > 1 and expected.total() > max(UNUSUAL_NUMBER, UNUSUAL_SHARE * everybody):
        return {"count": expected.total(), "all": everybody, "events": len(expected)}
    return None


def stopped() -> str:
    """Why nothing may be purged until a person confirms it, as a sentence; empty when all is well."""
    if reason := clock_mark.doubt():
        return reason
    return clock_mark.too_many(numbers) if (numbers := unusual()) else ""


def purge(*, dry_run: bool = False) -> Counter[Event]:
    """Make each registration at the end of its retention anonymous. Returns how many of each event.

    It can be stopped and run again at any time; nothing is counted twice.
    """
    done: Counter[Event] = Counter()
    for event in Event.objects.filter(
        pk__in=Registration.objects.without_dry_runs().values("event"), ends_at__lte=timezone.now()
    ):
        expired = [pk for pk, kept_until in _ends(event) if kept_until <= timezone.now()]
        if expired and not dry_run:
            PurgedCount.objects.set_at_least(
                event, PurgedCount.Dimension.DISTINCT_ORGANISATIONS, event_figures.figures(event).organisations
            )
        random.shuffle(expired)  # the order of the anonymous rows must not reveal the order of the sign-ups
        for batch in progress.batches(expired, AT_ONCE, event.slug):
            done[event] += len(batch) if dry_run else _make_anonymous(event, batch)
    if not dry_run:
        _delete_mails_of_events()
    return done


def _delete_mails_of_events() -> None:
    """Mails to the contact address of an event, once no data of its registrants is kept any more."""
    mails = Delivery.objects.filter(registration=None, event__isnull=False)
    for event in Event.objects.filter(pk__in=mails.order_by().values("event"), ends_at__lte=timezone.now()):
        if event.kept_until(event.ends_at) <= timezone.now():
            mails.filter(event=event).delete()


def _ends(event: Event) -> list[tuple[int, Any]]:
    rows = event.registrations.without_dry_runs().only("pk", "created_at", "cancelled_at", "event")
    ends = []
    for registration in in_chunks(rows):
        registration.event = event
        ends.append((registration.pk, registration.kept_until))
    return ends


@transaction.atomic
def _make_anonymous(event: Event, pks: Sequence[int]) -> int:
    registrations = _held(event, pks)
    anonymisation.keep_figures(event, registrations)
    # without the journal: after a restore, the next purge finds them by their date
    erasure.remove([registration.pk for registration in registrations])
    return len(registrations)


def _held(event: Event, pks: Sequence[int]) -> list[Registration]:
    rows: QuerySet[Registration] = (
        event.registrations.without_dry_runs().filter(pk__in=pks).select_for_update(of=("self",), no_key=True)
    )
    return list(rows.prefetch_related("attendances"))
