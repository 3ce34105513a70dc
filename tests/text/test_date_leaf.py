"""The date of an event on its pages: the leaf, and the sentence beside it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from registrations.models import Event
from registrations.text import date_leaf
from tests.factories import make_event

START = datetime(2030, 5, 14, 14, 30, tzinfo=UTC)  # a Tuesday, 16 h 30 in Paris
HOUR = timedelta(hours=1)
OF_THREE_DAYS = "16_h_30 le premier jour_– 18_h_30 le dernier jour"


def planned(**fields: Any) -> Event:
    return Event(**{"status": "published", "starts_at": START, "ends_at": START + 1.5 * HOUR, **fields})


@pytest.mark.parametrize(
    ("before", "fields", "title", "rest"),
    [
        (72 * HOUR, {}, "Mardi 14_mai 2030", "16_h_30_– 18_h"),
        (20 * HOUR, {}, "Demain, mardi 14_mai", "16_h_30_– 18_h"),
        (4 * HOUR, {}, "Aujourd’hui, mardi 14_mai", "16_h_30_– 18_h"),
        (-HOUR, {}, "En ce moment", "Jusqu’à 18_h"),
        (-2 * HOUR, {}, "Mardi 14_mai 2030", "Ce webinaire a eu lieu"),
        (4 * HOUR, {"status": "cancelled"}, "Annulé", "Était prévu le mardi 14_mai 2030"),
        (-30 * HOUR, {"ends_at": START + 50 * HOUR}, "Du mardi 14 au jeudi 16_mai 2030", OF_THREE_DAYS),
    ],
)  # fmt: skip
def test_the_sentence_says_how_near_the_session_is(before: timedelta, fields: Any, title: str, rest: str) -> None:
    with time_machine.travel(START - before):
        when = date_leaf.when(planned(**fields))
    assert (when.day, when.month) == ("14", "mai")
    assert (when.title, when.rest) == (title.replace("_", "\u00a0"), rest.replace("_", "\u00a0"))


@pytest.mark.django_db
def test_the_leaf_is_not_read_aloud_since_the_sentence_says_it_all(client: Client) -> None:
    page = client.get(make_event(starts_at=START).get_absolute_url()).text
    assert '<span class="leaf" aria-hidden="true">' in page
    assert "<strong>Mardi 14\u00a0mai 2030</strong>" in page
    assert "Format" not in page


@pytest.mark.django_db
def test_a_page_made_yesterday_does_not_say_tomorrow_any_more(client: Client) -> None:
    event = make_event(starts_at=START)
    seen = []
    for before in (72 * HOUR, 20 * HOUR, 4 * HOUR):
        with time_machine.travel(START - before):
            page = client.get(event.get_absolute_url()).text
        seen.append(("Demain," in page, "Aujourd’hui," in page))
    assert seen == [(False, False), (True, False), (False, True)]
