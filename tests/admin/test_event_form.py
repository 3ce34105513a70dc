"""The form of an event: what follows from what is saved there, and what is said of it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client

from registrations.domain import signup
from registrations.models import Delivery, Event
from tests.admin.event_pages import path, read, with_people
from tests.admin_client import EVENTS, event_form, messages, typed_date
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db


def save(organiser: Client, event: Event, **changes: Any) -> Any:
    page = organiser.post(path(event), {**event_form(organiser, path(event)), **changes}, follow=True)
    assert page.redirect_chain, page.context["adminform"].form.errors
    return page


@pytest.mark.parametrize(("capacity", "count"), [("2", 1), ("", 3)])
def test_more_seats_go_to_the_waiting_list_at_once(organiser: Client, capacity: str, count: int) -> None:
    event = make_event(capacity=1, report=False)
    make_registration(event)
    for _ in range(3):
        make_registration(event, status="waitlisted")
    page = save(organiser, event, capacity=capacity)
    assert messages(page)[0].startswith(f"{count} personne")
    assert Delivery.objects.filter(kind="promoted").count() == count


def test_fewer_seats_than_are_taken_are_allowed_and_said(organiser: Client) -> None:
    event = make_event(report=False)
    for _ in range(3):
        make_registration(event)
    page = save(organiser, event, capacity="2")
    assert any("3 places prises pour 2 prévues. Personne ne perd la sienne." in words for words in messages(page))
    assert event.registrations.seated().count() == 3


def test_reminders_follow_the_hours_that_the_organiser_chooses(organiser: Client) -> None:
    event = make_event(report=False)
    signup.welcome(make_registration(event))
    save(organiser, event, reminder_minutes_before="30", reminder_day_time="")
    waiting = Delivery.objects.pending().exclude(kind="confirmation")
    assert list(waiting.values_list("kind", "send_at")) == [("reminder_hour", event.starts_at - timedelta(minutes=30))]


def test_a_published_event_whose_address_is_emptied_comes_back_with_the_error(organiser: Client) -> None:
    event = make_event(report=False)
    page = organiser.post(path(event), {**event_form(organiser, path(event)), "slug": "", "title": ""})
    assert page.status_code == 200
    assert "title" in page.context["adminform"].form.errors


def test_publishing_a_draft_plans_the_reminders_of_the_people_on_its_list(organiser: Client) -> None:
    event = make_event(status="draft", report=False)
    make_registration(event)
    save(organiser, event, status="published")
    assert set(Delivery.objects.values_list("kind", flat=True)) == {"reminder_day", "reminder_hour"}


def test_a_follow_up_whose_hour_has_passed_is_said_not_to_leave(organiser: Client) -> None:
    event = make_past_event(report=False)
    make_registration(event)
    page = save(organiser, event, follow_up_hours_after="2")
    assert any("son heure est passée, ce courriel ne partira pas" in words for words in messages(page))
    assert not Delivery.objects.filter(kind="follow_up", state="pending").exists()


def test_a_follow_up_switched_on_in_time_is_planned(organiser: Client) -> None:
    event = make_event(report=False, reminder_day_time=time(9))
    make_registration(event)
    save(organiser, event, follow_up_hours_after="2")
    [follow_up] = Delivery.objects.filter(kind="follow_up")
    assert follow_up.send_at == event.ends_at + timedelta(hours=2)


def test_a_form_opened_before_the_first_sign_up_does_not_move_the_event_behind_anyones_back(organiser: Client) -> None:
    event = make_event(report=False)
    form = event_form(organiser, path(event))
    make_registration(event)
    later = typed_date("ends_at", event.ends_at + timedelta(hours=1))
    page = organiser.post(path(event), {**form, **later}, follow=True)
    assert any("Quelqu’un s’est inscrit entre-temps" in words for words in messages(page))
    assert Event.objects.get(pk=event.pk).ends_at == event.ends_at


@pytest.mark.parametrize(("hours", "is_red"), [(24, True), (26, False)])
def test_a_missing_link_to_the_room_is_red_from_the_day_before(organiser: Client, hours: int, is_red: bool) -> None:
    event = make_event(connection_url="", starts_in=timedelta(hours=hours))
    assert ("Saisissez-le sous «\u00a0La salle\u00a0»" in organiser.get(path(event)).text) is is_red
    assert ("la salle ouvre bientôt" in organiser.get("/admin/").text) is is_red


def test_the_list_of_events_costs_the_same_for_one_and_for_three(
    organiser: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    with_people()
    with django_assert_max_num_queries(10) as one:
        page = organiser.get(EVENTS)
    assert "2 personnes pour 2 places" in read(page)
    for _ in range(2):
        with_people()
    with django_assert_num_queries(len(one)):
        organiser.get(EVENTS)


def test_the_hours_of_the_form_are_those_of_the_zone_chosen_beside_them(organiser: Client) -> None:
    event = make_event(report=False)
    noon = {"starts_at_0": "10/12/2026", "starts_at_1": "12:00", "ends_at_0": "10/12/2026", "ends_at_1": "13:30"}
    save(organiser, event, timezone="Pacific/Noumea", **noon)
    event.refresh_from_db()
    assert event.starts_at == datetime(2026, 12, 10, 1, tzinfo=UTC)
    page = organiser.get(path(event)).text
    assert 'value="12\u00a0h"' in page
    assert page.count(">Heure de Nouméa</span>.") == 4
    assert '<option value="Pacific/Noumea" selected data-spoken="Heure de Nouméa">Nouméa (Nouvelle-Calédonie)' in page
    assert "Heures de cette page\u00a0: heure de Nouméa" in page


def test_another_zone_moves_the_hours_that_stay_as_they_were_typed(organiser: Client) -> None:
    event = make_event(report=False, starts_at=datetime(2026, 12, 10, 17, tzinfo=UTC))
    save(organiser, event, timezone="Indian/Reunion")
    event.refresh_from_db()
    assert event.starts_at == datetime(2026, 12, 10, 14, tzinfo=UTC)
    assert event.sequence == 1


def test_hours_that_are_only_read_are_in_the_zone_of_the_event_too(organiser: Client) -> None:
    event = make_event(timezone="Pacific/Noumea", starts_at=datetime(2026, 12, 10, 7, tzinfo=UTC))
    make_registration(event)
    page = organiser.get(path(event)).text
    assert "10 décembre 2026 18:00" in page
    assert "Nouméa (Nouvelle-Calédonie)" in page
    assert ">Pacific/Noumea<" not in page


def test_the_list_of_events_names_the_zone_of_an_event_elsewhere(organiser: Client) -> None:
    make_event(timezone="Pacific/Noumea", starts_at=datetime(2026, 12, 10, 7, tzinfo=UTC))
    page = organiser.get(EVENTS).text
    assert "10_décembre 2026, 18_h (heure de Nouméa)".replace("_", "\u00a0") in page
    assert "heure de Paris, sauf mention contraire" in page


@pytest.mark.parametrize("name", ["contact_name", "contact_email"])
def test_a_contact_of_line_breaks_alone_is_asked_for_again(organiser: Client, name: str) -> None:
    event = make_event(report=False)
    page = organiser.post(path(event), {**event_form(organiser, path(event)), name: "\u2028\x85\u2029"})
    assert page.status_code == 200
    assert page.context["adminform"].form.errors
