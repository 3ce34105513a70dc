"""Statistical disclosure control: small groups are merged so that no figure reveals a person, even by subtraction."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from registrations.models.purged_count import Counts

LEAST = 5  # people in a published group
ROWS_MAX = 12
OTHERS = _("Other groups, joined")


class Part(NamedTuple):
    label: Any
    counts: Counts


class Row(NamedTuple):
    """`share`: percent of those with a seat. `presence`: percent of those expected; None when not published."""

    label: Any
    number: int
    share: int
    presence: int | None = None


def rows(parts: Iterable[Part], *, with_presence: bool) -> list[Row]:
    """The largest group first, the merged ones last; empty when the groups are too small to be published."""
    shown = merged(parts)
    total = sum(part.counts.registered for part in shown)
    published = publishable_presence(shown) if with_presence else set()
    return [
        Row(
            label,
            counts.registered,
            percent(counts.registered, total),
            percent(counts.present, counts.expected) if index in published else None,
        )
        for index, (label, counts) in enumerate(shown)
    ]


def merged(parts: Iterable[Part]) -> list[Part]:
    """Merge small groups into one of at least two groups and LEAST people.

    Otherwise a hidden group could be found by subtracting the others from the total. The next smallest groups are
    merged too until the condition is met; empty when it cannot be met.
    """
    filled = (part for part in parts if part.counts.registered)
    counted = sorted(filled, key=lambda part: (-part.counts.registered, str(part.label)))
    shown = [part for part in counted if part.counts.registered >= LEAST]
    if len(shown) > ROWS_MAX:
        shown = shown[: ROWS_MAX - 1]
    hidden = counted[len(shown) :]
    while hidden and shown and (len(hidden) < 2 or _sum(hidden).registered < LEAST):
        hidden.append(shown.pop())
    if not shown:
        return []
    return [*shown, Part(OTHERS, _sum(hidden))] if hidden else shown


def publishable_presence(parts: Sequence[Part]) -> set[int]:
    """Indexes of the parts whose presence may be published: at least LEAST of them attended, and LEAST did not.

    « 6 of 6 attended » reveals the attendance of each of them, and « 5 of 6 » nearly so. The presence of a hidden part
    must not follow from the total either: at least two parts are hidden, which together meet the condition.
    """
    published = [index for index, part in enumerate(parts) if _is_mixed(part.counts)]
    hidden = [index for index in range(len(parts)) if index not in published]
    while hidden and published and (len(hidden) < 2 or not _is_mixed(_sum([parts[index] for index in hidden]))):
        hidden.append(published.pop())
    return set(published)


def _is_mixed(counts: Counts) -> bool:
    return min(counts.present, counts.expected - counts.present) >= LEAST


def _sum(parts: Iterable[Part]) -> Counts:
    return Counts(*map(sum, zip(*(part.counts for part in parts), strict=True)))


def percent(number: int, total: int) -> int:
    return round(100 * number / total) if total else 0
