"""What visitors see of an event."""

from enum import StrEnum


class EventState(StrEnum):
    """Computed from status and dates, tested in this order."""

    DRAFT = "draft"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    NOT_YET_OPEN = "not_yet_open"
    PAST_AND_OPEN = "past_and_open"
    PAST = "past"
    CLOSED = "closed"
    LIVE = "live"
    FULL = "full"
    OPEN = "open"
