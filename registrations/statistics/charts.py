"""Bars, as numbers for an inline SVG: whole numbers, so that no language writes a comma into a drawing."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

WIDTH = 480  # units of the drawing
COLUMNS_HEIGHT = 160
LINE = 46  # of a lying bar and its label
LABEL_ROOM = 60  # for the number behind a lying bar


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
    """Standing side by side, the highest as high as the drawing."""
    highest = max((count for _label, count in figures), default=0) or 1
    room = WIDTH // max(len(figures), 1)
    width = max(min(room - 3, 60), 4)
    return [
        Bar(label, count, n * room, COLUMNS_HEIGHT - height, width, height)
        for n, (label, count) in enumerate(figures)
        for height in [round(count * COLUMNS_HEIGHT / highest)]
    ]


def lines(figures: Sequence[tuple[Any, int]]) -> list[Bar]:
    """Lying one below the other, each under its label."""
    highest = max((count for _label, count in figures), default=0) or 1
    return [
        Bar(label, count, 0, n * LINE + 22, max(round(count * (WIDTH - LABEL_ROOM) / highest), 2), 14)
        for n, (label, count) in enumerate(figures)
    ]


class Curve(NamedTuple):
    """A line that rises by steps; `points` as SVG wants them."""

    points: str
    first: date
    last: date
    highest: int
    mark: int | None  # where a day to be marked stands

    @property
    def mark_is_right(self) -> bool:
        return self.mark is not None and self.mark > WIDTH // 2


def curve(totals: Sequence[tuple[date, int]], marked: date | None) -> Curve | None:
    """Of totals by day, the earliest first; from the first day told of to the last, the marked one included."""
    if not totals:
        return None
    days = [day for day, _total in totals] + ([marked] if marked else [])
    first, last, highest = min(days), max(days), totals[-1][1]

    def across(day: date) -> int:
        return round(WIDTH * (day - first).days / max((last - first).days, 1))

    corners, before = [(0, 0)], 0
    for day, total in totals:
        corners += [(across(day), before), (across(day), total)]
        before = total
    corners.append((WIDTH, before))
    points = " ".join(f"{x},{COLUMNS_HEIGHT - round(total * COLUMNS_HEIGHT / highest)}" for x, total in corners)
    return Curve(points, first, last, highest, across(marked) if marked else None)
