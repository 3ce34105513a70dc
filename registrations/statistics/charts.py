"""Coordinates of bar charts and curves for inline SVG.

All numbers are integers: a decimal would be written with a comma in a French page, which SVG does not understand.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

WIDTH = 480  # SVG user units, like all numbers here
COLUMNS_HEIGHT = 160
LINE = 46  # height of a horizontal bar with its label
LABEL_ROOM = 60  # width for the number after a horizontal bar


class Bar(NamedTuple):
    label: Any
    number: int
    x: int
    y: int
    width: int
    height: int

    @property
    def end(self) -> int:
        return self.x + self.width

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


def columns(figures: Sequence[tuple[Any, int]]) -> list[Bar]:
    """Vertical bars; the highest has the height of the chart."""
    highest = max((count for _label, count in figures), default=0) or 1
    room = WIDTH // max(len(figures), 1)
    width = max(min(room - 3, 60), 4)
    return [
        Bar(label, count, n * room, COLUMNS_HEIGHT - height, width, height)
        for n, (label, count) in enumerate(figures)
        for height in [round(count * COLUMNS_HEIGHT / highest)]
    ]


def lines(figures: Sequence[tuple[Any, int]]) -> list[Bar]:
    """Horizontal bars, each one below its label."""
    highest = max((count for _label, count in figures), default=0) or 1
    return [
        Bar(label, count, 0, n * LINE + 22, max(round(count * (WIDTH - LABEL_ROOM) / highest), 2), 14)
        for n, (label, count) in enumerate(figures)
    ]


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
