"""Groups that are too small are joined, so that no figure tells of a person, not even by subtraction."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from registrations.models.purged_count import Counts

LEAST = 5  # people that a figure stands for
ROWS_MAX = 12
OTHERS = _("Other groups, joined")


class Part(NamedTuple):
    label: Any
    counts: Counts


class Row(NamedTuple):
    """`share` of those with a seat and `presence` of those expected, both in whole percents."""

    label: Any
    number: int
    share: int
    presence: int | None = None


def rows(parts: Iterable[Part], *, with_presence: bool) -> list[Row]:
    """The largest group first, the joined ones last; none where the groups are too small to be told apart."""
    shown = joined(parts)
    total = sum(part.counts.registered for part in shown)
    told = presence_told(shown) if with_presence else set()
    return [
        Row(
            label,
            counts.registered,
            percent(counts.registered, total),
            percent(counts.present, counts.expected) if index in told else None,
        )
        for index, (label, counts) in enumerate(shown)
    ]


def joined(parts: Iterable[Part]) -> list[Part]:
    """Whoever knows the total must not find a hidden group by subtraction: at least two are joined, of five people.

    The next smallest groups are joined with them until it is so.
    """
    known = (part for part in parts if part.counts.registered)
    counted = sorted(known, key=lambda part: (-part.counts.registered, str(part.label)))
    shown = [part for part in counted if part.counts.registered >= LEAST]
    if len(shown) > ROWS_MAX:
        shown = shown[: ROWS_MAX - 1]
    hidden = counted[len(shown) :]
    while hidden and shown and (len(hidden) < 2 or _together(hidden).registered < LEAST):
        hidden.append(shown.pop())
    if not shown:
        return []
    return [*shown, Part(OTHERS, _together(hidden))] if hidden else shown


def presence_told(parts: Sequence[Part]) -> set[int]:
    """The places of the parts whose presence is told: at least five of the group came, and at least five did not.

    « 6 of 6 came » tells of each of them, « 5 of 6 » nearly. What is not told must not follow from the total either:
    it is true of at least two groups, which together are large enough.
    """
    told = [index for index, part in enumerate(parts) if _is_mixed(part.counts)]
    hidden = [index for index in range(len(parts)) if index not in told]
    while hidden and told and (len(hidden) < 2 or not _is_mixed(_together([parts[index] for index in hidden]))):
        hidden.append(told.pop())
    return set(told)


def _is_mixed(counts: Counts) -> bool:
    return min(counts.present, counts.expected - counts.present) >= LEAST


def _together(parts: Iterable[Part]) -> Counts:
    return Counts(*map(sum, zip(*(part.counts for part in parts), strict=True)))


def percent(number: int, total: int) -> int:
    return round(100 * number / total) if total else 0
