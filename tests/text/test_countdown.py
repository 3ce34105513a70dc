"""How long until the room opens, in words that the page renews itself."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from registrations.text import countdown

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("left", "words", "english"),
    [
        (12 * MINUTE, "Dans 12 minutes", "In 12 minutes"),
        (20 * timedelta(seconds=1), "Dans 1 minute", "In 1 minute"),
        (61 * MINUTE, "Dans une heure", "In one hour"),
        (200 * MINUTE, "Dans 3 heures", "In 3 hours"),
        (timedelta(days=6, hours=3), "Dans 6 jours", "In 6 days"),
    ],
)
def test_the_time_left_is_told_in_words(left: timedelta, words: str, english: str) -> None:
    opens_at = timezone.now() + left
    assert countdown.in_words(opens_at) == words
    with translation.override("en"):
        assert countdown.in_words(opens_at) == english


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (timedelta(days=2), None),  # nobody keeps a page open until then
        (90 * MINUTE, 30 * 60),
        (40 * MINUTE, 10 * 60),
        (30 * MINUTE, 15 * 60),
        (12 * MINUTE, 7 * 60),
        (3 * MINUTE, 3 * 60),
        (-MINUTE, None),
    ],
)
def test_the_page_loads_again_when_its_words_change(left: timedelta, seconds: int | None) -> None:
    opens_at = timezone.now() + left
    waits = countdown.seconds_to_next_words(opens_at)
    assert waits is seconds if seconds is None else waits is not None and seconds <= waits <= seconds + 1
