"""Presences imported from the room's report: the two pages."""

import re
from datetime import time
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from registrations.admin.imports.attendance import SALT
from registrations.models import Attendance, AuditEntry, Event, Registration
from tests.domain.presences import signs
from tests.factories import make_past_event, make_registration
from tests.spreadsheets import workbooks
from tests.spreadsheets.test_misread_reports import CASES

pytestmark = pytest.mark.django_db


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
    rows = [*page.context["rows"], *page.context["unmatched"]]
    shown = {row.field: row.chosen for row in rows if row.chosen}
    choices = {name: value for name, value in {**shown, **chosen}.items() if value is not None}
    path = f"/admin/registrations/event/{event.pk}/presences/"
    sent = {"state": page.context["state"], "not_shown": page.context["not_shown"], **choices}
    return organiser.post(path, sent, follow=True)


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
    assert f'href="/admin/registrations/event/{event.pk}/presences/">Importer la présence</a>' in page.text


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


# People of the report who are attached by hand


@pytest.mark.parametrize("count", [1, 3])
def test_each_name_that_matched_nobody_gets_a_choice_of_everyone_with_a_seat(organiser: Client, count: int) -> None:
    event = make_past_event()
    zoe = make_registration(event, first_name="Zoë", last_name="Petit", email="zoe@example.org")
    ali = make_registration(event, first_name="Ali", last_name="Ben", email="a@example.org")
    make_registration(event, status="cancelled", first_name="Partie", last_name="Ailleurs")
    names = "".join(f"Téléphone {letter * 5},,{count}5\n" for letter in "abc"[:count])
    with CaptureQueriesContext(connection) as asked:
        page = upload(organiser, event, f"Name,User Email,Duration (Minutes)\nZoë,zoe@example.org,75\n{names}")
    assert len(asked) <= 9, asked.captured_queries
    assert [row.proposal.participant.name for row in page.context["unmatched"]] == [
        f"Téléphone {letter * 5}" for letter in "abc"[:count]
    ]
    options = re.findall(r'<option value="(\d*)">([^<]*)<', page.text)
    assert (
        options
        == [
            ("", "Aucune personne de la liste"),
            (str(ali.pk), "Ben Ali (a@example.org)"),
            (str(zoe.pk), "Petit Zoë (zoe@example.org)"),
        ]
        * count
    )
    assert '<optgroup label="Pas encore dans ce rapport">' in page.text
    assert '<optgroup label="Déjà dans ce rapport">' in page.text
    assert page.text.replace("\u00a0", " ").count(f"{count}5 minutes") == count


def test_who_is_chosen_for_a_name_is_present_with_its_minutes_and_in_both_logs(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (zoe, ali, marie) = three
    page = upload(organiser, event)
    [unmatched] = page.context["unmatched"]
    done = confirm(organiser, event, page, **{unmatched.field: str(marie.pk)})
    assert "3 présences sont notées." in done.text
    assert [signs(person) for person in (zoe, ali, marie)] == [[("import", 75)], [("import", 90)], [("import", 5)]]
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(one.pk) for one in (zoe, ali, marie)}
    entry = AuditEntry.objects.get(action="imported")
    assert (entry.about, entry.detail) == (
        f"registrations.event {event.pk}",
        {"list": "presences", "noted": 3, "left_out": 0},
    )


def test_a_telephone_and_a_computer_of_one_person_are_not_added(organiser: Client) -> None:
    event = make_past_event()
    zoe = make_registration(event, first_name="Zoë", last_name="Petit", email="zoe@example.org")
    report = (
        "Nom,E-mail,Arrivée,Départ,Durée\n"
        "Zoë,zoe@example.org,15/12/2026 14:00:00,15/12/2026 15:00:00,60\n"
        "iPhone,,15/12/2026 14:10:00,15/12/2026 15:20:00,70\n"
    )
    page = upload(organiser, event, report)
    confirm(organiser, event, page, **{"presence-1": str(zoe.pk)})
    assert signs(zoe) == [("import", 80)]


def test_an_unknown_length_stays_unknown(organiser: Client) -> None:
    event = make_past_event()
    zoe = make_registration(event)
    page = upload(organiser, event, "Name,Duration\niPhone,En cours\n")
    assert "durée inconnue" in page.text
    confirm(organiser, event, page, **{"presence-0": str(zoe.pk)})
    assert signs(zoe) == [("import", None)]


def test_a_doubtful_name_may_be_somebody_else_of_the_list(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (_zoe, _ali, _marie) = three
    other = make_registration(event, first_name="Jeanne", last_name="Autre")
    confirm(organiser, event, upload(organiser, event), **{"presence-2": str(other.pk)})
    assert signs(other) == [("import", 20)]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many names and people that a list of everyone for each name would be too long."""
    monkeypatch.setattr("registrations.admin.imports.attendance.CHOICES_MAX", 1)


@pytest.mark.usefixtures("typed")
def test_at_a_large_event_the_address_is_typed(organiser: Client, three: tuple[Event, list[Registration]]) -> None:
    event, (_zoe, _ali, marie) = three
    page = upload(organiser, event)
    assert '<option value="m@example.org">Durand Marie</option>' in page.text
    confirm(organiser, event, page, **{"presence-3": " M@Example.org "})
    assert signs(marie) == [("import", 5)]


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize("answer", ["m@example.com", "Marie Durand", "<b>"])
def test_an_address_of_nobody_is_told_beside_it_and_nothing_is_lost(
    organiser: Client, three: tuple[Event, list[Registration]], answer: str
) -> None:
    event, (zoe, ali, marie) = three
    page = upload(organiser, event)
    again = confirm(organiser, event, page, **{"presence-1": None, "presence-2": str(marie.pk), "presence-3": answer})
    assert not Attendance.objects.exists()
    assert again.text.count("Aucune personne ayant une place n’a cette adresse") == 1
    assert "<title>Erreur" in again.text
    assert f'value="{escape(answer)}"' in again.text
    assert [row.chosen for row in again.context["rows"]] == [str(zoe.pk), "", str(marie.pk)]
    confirm(organiser, event, again, **{"presence-3": ali.email})
    assert [signs(person) for person in (zoe, ali, marie)] == [[("import", 75)], [("import", 5)], [("import", 20)]]


def test_answers_stay_with_their_names_when_someone_withdrew_meanwhile(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (zoe, _ali, marie) = three
    page = upload(organiser, event)
    Registration.objects.filter(pk=zoe.pk).update(status="cancelled")
    again = confirm(organiser, event, page, **{"presence-1": None, "presence-2": str(marie.pk), "presence-3": "?"})
    lines = [*again.context["rows"], *again.context["unmatched"]]
    assert {row.proposal.participant.name: row.chosen for row in lines} == {
        "Zoë": str(zoe.pk),
        "Ben Ali (CAF)": "",
        "Marie Durant": str(marie.pk),
        "<script>alert(1)</script>": "?",
    }


def test_how_many_names_are_not_shown_is_still_said_after_an_error(
    organiser: Client, three: tuple[Event, list[Registration]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registrations.admin.imports.attendance.UNMATCHED_SHOWN", 2)
    event, _people = three
    page = upload(organiser, event, "Name\nUn Inconnu\nDeux Inconnus\nTrois Inconnus\n")
    again = confirm(organiser, event, page)
    assert [("et 1 autre" in one.text, len(one.context["unmatched"])) for one in (page, again)] == [
        (True, 2),
        (True, 2),
    ]


def test_a_page_from_before_an_upgrade_can_still_be_confirmed(
    organiser: Client, three: tuple[Event, list[Registration]]
) -> None:
    event, (zoe, _ali, _marie) = three
    state = signing.dumps([["Zoë", "zoe@example.org", 75]], salt=f"{SALT}.{event.pk}", compress=True)
    path = f"/admin/registrations/event/{event.pk}/presences/"
    organiser.post(path, {"state": state, "presence-0": str(zoe.pk)})
    assert signs(zoe) == [("import", 75)]


def test_a_workbook_is_taken(organiser: Client, three: tuple[Event, list[Registration]]) -> None:
    event, (zoe, _ali, _marie) = three
    rows: list[list[Any]] = [["Nom", "E-mail", "Durée"], ["Zoë", "zoe@example.org", time(1, 15)]]
    page = upload(organiser, event, workbooks.xlsx({"Rapport": rows}))
    confirm(organiser, event, page)
    assert signs(zoe) == [("import", 75)]


@pytest.mark.parametrize(
    ("file", "present"),
    [
        ("zoom_new_flat_waitingroom.csv", {"zoe.durand@example.org": 90}),
        ("teams_registration_only.csv", {"zoe.durand@example.org": None}),
        ("dur_04.csv", {"zoe.durand@example.org": 83, "paul.martin@example.org": 30}),
        ("webex_fr.csv", {"zoe.durand@example.org": 83}),
        ("bbb_poll.csv", {"zoe.durand@example.org": 82, "paul.martin@example.org": 82}),
    ],
)
def test_reports_that_failed_are_imported(organiser: Client, file: str, present: dict[str, int | None]) -> None:
    event = make_past_event()
    zoe = make_registration(event, first_name="Zoë", last_name="Durand", email="zoe.durand@example.org")
    make_registration(event, first_name="Paul", last_name="Martin", email="paul.martin@example.org")
    page = upload(organiser, event, (CASES / file).read_bytes())
    doubtful = {row.field: str(zoe.pk) for row in page.context["rows"] if row.is_doubtful}
    confirm(organiser, event, page, **doubtful)
    noted = Attendance.objects.values_list("registration__email", "minutes")
    assert dict(noted) == present


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
        (b"PK\x03\x04xlsx", "Ce classeur ne peut pas être lu"),
        (b"%PDF-1.7", "Ouvrez-le et enregistrez-le au format CSV."),
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
