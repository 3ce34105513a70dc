"""The states of an event on its pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from registrations.domain import signup
from registrations.models import Event, EventState
from tests.factories import ROOM, make_event, make_past_event, make_registration

START = datetime(2030, 5, 13, 14, 30, tzinfo=UTC)
END = START + timedelta(minutes=90)
HOUR = timedelta(hours=1)


def planned(**fields: object) -> Event:
    return Event(**{"status": "published", "starts_at": START, "ends_at": END, **fields})


@pytest.mark.parametrize(
    ("fields", "now", "state"),
    [
        ({"status": "draft"}, START - HOUR, EventState.DRAFT),
        ({"status": "cancelled"}, START - HOUR, EventState.CANCELLED),
        ({"status": "cancelled"}, END + HOUR, EventState.CANCELLED),
        ({"status": "postponed"}, END + HOUR, EventState.POSTPONED),
        ({"registration_opens_at": START - HOUR}, START - 2 * HOUR, EventState.NOT_YET_OPEN),
        ({"registration_opens_at": START - HOUR}, START - HOUR, EventState.OPEN),
        ({}, START - HOUR, EventState.OPEN),
        ({}, START, EventState.LIVE),
        ({"registration_closes_at": START - HOUR}, START - HOUR, EventState.CLOSED),
        ({"registration_closes_at": START - HOUR}, START, EventState.CLOSED),
        ({}, END, EventState.PAST),
        ({"open_after_session": True}, END, EventState.PAST_AND_OPEN),
        ({"registration_closes_at": END + HOUR}, END, EventState.PAST_AND_OPEN),
        ({"registration_closes_at": END + HOUR}, END + HOUR, EventState.PAST),
        ({"registration_closes_at": START - HOUR, "open_after_session": True}, END, EventState.PAST_AND_OPEN),
    ],
)
def test_the_state_of_an_event_at_a_moment(fields: dict[str, object], now: datetime, state: EventState) -> None:
    assert planned(**fields).state_at(now) == state


@pytest.mark.parametrize(
    ("registered_at", "erased_on"),
    [
        (datetime(2030, 1, 1, tzinfo=UTC), "2030-11-13"),  # before the session: six months after it
        (datetime(2030, 8, 31, tzinfo=UTC), "2031-02-28"),  # later: six months after the sign-up, at a month's end
    ],
)
def test_data_is_kept_for_months_after_the_session_or_a_later_sign_up(registered_at: datetime, erased_on: str) -> None:
    assert planned().kept_until(registered_at).date().isoformat() == erased_on


CLOSED_PAGES = [
    ({"status": "cancelled", "organiser_words": "La salle a brûlé."}, "Ce webinaire est annulé.", "La salle a brûlé."),
    ({"status": "postponed"}, "Ce webinaire est reporté.", "nouvelle date"),
    ({"registration_opens_at": timedelta(days=1)}, "Les inscriptions ouvriront le", "à"),
    ({"registration_closes_at": timedelta(days=-1)}, "Les inscriptions sont closes depuis le", "à"),
    ({"starts_in": timedelta(days=-30)}, "Ce webinaire a eu lieu", ""),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("fields", "sentence", "detail"), CLOSED_PAGES)
def test_a_state_without_sign_up_says_so_on_both_pages(fields: dict[str, Any], sentence: str, detail: str) -> None:
    moments = {name: timezone.now() + span for name, span in fields.items() if name.startswith("registration_")}
    event = make_event(**{**fields, **moments})
    client = Client()

    page = client.get(f"/evenements/{event.slug}/")
    form = client.get(f"/evenements/{event.slug}/inscription/")

    for response in (page, form):
        assert response.status_code == 200
        assert sentence in response.text
        assert detail in response.text
        assert ROOM not in response.text
    assert "/inscription/" not in page.text.replace('hreflang="en"', "")
    assert "<form" not in form.text


@pytest.mark.django_db
def test_a_live_webinar_still_takes_sign_ups(client: Client) -> None:
    event = make_event(starts_in=timedelta(minutes=-10))
    assert "En ce moment" in client.get(f"/evenements/{event.slug}/").text
    assert "<form" in client.get(f"/evenements/{event.slug}/inscription/").text


@pytest.mark.django_db
def test_a_postponed_event_hides_its_date_and_its_calendar_file(client: Client) -> None:
    event = make_event(status="postponed")
    assert "<time" not in client.get(f"/evenements/{event.slug}/").text
    assert client.get(f"/evenements/{event.slug}/evenement.ics").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["", "inscription/", "merci/", "evenement.ics"])
def test_a_draft_has_no_page(client: Client, page: str) -> None:
    event = make_event(status="draft")
    assert client.get(f"/evenements/{event.slug}/{page}").status_code == 404


@pytest.mark.django_db
def test_the_event_page_needs_one_query_and_escapes_what_organisers_type(
    client: Client, django_assert_num_queries: object
) -> None:
    hostile = "# Titre\n\n<script>alert(1)</script> [lien](javascript:alert(2)) ![x](https://pisteur.example/x.png)"
    event = make_event(title='"><script>alert(3)</script>', summary="Ici : « là »", description=hostile)
    with django_assert_num_queries(1):  # type: ignore[operator]
        page = client.get(event.get_absolute_url()).text
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert "<img" not in page
    assert "<h2>Titre</h2>" in page
    assert "Ici\u00a0: «\u00a0là\u00a0»" in page


@pytest.mark.django_db
def test_an_invalid_event_is_refused() -> None:
    event = make_event()
    event.ends_at = event.starts_at
    event.timezone = "Europe/Nulle-Part"
    event.retention_months = 48
    event.connection_url = "http://visio.example.net/"
    with pytest.raises(ValidationError) as refused:
        event.full_clean()
    assert set(refused.value.message_dict) == {"timezone", "connection_url", "__all__"}
    assert len(refused.value.message_dict["__all__"]) == 2


@pytest.mark.parametrize(
    ("waiting_list", "words"),
    [(True, "S’inscrire sur la liste d’attente"), (False, "Pour savoir si une place se libère")],
)
@pytest.mark.django_db
def test_a_full_event_offers_its_waiting_list_or_its_contact(client: Client, waiting_list: bool, words: str) -> None:
    event = make_event(capacity=2, waiting_list=waiting_list)
    make_registration(event)
    page = f"/evenements/{event.slug}/"
    assert "S’inscrire au webinaire" in client.get(page).text
    make_registration(event)
    full = client.get(page).text
    assert "Complet." in full
    assert words in full
    form = client.get(f"{page}inscription/").text
    assert ("<h1>Liste d’attente</h1>" in form) is waiting_list
    assert ("<h1>Le webinaire est complet</h1>" in form) is not waiting_list


@pytest.mark.django_db
def test_a_seat_given_back_opens_the_form_at_the_next_request(client: Client) -> None:
    event = make_event(capacity=1, waiting_list=False)
    taken = make_registration(event)
    page = f"/evenements/{event.slug}/inscription/"
    assert "Le webinaire est complet" in client.get(page).text
    signup.withdraw(taken)
    assert "Envoyer mon inscription" in client.get(page).text


@pytest.mark.parametrize(("capacity", "is_open"), [(None, True), (2, True), (1, False)])
@pytest.mark.django_db
def test_a_live_event_accepts_sign_ups_while_there_are_seats_and_has_no_waiting_list(
    client: Client, capacity: int | None, is_open: bool
) -> None:
    event = make_event(starts_in=timedelta(minutes=-5), capacity=capacity)
    make_registration(event)
    page = client.get(f"/evenements/{event.slug}/").text
    assert "En ce moment" in page
    assert ("Inscrivez-vous maintenant" in page) is is_open
    assert ("Toutes les places sont prises." in page) is not is_open
    assert (client.get(f"/evenements/{event.slug}/inscription/").text.count("<form") > 0) is is_open


@pytest.mark.django_db
def test_seats_no_longer_count_after_the_session(client: Client) -> None:
    event = make_past_event(open_after_session=True, capacity=1)
    make_registration(event)
    assert "Envoyer mon inscription" in client.get(f"/evenements/{event.slug}/inscription/").text


@pytest.mark.parametrize(
    "fields", [{}, {"capacity": 1}, {"starts_in": timedelta(minutes=-5)}, {"status": "postponed"}]
)
@pytest.mark.django_db
def test_the_page_links_to_the_form_that_sends_the_link_again(client: Client, fields: dict[str, Any]) -> None:
    event = make_event(**fields)
    page = client.get(f"/evenements/{event.slug}/").text
    assert (
        f'<a class="act" href="/evenements/{event.slug}/renvoyer/">Déjà inscrit·e\u00a0? Recevoir mon lien</a>' in page
    )


@pytest.mark.django_db
def test_the_page_of_an_event_needs_few_queries(
    client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    event = make_event(capacity=1)
    make_registration(event)
    with django_assert_max_num_queries(2):
        client.get(f"/evenements/{event.slug}/")
    with django_assert_max_num_queries(3):
        client.get(f"/evenements/{event.slug}/inscription/")
