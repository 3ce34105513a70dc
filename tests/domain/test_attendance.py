"""Who came: noted once whoever says so and however often, and corrected by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import translation

from registrations.admin.people.attendance import attendance_summary
from registrations.domain import attendance
from registrations.models import Attendance, Registration
from registrations.spreadsheets.attendance_report import Participant
from tests.domain.presences import signs
from tests.factories import make_event, make_past_event, make_registration
from tests.threads import together

pytestmark = pytest.mark.django_db

Origin = Attendance.Origin

LIST = "/admin/registrations/registration/"


# The verbs


def test_each_origin_is_noted_once_and_the_certificate_has_one_number() -> None:
    registration = make_registration()
    attendance.note(registration, Origin.JOIN)
    registration.refresh_from_db()
    number = registration.certificate_number
    for origin in (Origin.JOIN, Origin.HAND, Origin.HAND):
        attendance.note(registration, origin)
    registration.refresh_from_db()
    assert signs(registration) == [("join", None), ("hand", None)]
    assert registration.certificate_number == number
    assert number is not None
    assert len(number) == 14


def test_a_second_import_corrects_the_minutes() -> None:
    registration = make_registration()
    attendance.note(registration, Origin.IMPORT, minutes=40)
    attendance.note(registration, Origin.IMPORT, minutes=75)
    assert signs(registration) == [("import", 75)]


@pytest.mark.django_db(transaction=True)
def test_two_joins_at_once_note_one_presence_and_one_number() -> None:
    registration = make_registration()
    numbers: list[str | None] = []

    def join() -> None:
        mine = Registration.objects.get(pk=registration.pk)
        attendance.note(mine, Origin.JOIN)
        mine.refresh_from_db()
        numbers.append(mine.certificate_number)

    assert together([join] * 4) == []
    assert signs(registration) == [("join", None)]
    assert len(numbers) == 4
    assert len(set(numbers)) == 1


def test_a_presence_taken_back_and_noted_again_keeps_its_number() -> None:
    registration = make_registration()
    attendance.note(registration, Origin.HAND)
    registration.refresh_from_db()
    number = registration.certificate_number
    attendance.take_back(registration)
    assert not registration.attendances.exists()
    attendance.note(registration, Origin.HAND)
    registration.refresh_from_db()
    assert registration.certificate_number == number


def test_an_import_leaves_out_who_has_no_seat() -> None:
    event = make_past_event()
    here, gone = make_registration(event), make_registration(event, status="cancelled")
    elsewhere = make_registration()
    confirmed = [(here.pk, 70), (gone.pk, 10), (elsewhere.pk, 10), (10**12, 5)]
    assert attendance.note_report(event, confirmed) == [here]
    assert list(Attendance.objects.values_list("registration", "minutes")) == [(here.pk, 70)]


HOUR = ((0, 3600),)


@pytest.mark.parametrize(
    ("names", "minutes"),
    [
        ([(60, HOUR), (60, HOUR)], 60),  # a computer and a telephone
        ([(60, HOUR), (50, ((1800, 4800),))], 80),
        ([(60, HOUR), (30, ((7200, 9000),))], 90),
        ([(60, HOUR), (None, ((3700, 3720),))], 60),  # some seconds
        ([(60, HOUR), (None, ())], None),
        ([(60, ()), (50, ())], 60),  # without hours nobody knows what overlaps
        ([(60, HOUR), (50, ())], 60),
        ([(None, ())], None),
        ([(75, ())], 75),
    ],
)
def test_two_names_of_one_person_do_not_count_one_minute_twice(names: list[Any], minutes: int | None) -> None:
    participants = [Participant("Zoë", "", length, spans) for length, spans in names]
    assert attendance.minutes_together(participants) == minutes


# By hand, in the list and on the person's page


def test_presences_are_noted_by_hand_after_a_question_with_the_count(organiser: Client) -> None:
    event = make_past_event()
    one, two = make_registration(event), make_registration(event)
    cancelled = make_registration(event, status="cancelled")
    chosen = {"action": "note_presence", "_selected_action": [one.pk, two.pk, cancelled.pk]}
    question = organiser.post(LIST, chosen)
    assert "Noter la présence de 2 personnes\u00a0?" in question.text
    assert "1 inscription choisie est laissée de côté" in question.text
    assert not Attendance.objects.exists()

    done = organiser.post(LIST, {**dict(question.context["chosen"]), **chosen, "confirmed": "yes"}, follow=True)
    assert "2 présences sont notées." in done.text
    assert [signs(person) for person in (one, two, cancelled)] == [[("hand", None)], [("hand", None)], []]
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(one.pk), str(two.pk)}


def test_a_presence_is_taken_back_after_a_question(organiser: Client) -> None:
    registration = make_registration(make_past_event())
    attendance.note(registration, Origin.HAND)
    chosen = {"action": "take_presence_back", "_selected_action": registration.pk}
    assert "Retirer la présence de 1 personne\u00a0?" in organiser.post(LIST, chosen).text
    assert registration.attendances.exists()
    done = organiser.post(LIST, {**chosen, "confirmed": "yes"}, follow=True)
    assert "1 présence est retirée." in done.text
    assert not registration.attendances.exists()


def test_an_action_without_anyone_to_note_notes_nobody(organiser: Client) -> None:
    waiting = make_registration(make_past_event(), status="waitlisted")
    for action in ("note_presence", "take_presence_back"):
        answer = organiser.post(LIST, {"action": action, "_selected_action": waiting.pk}, follow=True)
        assert "Aucune des inscriptions choisies" in answer.text
    assert not Attendance.objects.exists()


def test_the_whole_list_can_be_chosen_across_its_pages(organiser: Client) -> None:
    event = make_past_event()
    people = [make_registration(event) for _ in range(3)]
    chosen = {"action": "note_presence", "select_across": "1", "_selected_action": people[0].pk}
    question = organiser.post(f"{LIST}?event__id__exact={event.pk}", chosen)
    assert "3 personnes" in question.text
    assert ("select_across", "1") in question.context["chosen"]


def test_the_persons_own_page_has_the_actions_and_shows_each_presence_with_its_origin(organiser: Client) -> None:
    registration = make_registration(make_past_event())
    attendance.note(registration, Origin.JOIN)
    attendance.note(registration, Origin.IMPORT, minutes=75)
    path = f"{LIST}{registration.pk}/change/"
    page = organiser.get(path).text
    for words in ["Enlever la présence…", "lien personnel", "rapport de la salle, 75"]:
        assert words in page

    chosen = {"CHANGE_FORM-action": "take_presence_back", "_selected_action": registration.pk}
    question = organiser.post(path, chosen)
    organiser.post(path, {**dict(question.context["chosen"]), "confirmed": "yes"})
    assert not registration.attendances.exists()


def test_the_column_says_how_we_know() -> None:
    paris = ZoneInfo("Europe/Paris")
    start = datetime(2025, 5, 13, 16, 30, tzinfo=paris)
    event = make_event(starts_at=start, ends_at=start + timedelta(minutes=90))
    registration = make_registration(event)
    with translation.override("fr"):
        assert attendance_summary(registration) == "Non"
        attendance.note(registration, Origin.JOIN)
        registration.attendances.update(noted_at=start - timedelta(minutes=2))
        assert attendance_summary(registration) == "Oui\u00a0: lien personnel, 16\u00a0h\u00a028"
        attendance.note(registration, Origin.IMPORT, minutes=75)
        attendance.note(registration, Origin.HAND)
        assert attendance_summary(registration).endswith(" · rapport de la salle, 75\u00a0min · à la main")
        assert attendance_summary(make_registration()) == ""


def test_the_list_is_filtered_by_presence(organiser: Client) -> None:
    event = make_past_event()
    attended, stayed_away = make_registration(event), make_registration(event)
    make_registration(event, status="cancelled")
    attendance.note(attended, Origin.JOIN)
    attendance.note(attended, Origin.HAND)
    found = {
        choice: list(organiser.get(LIST, {"presence": choice}).context["cl"].result_list) for choice in ("yes", "no")
    }
    assert found == {"yes": [attended], "no": [stayed_away]}


def test_the_list_costs_the_same_for_one_presence_and_for_three(
    organiser: Client, django_assert_num_queries: Callable[[int], Any], django_assert_max_num_queries: Any
) -> None:
    def add() -> None:
        registration = make_registration(make_past_event())
        attendance.note(registration, Origin.JOIN)
        attendance.note(registration, Origin.HAND)

    add()
    with django_assert_max_num_queries(14) as one:
        organiser.get(LIST)
    add()
    add()
    with django_assert_num_queries(len(one)):
        page = organiser.get(LIST)
    assert len(page.context["cl"].result_list) == 3
