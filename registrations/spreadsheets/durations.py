"""Lengths of time, moments and spans, as the reports of meeting rooms write them in French and in English."""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

DAY = 24 * 3600
HOURS_OF_A_DAY = 24
MAX_TEXT = 100  # characters
type Span = tuple[int, int]  # two moments, in seconds

AMOUNT = r"(\d{1,6}(?:[.,]\d{1,3})?)"
NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?", re.ASCII)
CLOCK = re.compile(
    r"(?:(\d{1,2})(?:\.| ?(?:days?|jours?|j|d),? ))?(\d{1,3}):([0-5]\d)(?::([0-5]\d)(?:[.,]\d+)?)?", re.ASCII
)
ISO_8601 = re.compile(r"p(?:(\d{1,2})d)?t(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7})(?:\.\d+)?s)?", re.ASCII)
UNITS = {
    r"jours?|days?|j|d": DAY,
    r"heures?|hours?|hrs?|h": 3600,
    r"minutes?|mins?|mn|m|$": 60,  # « 1 h 05 »
    r"secondes?|seconds?|secs?|s": 1,
}
WORDS = re.compile("(?:,| |et |and )*".join(rf"(?:{AMOUNT} ?(?:{unit})\.?)?" for unit in UNITS), re.ASCII)
UNDER_A_MINUTE = re.compile(r"(?:<|moins d[e'’]|less than|under) ?(?:1|une|one|a) ?m(?:in(?:ute)?)?\.?")

MOMENT = re.compile(
    r"(?:(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:,|t)? ?)?"
    r"(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)? ?(?:([ap])\.?m\.?)?(?: ?(?:z|utc|gmt|[+-]\d{2}:?\d{2}))*",
    re.ASCII,
)


def seconds_of(text: str, *, unit: int = 60) -> int | None:
    """Seconds of « 75 » (times `unit`), « 1:15:00 », « 1,5 h », « 1 jour 2 h », « < 1 min » (0) or « PT1H15M ».

    None for what is no length of time, or may be two: « 83:00 » is in hours for some, in minutes for others.
    """
    text = _plain(text)
    if NUMBER.fullmatch(text):
        return int(_amount(text) * unit)
    if UNDER_A_MINUTE.fullmatch(text):
        return 0
    for pattern in (CLOCK, ISO_8601, WORDS):
        found = pattern.fullmatch(text)
        if not found or not any(found.groups()):
            continue
        if pattern is CLOCK and found[4] is None and int(found[2]) >= HOURS_OF_A_DAY:
            return None
        return round(sum(_amount(part) * size for part, size in zip(found.groups(), UNITS.values(), strict=True)))
    return None


def _plain(text: str) -> str:
    """Nothing for a long text: the patterns would take minutes for « , , , , … »."""
    return " ".join(text.lower().split()) if len(text) <= MAX_TEXT else ""


def _amount(part: str | None) -> float:
    return float((part or "0").replace(",", "."))


def moment(text: str) -> int | None:
    """Seconds of a date with an hour, or of an hour alone. They tell how far apart two moments of one report are.

    Zones are left out: a report has one. « 05/06/2026 » is the 5th of June, and beside AM or PM the 6th of May.
    """
    found = MOMENT.fullmatch(_plain(text))
    if not found:
        return None
    *date, hour, minute, second, half = found.groups()
    hours = int(hour) if half is None else int(hour) % 12 + 12 * (half == "p")
    try:
        year, month, day = (
            _date([int(part) for part in date], is_american=half is not None) if date[0] else (1970, 1, 1)
        )
        return int(datetime(year, month, day, hours, int(minute), int(second or 0), tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _date(parts: list[int], *, is_american: bool) -> tuple[int, int, int]:
    """Year, month and day; ValueError for « 13/13/2026 » comes later, from datetime."""
    first, second, last = parts
    if first > 31:
        return first, second, last
    year = last if last > 99 else 2000 + last
    is_month_first = second > 12 or (is_american and first <= 12)
    return (year, first, second) if is_month_first else (year, second, first)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time without overlaps, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def whole_minutes(seconds: int, *, within: Collection[Span] = (), is_rounded: bool = False) -> int | None:
    """Minutes of these seconds, at most those that the spans cover: two devices at once are not added.

    `is_rounded`: the seconds come from whole minutes, which rooms round up: the spans may be up to a minute shorter.
    None below a minute: no certificate states 0 minutes.
    """
    if within:
        seconds = min(seconds, sum(end - start for start, end in union(within)) + 59 * is_rounded)
    return seconds // 60 or None
