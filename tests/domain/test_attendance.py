"""Who came: noted once whoever says so and however often, imported after a confirmation, corrected by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from registrations.admin.people.attendance import attendance_summary
from registrations.domain import attendance
from registrations.domain.attendance import Likeness
from registrations.models import Attendance, Event, Registration
from registrations.spreadsheets.attendance_report import Participant
from tests.factories import make_event, make_past_event, make_registration
from tests.threads import together

pytestmark = pytest.mark.django_db

Origin = Attendance.Origin
LIST = "/admin/registrations/registration/"


@pytest.fixture
def organiser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("organisatrice"))
    return client


def signs(registration: Registration) -> list[tuple[str, int | None]]:
    return list(registration.attendances.values_list("origin", "minutes"))


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
    assert not registration.is_present
    attendance.note(registration, Origin.HAND)
    registration.refresh_from_db()
    assert registration.certificate_number == number


def test_an_import_adds_up_two_names_of_one_person_and_leaves_out_who_has_no_seat() -> None:
    event = make_past_event()
    here, gone = make_registration(event), make_registration(event, status="cancelled")
    elsewhere = make_registration()
    confirmed = [(here.pk, 30), (here.pk, 40), (gone.pk, 10), (elsewhere.pk, 10), (10**12, 5)]
    assert attendance.note_report(event, confirmed) == [here]
    assert list(Attendance.objects.values_list("registration", "minutes")) == [(here.pk, 70)]


# Who a participant may be


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


# The two pages of the import


REPORT = """\
Name,User Email,Duration (Minutes)
Zoë,zoe@example.org,75
Ben Ali (CAF),,90
Marie Durant,,20
<script>alert(1)</script>,x@example.net,5
"""


def upload(organiser: Client, event: Event, content: bytes | str = REPORT) -> Any:
    file = SimpleUploadedFile("participants.csv", content.encode() if isinstance(content, str) else content)
    return organiser.post(f"/admin/registrations/event/{event.pk}/presences/", {"report": file})


def confirm(organiser: Client, event: Event, page: Any, **chosen: Any) -> Any:
    """Send the second page as it is shown, with other choices where some are given; None unticks."""
    shown = {row.field: row.chosen for row in page.context["rows"] if row.chosen}
    choices = {name: value for name, value in {**shown, **chosen}.items() if value is not None}
    path = f"/admin/registrations/event/{event.pk}/presences/"
    return organiser.post(path, {"state": page.context["state"], **choices}, follow=True)


@pytest.fixture
def three(organiser: Client) -> tuple[Event, list[Registration]]:
    event = make_past_event()
    people = [
        ("Zoë", "Petit", "zoe@example.org"),
        ("Ali", "Ben", "a@example.org"),
        ("Marie", "Durand", "m@example.org"),
    ]
    return event, [make_registration(event, first_name=f, last_name=n, email=e) for f, n, e in people]


def test_the_events_page_leads_to_the_import(organiser: Client) -> None:
    event = make_past_event()
    page = organiser.get(f"/admin/registrations/event/{event.pk}/change/")
    assert f'href="/admin/registrations/event/{event.pk}/presences/">Importer les présences</a>' in page.text


def test_the_matches_are_shown_and_nothing_is_noted_yet(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (zoe, ali, marie) = three
    page = upload(organiser, event)
    assert [(row.reason, row.person, row.chosen) for row in page.context["rows"]] == [
        ("Même adresse", zoe, str(zoe.pk)),
        ("Même nom", ali, str(ali.pk)),
        ("À choisir", marie, ""),
    ]
    assert "Noter 2 présences" in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "unsafe" not in page["Content-Security-Policy"]
    assert not Attendance.objects.exists()


def test_what_is_confirmed_is_noted_with_its_minutes_and_its_author(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (zoe, ali, marie) = three
    page = upload(organiser, event)
    done = confirm(organiser, event, page, **{"presence-1": None, "presence-2": str(marie.pk)})
    assert "2 présences sont notées." in done.text
    assert set(done.context["cl"].result_list) == {zoe, marie}
    assert list(Attendance.objects.order_by("registration").values_list("registration", "origin", "minutes")) == [
        (zoe.pk, "import", 75),
        (marie.pk, "import", 20),
    ]
    assert not ali.is_present
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(zoe.pk), str(marie.pk)}


def test_nothing_ticked_is_said_and_nothing_is_lost(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (zoe, _ali, _marie) = three
    page = upload(organiser, event)
    again = confirm(organiser, event, page, **{"presence-0": None, "presence-1": None})
    assert "Cochez au moins une personne" in again.text
    assert [row.chosen for row in again.context["rows"]] == ["", "", ""]
    assert "x@example.net" in again.text
    confirm(organiser, event, again, **{"presence-0": str(zoe.pk)})
    assert signs(zoe) == [("import", 75)]


def test_who_withdrew_meanwhile_is_left_out_and_the_admin_says_so(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (zoe, _ali, _marie) = three
    page = upload(organiser, event)
    Registration.objects.filter(pk=zoe.pk).update(status="cancelled")
    done = confirm(organiser, event, page)
    assert "1 présence est notée." in done.text
    assert "1 personne a été laissée de côté" in done.text


@pytest.mark.parametrize("choice", ["999999", "9" * 30, "-1", "x", "٣", ""])
def test_a_forged_choice_notes_nobody(organiser: Client, three: tuple[Event, list[Registration]], choice: str) -> None:
    event, _people = three
    page = upload(organiser, event)
    confirm(organiser, event, page, **{"presence-0": choice, "presence-1": None})
    assert not Attendance.objects.exists()


def test_the_state_of_another_event_or_of_nobody_is_refused(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, _people = three
    page = upload(organiser, event)
    for other, state in ((make_past_event(), page.context["state"]), (event, "forged")):
        path = f"/admin/registrations/event/{other.pk}/presences/"
        answer = organiser.post(path, {"state": state, "presence-0": "1"}, follow=True)
        assert "choisissez à nouveau le fichier" in answer.text
    assert not Attendance.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04xlsx", "Ouvrez-le et enregistrez-le au format CSV."),
        (b"a;b\n1;2", "Aucune ligne de ce fichier ne nomme ses colonnes."),
        (b"", "Aucune ligne de ce fichier ne nomme ses colonnes."),
        (b"Name\n" * 500_000, "Ce fichier dépasse 2\u00a0Mo"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_beside_the_field(organiser: Client, content: bytes, sentence: str) -> None:
    page = upload(organiser, make_past_event(), content)
    assert page.status_code == 200
    assert sentence in page.text
    assert "Le fichier n’a pas été lu." in page.text


def test_no_file_is_told_too(organiser: Client) -> None:
    page = organiser.post(f"/admin/registrations/event/{make_past_event().pk}/presences/", {"x": "y"})
    assert "Choisissez le fichier à lire." in page.text


def test_an_import_of_as_many_people_as_the_page_takes_can_be_sent(organiser: Client) -> None:
    event = make_past_event()
    Registration.objects.bulk_create(
        Registration(event=event, first_name="Nom", last_name=f"Numéro {n}", email=f"n{n}@example.org")
        for n in range(450)
    )
    page = upload(organiser, event, "Email\n" + "".join(f"n{n}@example.org\n" for n in range(450)))
    assert "450 présences sont notées." in confirm(organiser, event, page).text


def test_a_report_that_names_too_many_is_refused_before_anything_is_lost(
    organiser: Client, three: tuple[Event, list[Registration]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registrations.admin.imports.attendance.MATCHED_MAX", 2)
    event, _people = three
    assert "importez-le en deux parties" in upload(organiser, event).text


def test_a_report_without_anyone_on_the_list_says_so(organiser: Client) -> None:
    page = upload(organiser, make_past_event(), "Name\nQuelqu’un d’autre\n")
    assert "Aucune personne de ce rapport n’a été trouvée" in page.text
    assert "Quelqu’un d’autre" in page.text


def test_the_import_needs_the_permission_to_change_registrations(client: Client) -> None:
    reader = User.objects.create_user("lectrice", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__in=["view_event", "change_event"]))
    client.force_login(reader)
    path = f"/admin/registrations/event/{make_past_event().pk}/presences/"
    assert client.get(path).status_code == 403
    reader.user_permissions.add(Permission.objects.get(codename="change_registration"))
    assert client.get(path).status_code == 200
    assert client.get("/admin/registrations/event/999999/presences/").status_code == 404


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
    assert registration.is_present
    done = organiser.post(LIST, {**chosen, "confirmed": "yes"}, follow=True)
    assert "1 présence est retirée." in done.text
    assert not registration.is_present


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
    for words in ["Noter la présence", "Salle ouverte avec le lien personnel", "Dans le rapport de la salle", "75"]:
        assert words in page

    chosen = {"CHANGE_FORM-action": "take_presence_back", "_selected_action": registration.pk}
    question = organiser.post(path, chosen)
    organiser.post(path, {**dict(question.context["chosen"]), "confirmed": "yes"})
    assert not registration.is_present


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
