"""Presences imported from the room's report: who each participant may be, and the two pages."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registrations.domain import attendance
from registrations.domain.attendance import Likeness
from registrations.models import Attendance, Event, Registration
from registrations.spreadsheets.attendance_report import Participant
from tests.domain.presences import signs
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db


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
    assert not ali.attendances.exists()
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
