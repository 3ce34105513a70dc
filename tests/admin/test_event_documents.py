"""Documents of an event in its form: typed, refused at the field, cleaned, read by who may."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registrations.backup import create
from registrations.models import Event, EventDocument, Speaker
from tests.admin.event_pages import path
from tests.admin_client import event_form, messages, with_fresh_password
from tests.documents.pdf_files import made, put, script
from tests.factories import make_event, make_faces, make_question, make_registration

pytestmark = pytest.mark.django_db
ROW = {"position": "1", "name": "Guide", "audience": "registrants"}


@pytest.fixture(autouse=True)
def _uploads_in_a_folder(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def save(organiser: Client, event: Event, **fields: Any) -> Any:
    row = {f"documents-0-{name}": value for name, value in {**ROW, **fields}.items()}
    typed = {**event_form(organiser, path(event)), **row, "documents-TOTAL_FORMS": "1"}
    return organiser.post(path(event), typed, follow=True)


def pdf(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("Madame Nomsecret.pdf", content)


def test_a_pdf_is_stored_under_a_random_name_with_its_size(organiser: Client) -> None:
    event, content = make_event(report=False), made()
    save(organiser, event, file=pdf(content), attached="on")
    document = EventDocument.objects.get()
    assert (document.size, document.attached, len(document.digest)) == (len(content), True, 64)
    assert "Nomsecret" not in str(document.file.name)
    assert Path(document.file.path).read_bytes() == content


def test_what_was_taken_out_of_a_document_is_said_with_its_name(organiser: Client) -> None:
    page = save(organiser, make_event(report=False), file=pdf(made(put("root.OpenAction", script()))))
    assert any(words.startswith("Guide_: Retiré du PDF") for words in messages(page))
    assert b"app.alert" not in Path(EventDocument.objects.get().file.path).read_bytes()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Donnez un PDF ou un lien, l’un des deux."),
        ({"link": "https://exemple.example.org", "attached": "on"}, "Seul un PDF peut être joint à un courriel."),
        ({"link": "http://exemple.example.org"}, "Saisissez une URL valide."),
        ({"file": pdf(b"pas un PDF")}, "n’est pas un PDF"),
    ],
)
def test_a_wrong_document_is_refused_at_its_field(fields: dict[str, Any], words: str, organiser: Client) -> None:
    page = save(organiser, make_event(report=False), **fields)
    assert words in page.text.replace("&#x27;", "’")
    assert not EventDocument.objects.exists()


def test_the_fold_says_how_many_documents_there_are(organiser: Client) -> None:
    event = make_event(report=False)
    event.documents.create(name="Note", link="https://exemple.example.org")
    assert "1 document" in organiser.get(path(event)).text.replace("\u00a0", " ")


def test_a_backup_names_a_document_whose_file_is_gone() -> None:
    document = make_event().documents.create(name="Guide", file=ContentFile(b"%PDF-1.7", "a.pdf"))
    assert create.missing_uploads() == []
    document.file.storage.delete(str(document.file.name))
    assert create.missing_uploads() == [document.file.name]


def full(*, registered: bool = True) -> Event:
    event = make_event()
    make_faces(event)
    make_question(event)
    if registered:
        make_registration(event)
    event.documents.create(name="Note", link="https://exemple.example.org")
    event.broadcasts.create(subject="À tous", body="Bonjour", created_by=1)
    return event


@pytest.mark.parametrize("page", ["change", "parts", "delete"])
def test_the_pages_of_a_full_event_ask_twelve_queries_at_most(page: str, organiser: Client) -> None:
    address = f"/admin/registrations/event/{full().pk}/{page}/"
    with_fresh_password(organiser).get(address)
    with CaptureQueriesContext(connection) as captured:
        assert organiser.get(address).status_code == 200
    assert len(captured) <= 12


def test_an_event_with_people_is_not_deleted_and_the_page_says_how_many_they_are(organiser: Client) -> None:
    address = f"/admin/registrations/event/{full().pk}/delete/"
    page = with_fresh_password(organiser).get(address)
    assert page.context["protected"] == ["Inscriptions\u00a0: 1"]
    assert "Inscriptions\u00a0: 1" in page.text
    organiser.post(address, {"post": "yes"})
    assert Event.objects.exists()


def test_the_page_of_deletion_counts_what_goes_and_the_event_goes(organiser: Client) -> None:
    address = f"/admin/registrations/event/{full(registered=False).pk}/delete/"
    counted = dict(with_fresh_password(organiser).get(address).context["model_count"])
    assert (counted["documents"], counted["partenaires"]) == (1, 1)
    organiser.post(address, {"post": "yes"})
    assert not Event.objects.exists()
    assert Speaker.objects.exists()
