"""How long until the room opens, in words, and when these words change.

The page is loaded again only then: a screen reader starts anew at each load. Between two loads the words may age; the
hour in the title stays true.
"""

import math
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import ngettext

CHANGES_AT = [timedelta(minutes=minutes) for minutes in (60, 30, 15, 5, 0)]  # before the opening
DAY = timedelta(days=1)  # a page that is opened earlier is not kept open until then


def in_words(opens_at: datetime) -> str:
    """Dans 12 minutes; dans 3 heures; dans 6 jours."""
    left = opens_at - timezone.now()
    if left < timedelta(minutes=60):
        minutes = max(1, math.ceil(left / timedelta(minutes=1)))
        return ngettext("In %(count)s minute", "In %(count)s minutes", minutes) % {"count": minutes}
    if left < DAY:
        hours = round(left / timedelta(hours=1))
        return ngettext("In one hour", "In %(count)s hours", hours) % {"count": hours}
    days = round(left / DAY)
    return ngettext("In one day", "In %(count)s days", days) % {"count": days}


def seconds_to_next_words(opens_at: datetime) -> int | None:
    """For the header Refresh: until the next moment at which the words change, and once more when the room opens."""
    left = opens_at - timezone.now()
    if not timedelta() < left <= DAY:
        return None
    return next(math.ceil((left - change).total_seconds()) + 1 for change in CHANGES_AT if change < left)
