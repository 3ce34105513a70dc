"""The finished PDF of a report in the form of its event."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from pytest_django import Settings

from registrations.models import Event
from tests.admin.event_pages import path
from tests.admin_client import event_form, messages
from tests.documents.pdf_files import PDFS, made, put, script
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _uploads_in_a_folder(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def upload(organiser: Client, event: Event, content: bytes, name: str = "Madame Nomsecret.pdf") -> Any:
    typed = {**event_form(organiser, path(event)), "report_file": SimpleUploadedFile(name, content)}
    return organiser.post(path(event), typed, follow=True)


def test_a_report_is_stored_as_it_is_under_a_random_name(organiser: Client) -> None:
    event, content = make_event(report=False), made()
    page = upload(organiser, event, content)
    assert [words for words in messages(page) if "PDF" in words] == []
    event.refresh_from_db()
    name = str(event.report_file.name).removeprefix("reports/").removesuffix(".pdf")
    assert len(name) == 22
    assert "Nomsecret" not in name
    assert Path(event.report_file.path).read_bytes() == content


def test_a_report_of_36_screenshots_is_no_longer_refused(organiser: Client) -> None:
    event, content = make_event(report=False), (PDFS / "img2pdf_36_screens.pdf").read_bytes()
    page = upload(organiser, event, content)
    assert [words for words in messages(page) if "PDF" in words] == []
    event.refresh_from_db()
    assert Path(event.report_file.path).read_bytes() == content


def test_what_was_taken_out_is_said_after_saving(organiser: Client) -> None:
    event = make_event(report=False)
    page = upload(organiser, event, made(put("root.OpenAction", script())))
    assert "Retiré du PDF_: scripts. Le reste est inchangé_; relisez-le une fois." in messages(page)
    event.refresh_from_db()
    assert b"app.alert" not in Path(event.report_file.path).read_bytes()
    page = organiser.post(path(event), event_form(organiser, path(event)), follow=True)
    assert [words for words in messages(page) if "Retiré" in words] == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "Ce fichier n’est pas un PDF"),
        (made()[:400], "Ce PDF est abîmé, incomplet"),
        (made(put("root.NeedsRendering", True)), "imprimez-le dans un PDF"),
    ],
)
def test_a_refusal_stands_next_to_the_field_and_keeps_the_stored_report(
    organiser: Client, content: bytes, words: str
) -> None:
    event = make_event(report=False, report_file=SimpleUploadedFile("rapport.pdf", made()))
    page = upload(organiser, event, content)
    [error] = page.context["adminform"].form.errors["report_file"]
    assert words in error
    event.refresh_from_db()
    assert Path(event.report_file.path).read_bytes() == made()


def test_another_extension_is_refused(organiser: Client) -> None:
    page = upload(organiser, make_event(report=False), made(), name="rapport.html")
    assert list(page.context["adminform"].form.errors) == ["report_file"]


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_event_while_a_report_is_read(organiser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run, locked = subprocess.run, []

    def watched(*args: Any, **options: Any) -> Any:
        locked.append(connection.in_atomic_block)
        return run(*args, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    upload(organiser, make_event(report=False), made())
    assert locked == [False]


def test_the_report_is_served_as_an_attachment_in_a_sandbox(client: Client) -> None:
    event = make_event(report=False, report_file=SimpleUploadedFile("rapport.pdf", made()))
    registration = make_registration(event)
    personal = client.get(f"/rejoindre/{registration.join_code}/rapport.pdf")
    client.force_login(User.objects.create_superuser("organisatrice"))
    for response in (personal, client.get(event.report_file.url)):
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "no-store, private" in response["Cache-Control"]
        response.close()
