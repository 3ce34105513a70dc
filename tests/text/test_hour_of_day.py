"""Hours as organisers type them."""

from datetime import time

import pytest
from django.utils import translation

from registrations.text import hour_of_day


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("14h", time(14)),
        ("14h30", time(14, 30)),
        ("14 h 30", time(14, 30)),
        ("14\u00a0h\u00a030", time(14, 30)),
        ("14:30", time(14, 30)),
        ("14.30", time(14, 30)),
        ("1430", time(14, 30)),
        ("930", time(9, 30)),
        ("9", time(9)),
        ("9 heures", time(9)),
        ("0h", time(0)),
        ("2:30 pm", time(14, 30)),
        ("12 a.m.", time(0)),
        ("14:30:00", time(14, 30)),
    ],
)
def test_an_hour_is_understood_as_people_write_it(typed: str, moment: time) -> None:
    assert hour_of_day.read(typed) == moment


@pytest.mark.parametrize("typed", ["24h", "14h60", "midi", "", "h", "13 pm", "14h30 ou 15h", "٣"])
def test_what_is_no_hour_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"hour|minute"):
        hour_of_day.read(typed)


def test_an_hour_is_read_back_as_it_is_shown() -> None:
    for language in ("fr", "en"):
        with translation.override(language):
            for moment in (time(0), time(9, 5), time(14), time(23, 59)):
                assert hour_of_day.read(hour_of_day.spoken(moment)) == moment
