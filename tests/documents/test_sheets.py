"""Printed sheets: the questions without names, and the sign-in sheet."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from registrations.documents import pdf, sign_in_sheet, speakers_sheet
from registrations.models import AuditEntry, Event, Registration
from tests.admin_client import EVENTS, logged_in, messages, with_fresh_password
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Client:
    return with_fresh_password(logged_in())


def take(client: Client, event: Event, document: str, **more: str) -> Any:
    return client.post(f"{EVENTS}{event.pk}/lists/", {"document": document, **more})


def words(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def table(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def recorded() -> list[tuple[str, dict[str, Any]]]:
    exported = AuditEntry.objects.filter(action=AuditEntry.Action.EXPORTED)
    return [(entry.about, entry.detail) for entry in exported]


@pytest.fixture
def asked() -> Event:
    event = make_event(title="Le webinaire")
    make_registration(event, question="Et après ?", territory="Yvelines (78)", last_name="Nommée")
    make_registration(event, question="=1+1", last_name="Autre")
    make_registration(event, question="", territory="Val-d’Oise (95)")
    make_registration(event, question="En attente ?", status="waitlisted")
    make_registration(event, question="Annulée ?", status="cancelled", cancelled_at=timezone.now())
    return event


# The questions


def test_speakers_get_the_questions_of_those_with_a_seat_without_names(organiser: Client, asked: Event) -> None:
    assert table(take(organiser, asked, "questions-csv")) == [["Question"], ["'=1+1"], ["Et après ?"]]
    assert table(take(organiser, asked, "questions-csv", territory="on")) == [
        ["Question", "Territoire"],
        ["'=1+1", ""],
        ["Et après ?", "Yvelines (78)"],
    ]
    about = f"registrations.event {asked.pk}"
    assert recorded() == [
        (about, {"list": "questions", "rows": 2, "territory": True}),
        (about, {"list": "questions", "rows": 2, "territory": False}),
    ]


@pytest.mark.typesetting
def test_the_pdf_has_the_same_questions(organiser: Client, asked: Event) -> None:
    bare = words(take(organiser, asked, "questions-pdf").content)
    assert "Questions pour les intervenant·es" in bare
    assert "Et après ?" in bare
    others = ["En attente", "Annulée ?", "Nommée", "Zoë", "Nulle-Part", "Cheffe", "example.org", "Yvelines"]
    assert [word for word in others if word in bare] == []
    assert "Yvelines (78)" in words(take(organiser, asked, "questions-pdf", territory="on").content)


@pytest.mark.typesetting
def test_an_event_without_questions_has_a_sheet_that_says_so() -> None:
    event = make_event()
    assert "Personne n’a encore posé de question." in words(speakers_sheet.speakers_sheet(event, with_territory=True))


@pytest.mark.typesetting
def test_html_in_a_question_is_escaped() -> None:
    event = make_event()
    make_registration(event, question="<script>x</script> & <b>co</b>")
    assert "<script>x</script> & <b>co</b>" in words(speakers_sheet.speakers_sheet(event, with_territory=False))


# The sign-in sheet


@pytest.mark.typesetting
def test_the_sign_in_sheet_is_a_tagged_table_with_the_facts_of_the_session(organiser: Client) -> None:
    event = make_event(title="Le webinaire")
    make_registration(event, first_name="Zoë", last_name="Durand", organisation="CAF de Nulle-Part")
    answer = take(organiser, event, "sign-in-sheet")
    assert answer["Content-Disposition"] == 'attachment; filename="feuille-emargement.pdf"'
    reader = PdfReader(io.BytesIO(answer.content))
    catalogue: Any = reader.root_object
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"] == "fr"
    assert b'pdfuaid:part="1"' in catalogue["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Feuille d’émargement\u00a0: Le webinaire"
    shown = words(answer.content)
    for told in ["Le webinaire", "Le Pôle ressources", "(heure de Paris)", "1 personne", "1 / 1"]:
        assert told in shown, shown
    assert "Nom Prénom Structure Signature Durand Zoë CAF de Nulle-Part" in shown
    assert recorded() == [(f"registrations.event {event.pk}", {"list": "sign-in sheet", "rows": 1})]


def test_the_sheet_lists_those_with_a_seat_sorted_by_name() -> None:
    event = make_event()
    for name in ["Zola", "Évrard", "abel", "Eluard", "Ó Súilleabháin"]:
        make_registration(event, last_name=name)
    make_registration(event, last_name="Attente", status="waitlisted")
    make_registration(event, last_name="Partie", status="cancelled", cancelled_at=timezone.now())
    names = [person.last_name for person in sign_in_sheet.people(event)]
    assert names == ["abel", "Eluard", "Évrard", "Ó Súilleabháin", "Zola"]


@pytest.mark.typesetting
def test_every_page_repeats_the_headings_and_has_its_number() -> None:
    event = make_event(title="Le webinaire")
    people = [
        Registration(event=event, first_name="Zoë", last_name=f"N{number:03}", email=f"n{number}@example.org")
        for number in range(120)
    ]
    Registration.objects.bulk_create(people)
    pages = PdfReader(io.BytesIO(sign_in_sheet.sign_in_sheet(event))).pages
    texts = [" ".join(page.extract_text().split()) for page in pages]
    assert len(texts) > 2
    assert [text for text in texts if "Nom Prénom Structure Signature" not in text] == []
    assert [f"{number} / {len(texts)}" in text for number, text in enumerate(texts, 1)] == [True] * len(texts)
    assert [f"N{number:03}" for number in range(120) if f"N{number:03}" not in " ".join(texts)] == []


@pytest.mark.typesetting
def test_names_of_every_kind_stay_in_their_column_and_are_escaped() -> None:
    event = make_event()
    make_registration(event, first_name="W" * 100, last_name="M" * 100, organisation="W" * 255)
    make_registration(event, first_name="<b>x</b>", last_name="Nguyễn Thị Ánh", organisation="Şükrü & co")
    shown = words(sign_in_sheet.sign_in_sheet(event))
    assert "Nguyễn Thị Ánh <b>x</b> Şükrü & co" in shown


def test_too_many_people_are_refused_with_an_explanation(organiser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_sheet, "PEOPLE_MAX", 1)
    event = make_event()
    for _ in range(2):
        make_registration(event)
    page = organiser.post(f"{EVENTS}{event.pk}/lists/", {"document": "sign-in-sheet"}, follow=True)
    [message] = messages(page)
    assert message.startswith("2 personnes ont une place_: une feuille d’émargement en contient 1 au plus.")
    assert recorded() == []


@pytest.mark.typesetting
@pytest.mark.parametrize("document", ["sign-in-sheet", "questions-pdf"])
def test_a_sheet_that_cannot_be_rendered_is_explained_and_not_audited(
    organiser: Client, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    monkeypatch.setattr(pdf, "RENDERER", Path("/nowhere/renderer.py"))
    event = make_event()
    page = organiser.post(f"{EVENTS}{event.pk}/lists/", {"document": document}, follow=True)
    assert messages(page) == ["Ce document ne peut pas être produit pour le moment. Réessayez dans une minute."]
    assert recorded() == []


@pytest.mark.typesetting
def test_a_sheet_is_refused_while_another_document_is_being_rendered(organiser: Client) -> None:
    event = make_event()
    with pdf.rendering_lock:
        assert take(organiser, event, "sign-in-sheet").status_code == 302
    assert take(organiser, event, "sign-in-sheet").status_code == 200
