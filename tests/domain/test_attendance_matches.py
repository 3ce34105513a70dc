"""Who a participant of the room's report may be."""

import pytest

from registrations.domain import attendance
from registrations.domain.attendance import Likeness
from registrations.models import Event, Registration
from registrations.spreadsheets.attendance_report import Participant
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


def likeness(event: Event, name: str, email: str = "") -> tuple[Likeness, list[Registration]]:
    [proposal] = attendance.proposals(event, [Participant(name, email, None)])
    return proposal.likeness, proposal.candidates


def test_an_address_is_certain_whatever_the_name() -> None:
    event = make_event()
    zoe = make_registration(event, email="Zoe.Durand@example.org")
    make_registration(event, first_name="Ali", last_name="Ben")
    assert likeness(event, "Ali Ben", "zoe.durand@EXAMPLE.org") == (Likeness.CERTAIN, [zoe])


@pytest.mark.parametrize(
    "shown",
    [
        "Zoë D’Arcy-Ó Súilleabháin",
        "zoe d'arcy o suilleabhain",
        "D’ARCY-Ó SÚILLEABHÁIN Zoë",
        "D'Arcy-O Suilleabhain, Zoe",
        "Zoë D’Arcy-Ó Súilleabháin (Ville de Nulle-Part)",
        "Zoë D’Arcy-Ó Súilleabháin - Ville de Nulle-Part",
        "iPhone (Zoë D’Arcy-Ó Súilleabháin)",
    ],
)
def test_the_same_name_is_likely_however_it_is_written(shown: str) -> None:
    event = make_event()
    zoe = make_registration(event)
    make_registration(event, first_name="Ali", last_name="Ben")
    assert likeness(event, shown, "another@example.org") == (Likeness.LIKELY, [zoe])


@pytest.mark.parametrize("shown", ["Marie Durant", "Marie Duran", "Maire Durand", "Mariee Durand", "DURANDE Marie"])
def test_a_name_one_slip_away_is_doubtful(shown: str) -> None:
    event = make_event()
    marie = make_registration(event, first_name="Marie", last_name="Durand")
    assert likeness(event, shown) == (Likeness.DOUBTFUL, [marie])


def test_two_people_of_one_name_are_for_the_organiser_to_tell_apart() -> None:
    event = make_event()
    two = [make_registration(event, first_name="Marie", last_name="Durand") for _ in range(2)]
    assert likeness(event, "Durand Marie") == (Likeness.DOUBTFUL, two)


@pytest.mark.parametrize(
    "shown",
    [
        "Zoë Durand Ville de Nulle-Part",
        'Zoë "la fée" Durand',
        'Zoë la fée" Durand"',
        "CAF 78 DURAND Zoë",
        "Zoë M. Durand",
    ],
)
def test_a_whole_name_among_other_words_is_doubtful(shown: str) -> None:
    event = make_event()
    zoe = make_registration(event, first_name="Zoë", last_name="Durand")
    make_registration(event, first_name="Zoë", last_name="Petit Durand")
    assert likeness(event, shown) == (Likeness.DOUBTFUL, [zoe])


@pytest.mark.parametrize("shown", ["", "🙂", "iPhone", "M", "Marie Dupond", "x" * 200, "=1+1"])
def test_who_is_not_on_the_list_is_left_unmatched(shown: str) -> None:
    event = make_event()
    make_registration(event, first_name="Marie", last_name="Durand")
    make_registration(event, first_name="L", last_name="")
    assert likeness(event, shown) == (Likeness.UNMATCHED, [])


def test_only_people_with_a_seat_at_this_event_are_proposed() -> None:
    event = make_event()
    for status in ("cancelled", "waitlisted"):
        make_registration(event, status=status, first_name="Marie", last_name="Durand")
    make_registration(first_name="Marie", last_name="Durand", email="m@example.org")
    assert likeness(event, "Marie Durand", "m@example.org") == (Likeness.UNMATCHED, [])
