"""Accounts that see and run only the events on which they are named (the group « Par webinaire »).

They hold a permission that limits them. So the question costs no query beyond those of all permissions, and an
account of two groups stays limited.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Model, Q, QuerySet

from registrations.models import Appearance, EventMember, Speaker

LIMIT = "registrations.limited_to_named_events"


def is_limited(user: Any) -> bool:
    """A superuser has every permission, and is not limited by this one."""
    return not user.is_superuser and user.has_perm(LIMIT)


def named_events(user: Any) -> Collection[int] | None:
    """Ids of the events of this account, read once per request; None when it sees all events."""
    if not is_limited(user):
        return None
    if not hasattr(user, "named_event_ids"):
        user.named_event_ids = set(EventMember.objects.filter(user=user.pk).values_list("event", flat=True))
    ids: set[int] = user.named_event_ids
    return ids


def limited[M: Model](rows: QuerySet[M], user: Any, path: str) -> QuerySet[M]:
    """The rows that this account may see. `path`: from a row to its event; an empty one leads to no event."""
    ids = named_events(user)
    if ids is None:
        return rows
    return rows.filter(**{f"{path}__in": ids}) if path else rows.none()


def speakers(user: Any) -> QuerySet[Speaker]:
    """Of the address book: those of the events that this account sees, and those whom no event names yet."""
    ids = named_events(user)
    if ids is None:
        return Speaker.objects.all()
    named = Appearance.objects.order_by()
    own = Q(pk__in=named.filter(event__in=ids).values("speaker")) | ~Q(pk__in=named.values("speaker"))
    return Speaker.objects.filter(own)


def is_named_elsewhere(user: Any, speaker: Speaker) -> bool:
    """Whether a correction would show on the page of an event that this account does not see."""
    ids = named_events(user)
    return ids is not None and speaker.appearances.exclude(event__in=ids).exists()


def may_see(user: Any, event: int | None) -> bool:
    ids = named_events(user)
    return ids is None or event in ids
