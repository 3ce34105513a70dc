"""The study report as PDF: tagged, with title and bookmarks, typeset once, without network or disk access."""

import fcntl
import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pypdf import PdfReader
from pytest_django import Settings

from registrations.documents import pdf, study_report
from registrations.mailing import outbox
from registrations.models import Delivery, Event, ReportSection
from tests import mailbox
from tests.factories import make_event, make_past_event, make_registration
from tests.site import TIMEOUT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = settings.MEDIA_ROOT = tmp_path


@pytest.mark.typesetting
def test_the_report_is_a_tagged_accessible_pdf_that_says_what_it_is() -> None:
    event = make_event(report_title="L’étude : titre", report_authors="Une équipe\nUn sociologue")
    ReportSection.objects.create(event=event, position=2, heading="Les suites", body="### Détail\n\n- un\n- deux")
    report = study_report.study_report(event)
    assert report is not None
    assert report.is_presentation

    reader = PdfReader(io.BytesIO(report.content))
    catalogue: Any = reader.root_object
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"] == "fr"
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b'pdfuaid:part="1"' in catalogue["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "L’étude\u00a0: titre"
    outline: Any = reader.outline
    title, [contents, method, results, [detail]] = outline
    assert title["/Title"] == "L’étude\u00a0: titre"
    assert [entry["/Title"] for entry in (contents, method, results, detail)] == [
        *["Sommaire", "La méthode", "Les suites", "Détail"]
    ]
    cover, *inside = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert "Présentation de l’étude" in cover
    assert "il n’en est pas le rapport complet" in cover
    assert "Un sociologue" in cover
    assert "Sommaire" in inside[0]
    assert inside[-1].endswith("L’étude : titre Le Pôle ressources 2 / 2")  # running header and footer


@pytest.mark.typesetting
def test_the_same_content_is_typeset_once_and_a_change_makes_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event()
    first = study_report.study_report(event)
    monkeypatch.setattr(pdf, "RENDERER", Path("/nowhere/renderer.py"))
    assert study_report.study_report(event) == first

    event.report_sections.update(body="Un autre texte.")
    with pytest.raises(pdf.RenderingFailed):
        study_report.study_report(event)


@pytest.mark.typesetting
def test_only_the_fonts_that_ship_with_the_site_are_used() -> None:
    report = study_report.study_report(make_event())
    assert report is not None
    pages: Any = PdfReader(io.BytesIO(report.content)).pages
    fonts = {font["/BaseFont"] for page in pages for font in page["/Resources"]["/Font"].values()}
    assert {name.partition("+")[2].rpartition("-")[0].strip(",") for name in fonts} <= {
        "Bricolage-Grotesque",
        "Source-Serif-4",
        "Source-Serif",
    }


@pytest.fixture
def web_server() -> Iterator[tuple[str, list[str]]]:
    """A local web server that records the requests it gets."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.typesetting
def test_rendering_fetches_nothing_from_the_network_or_the_disk(
    web_server: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = web_server
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET-OF-THE-DISK")
    content = pdf.render(
        f'<html lang="fr"><title>Essai</title><link rel="stylesheet" href="{address}/a.css">'
        f'<style>@import url("{address}/b.css"); body {{ background: url("{address}/c.png") }}'
        f'@font-face {{ font-family: F; src: url("file://{secret}") }} p {{ font-family: F }}</style>'
        f'<link rel="attachment" href="file://{secret}"><img src="{address}/d.png" alt="d">'
        f'<img src="file://{secret}" alt="e"><object data="file://{secret}"></object><p>Texte</p>'
    )
    assert content.startswith(b"%PDF-")
    assert asked == []
    assert b"SECRET-OF-THE-DISK" not in content
    assert not PdfReader(io.BytesIO(content)).attachments


@pytest.mark.typesetting
def test_a_rendering_that_takes_too_long_is_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "TIMEOUT", 0.01)
    with pytest.raises(pdf.RenderingFailed, match="not finished after"):
        pdf.render("<p>Texte</p>")


@pytest.mark.typesetting
def test_a_renderer_that_crashes_raises_rendering_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    renderer = tmp_path / "dies.py"
    renderer.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.setattr(pdf, "RENDERER", renderer)
    with pytest.raises(pdf.RenderingFailed, match="ended with status -9"):
        pdf.render("<p>Texte</p>")


@pytest.mark.typesetting
def test_a_document_of_too_many_pages_is_refused() -> None:
    with pytest.raises(pdf.RenderingFailed, match="200 is the limit"):
        pdf.render("<style>p { break-after: page }</style>" + "<p>x</p>" * 201)


def test_an_uploaded_pdf_replaces_the_presentation(client: Client) -> None:
    own = b"%PDF-1.6\nle rapport\n%%EOF"
    event = make_event(report_file=SimpleUploadedFile("Étude.pdf", own))
    assert study_report.study_report(event) == study_report.Report(own, is_presentation=False)

    response = client.get(f"/rejoindre/{make_registration(event).join_code}/rapport.pdf")
    assert response.content == own
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'attachment; filename="rapport-etude.pdf"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_missing_report_file_shows_an_explanation_and_the_event_can_still_be_saved(client: Client) -> None:
    event = make_event(report_file=SimpleUploadedFile("rapport.pdf", b"%PDF-1.6"))
    Path(event.report_file.path).unlink()
    assert client.get(f"/rejoindre/{make_registration(event).join_code}/rapport.pdf").status_code == 503
    assert client.get(f"/rejoindre/{make_registration(event).join_code}/").status_code == 200
    event.full_clean()


@pytest.mark.typesetting
def test_the_page_shows_the_size_of_a_report_that_is_ready(client: Client) -> None:
    registration = make_registration()
    path = f"/rejoindre/{registration.join_code}/"
    assert 'La présentation de l’étude <span class="kind">(PDF)' in " ".join(client.get(path).text.split())
    study_report.study_report(registration.event)
    assert "Ko)" in client.get(path).text


def test_four_simultaneous_writes_of_a_report_give_a_complete_file(tmp_path: Path) -> None:
    kept, problems = tmp_path / "kept.pdf", list[BaseException]()

    def keep() -> None:
        try:
            for _ in range(50):
                study_report._write_atomically(kept, b"whole")
                assert kept.read_bytes() == b"whole"
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_an_event_without_report_has_none(client: Client) -> None:
    event = make_event(report=False)
    assert study_report.study_report(event) is None
    assert client.get(f"/rejoindre/{make_registration(event).join_code}/rapport.pdf").status_code == 404


PROBE = """
import io, resource, runpy, sys
html = b"<title>x</title>x"
sys.stdin = io.TextIOWrapper(io.BytesIO(len(html).to_bytes(8) + html))
out, sys.stdout = sys.stdout, io.TextIOWrapper(io.BytesIO())
runpy.run_path(sys.argv[1], run_name="__main__")
used = resource.getrusage(resource.RUSAGE_SELF)
left = resource.getrlimit(resource.RLIMIT_CPU)[0] - used.ru_utime - used.ru_stime
print(left <= 15, resource.getrlimit(resource.RLIMIT_AS), file=out, flush=True)
"""


@pytest.mark.typesetting
def test_the_renderer_runs_under_limits_on_time_and_memory() -> None:
    """Read from the renderer process: a document that reaches the limits would take minutes."""
    command = [sys.executable, "-I", "-W", "ignore", "-c", PROBE, str(pdf.RENDERER)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True (1200000000, 1200000000)\n"


@pytest.mark.typesetting
def test_documents_are_made_where_the_machine_allows_less_than_our_limits() -> None:
    less = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (12, 12))\n"
    less += "resource.setrlimit(resource.RLIMIT_AS, (1_100_000_000, 1_100_000_000))\n"
    command = [sys.executable, "-I", "-W", "ignore", "-c", less + PROBE, str(pdf.RENDERER)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True (1100000000, 1100000000)\n"


@pytest.mark.typesetting
@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        ("<table>" + "<tr><td colspan=100000>x" * 50, "ended with status -"),
        ("<div>" * 5000, "RecursionError"),
    ],
    ids=["wide cells", "deep nesting"],
)
def test_a_hostile_document_is_stopped_by_the_limits(
    bomb: str, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With fewer seconds of CPU than the real limit, which the test above reads."""
    hasty = tmp_path / "hasty_renderer.py"
    hasty.write_text(
        re.sub("^CPU_SECONDS = 15$", "CPU_SECONDS = 5", pdf.RENDERER.read_text("utf-8"), flags=re.MULTILINE)
    )
    monkeypatch.setattr(pdf, "RENDERER", hasty)
    with pytest.raises(pdf.RenderingFailed, match=reason):
        pdf.render(f"<title>x</title>{bomb}", timeout=TIMEOUT)


# In advance, so that no mail waits for it

WAITS = "import time; time.sleep(60)"


def kept(event: Event) -> Path:
    return study_report.stored_file(study_report.presentation_of(Event.objects.get(pk=event.pk)))


@pytest.mark.typesetting
def test_the_reports_of_events_to_come_are_made_before_their_first_mail_and_after_a_change() -> None:
    coming = make_event(report_title="À venir")
    drafted = make_event(report_title="Brouillon", status=Event.Status.DRAFT)
    over = make_past_event(report_title="Passé", open_after_session=False)
    make_event(report=False, report_title="Sans rapport")
    done = study_report.prepare(set(), wanted=lambda: True)
    assert [kept(event).exists() for event in (coming, drafted, over)] == [True, False, False]

    coming.report_sections.update(body="Un autre texte.")
    assert not kept(coming).exists()
    study_report.prepare(done, wanted=lambda: True)
    assert kept(coming).exists()


@pytest.mark.usefixtures("with_pango")
def test_a_report_that_fails_in_advance_is_tried_once_and_keeps_no_other_one_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    renderer = tmp_path / "renderer.py"
    renderer.write_text("import sys; page = sys.stdin.read(); sys.exit('too wide') if 'Raté' in page else print(page)")
    monkeypatch.setattr(pdf, "RENDERER", renderer)
    make_event(report_title="Raté", starts_in=timedelta(days=1))
    good = make_event(report_title="Réussi", starts_in=timedelta(days=2))
    done = study_report.prepare(set(), wanted=lambda: True)
    assert study_report.prepare(done, wanted=lambda: True) == done
    assert kept(good).exists()
    assert [
        record.getMessage() for record in caplog.records if record.name == "registrations.documents.study_report"
    ] == ["A report could not be made in advance: too wide"]


@pytest.mark.usefixtures("with_pango")
def test_a_worker_that_is_asked_to_stop_gives_up_the_report_in_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    renderer = tmp_path / "renderer.py"
    renderer.write_text(WAITS)
    monkeypatch.setattr(pdf, "RENDERER", renderer)
    make_event()
    stopping = threading.Event()
    threading.Timer(0.5, stopping.set).start()
    begun = time.monotonic()
    study_report.prepare(set(), wanted=lambda: not stopping.is_set())
    assert time.monotonic() - begun < pdf.TIMEOUT / 2


@pytest.mark.usefixtures("with_pango")
def test_a_mail_waits_for_its_report_that_is_being_made_and_a_visitor_is_asked_to_come_back(
    outbox_folder: Path, client: Client
) -> None:
    registration = make_registration()
    path = kept(registration.event)
    Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")
    maker = (path.parent / "lock").open("a")
    fcntl.flock(maker, fcntl.LOCK_EX)  # as the worker's other half holds it meanwhile

    assert client.get(f"/rejoindre/{registration.join_code}/rapport.pdf").status_code == 202

    def finish() -> None:
        path.write_bytes(b"%PDF-1.7 made meanwhile")
        maker.close()

    made = threading.Timer(0.5, finish)
    made.start()
    outbox.drain()
    made.join()
    [message] = mailbox.read_folder(outbox_folder)
    assert mailbox.part(message, "application/pdf") == b"%PDF-1.7 made meanwhile"
