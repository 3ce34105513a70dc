"""Coordinates of a curve for inline SVG.

All numbers are integers: a decimal would be written with a comma in a French page, which SVG does not understand.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

WIDTH = 480  # SVG user units, like all numbers here
COLUMNS_HEIGHT = 160


class Curve(NamedTuple):
    """A stepped line; `points` is the value of the attribute of an SVG polyline."""

    points: str
    first: date
    last: date
    highest: int
    mark: int | None  # x of the marked day

    @property
    def mark_is_right(self) -> bool:
        return self.mark is not None and self.mark > WIDTH // 2


def curve(totals: Sequence[tuple[date, int]], marked: date | None) -> Curve | None:
    """The curve of cumulative totals by day, sorted by day. The x axis includes the marked day."""
    if not totals:
        return None
    days = [day for day, _total in totals] + ([marked] if marked else [])
    first, last, highest = min(days), max(days), totals[-1][1]

    def x_of(day: date) -> int:
        return round(WIDTH * (day - first).days / max((last - first).days, 1))

    corners, previous = [(0, 0)], 0
    for day, total in totals:
        corners += [(x_of(day), previous), (x_of(day), total)]
        previous = total
    corners.append((WIDTH, previous))
    points = " ".join(f"{x},{COLUMNS_HEIGHT - round(total * COLUMNS_HEIGHT / highest)}" for x, total in corners)
    return Curve(points, first, last, highest, x_of(marked) if marked else None)
