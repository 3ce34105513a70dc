"""What stays of registrations that are deleted: anonymous rows and counts of groups, so that figures remain right.

The purge and an erasure on request leave the same. A row that should never have been there (« ce n’est pas moi », or
deleted by the team) leaves nothing.
"""

import random
from collections.abc import Sequence
from typing import Any

from registrations.models import AnonymousRegistration, Event, PurgedCount, Registration
from registrations.models.person_fields import PERSON_FIELDS
from registrations.statistics import event_figures

Status = Registration.Status


def figures_of(registration: Registration, *, status: str = "") -> dict[str, Any]:
    """What the figures say of a person: the status, chosen answers, and groups in place of what was typed."""
    groups = {
        str(dimension): group_of(getattr(registration, event_figures.TYPED[dimension]))
        for dimension, (_groups, group_of) in event_figures.GROUPS.items()
    }
    chosen = {one.name: getattr(registration, one.name) for one in PERSON_FIELDS if one.is_kept_in_figures}
    return {"status": status or registration.status, "answers": chosen, "groups": groups}


def keep_figures(event: Event, registrations: Sequence[Registration]) -> None:
    """Write what stays of these registrations, in the transaction that deletes them. Dry runs count nowhere.

    Of someone who asked for erasure, the answers are gone by now: `figures` was written when they asked.
    """
    people = [registration for registration in registrations if not registration.is_dry_run]
    random.shuffle(people)  # the order of the anonymous rows must not reveal the order of the sign-ups
    kept = [(registration, registration.figures or figures_of(registration)) for registration in people]
    rows = [_anonymous(event, registration, figures) for registration, figures in kept]
    AnonymousRegistration.objects.bulk_create(rows)
    seated = [each for each in zip(kept, rows, strict=True) if each[1].status == Status.CONFIRMED]
    _count(event, [(registration, figures["groups"], row) for (registration, figures), row in seated])


def _anonymous(event: Event, registration: Registration, figures: dict[str, Any]) -> AnonymousRegistration:
    attendances = list(registration.attendances.all())
    return AnonymousRegistration(
        event=event,
        registered_on=registration.created_at.astimezone(event.zone).date(),
        status=figures["status"],
        was_present=bool(attendances),
        minutes=max((one.minutes for one in attendances if one.minutes is not None), default=None),
        **figures["answers"],
    )


def _count(event: Event, seated: list[tuple[Registration, dict[str, str], AnonymousRegistration]]) -> None:
    """Count kinds of organisations and functions apart: in the anonymous row they could identify a person."""
    counted = [(one, groups, event_figures.counts_of(event, row)) for one, groups, row in seated]
    for dimension in event_figures.GROUPS:
        of_group = [(groups[str(dimension)], counts) for _one, groups, counts in counted]
        PurgedCount.objects.add(event, dimension, event_figures.summed(of_group))
    origins = [(each.origin, counts) for one, _groups, counts in counted for each in one.attendances.all()]
    PurgedCount.objects.add(event, PurgedCount.Dimension.ORIGIN, event_figures.summed(origins))
