"""Hours of the day as people type them: 14 h 30, 14h30, 14:30, 1430, 14h, 2:30 pm."""

import re
from datetime import time

from django.utils import translation

NBSP = "\u00a0"
TYPED = re.compile(
    r"(?P<hour>\d{1,2}?)\s*(?:(?:h|:|\.|heures?)\s*)?(?P<minute>\d{2})?(?::00)?\s*(?:min)?\s*(?P<half>[ap]\.?\s*m\.?)?",
    re.IGNORECASE | re.ASCII,
)


def read(text: str) -> time:
    """The hour of the day; raises ValueError when the text is none."""
    typed = TYPED.fullmatch(text.replace(NBSP, " ").replace("\u202f", " ").strip())
    if typed is None:
        raise ValueError(f"no hour: {text!r}")
    hour, minute = int(typed["hour"]), int(typed["minute"] or 0)
    if typed["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"no hour: {text!r}")
        hour = hour % 12 + (12 if typed["half"][0] in "pP" else 0)
    return time(hour, minute)


def spoken(moment: time) -> str:
    """14 h 30, 18 h; 14:30 in English."""
    if translation.get_language() != "fr":
        return f"{moment:%H:%M}"
    return f"{moment.hour}{NBSP}h{NBSP}{moment:%M}" if moment.minute else f"{moment.hour}{NBSP}h"
