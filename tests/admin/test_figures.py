"""The page and the PDF document of an event's figures."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pypdf import PdfReader
from pytest_django import Settings

from registrations.documents import event_report, pdf
from registrations.domain import attendance, retention
from registrations.models import Attendance, Delivery, Job, PurgedCount
from registrations.models.purged_count import Counts
from registrations.statistics import event_figures
from tests.admin_client import EVENTS, logged_in
from tests.factories import make_event, make_past_event, make_registration
from tests.statistics.filled_events import fill, long_past
from tests.worker.queued_jobs import page_of, run_next_job

pytestmark = pytest.mark.django_db
READER = ["view_event", "view_registration"]


@pytest.fixture(autouse=True)
def _own_journal(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def words(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_the_page_shows_all_figures_and_no_name() -> None:
    event = fill(make_past_event(title="Le webinaire"), 60)
    page = logged_in(*READER).get(f"{EVENTS}{event.pk}/figures/").text
    for shown in [
        "Bilan",
        "Types de structure",
        "Projets, coordination",
        "Mairie de X",
        "Autres groupes réunis",
    ]:
        assert shown in page
    assert [name for name in ("Nommée", "Zoë", "example.org") if name in page] == []


def test_the_page_lists_how_texts_were_classified_unrecognised_first() -> None:
    event = make_event()
    for name in ("Zébulon", "CAF <78>", "CAF <78>"):
        make_registration(event, organisation=name, job_title="Maire")
    readings = logged_in().get(f"{EVENTS}{event.pk}/figures/").context["readings"]
    assert [(title, [(str(read.group), read.names, read.more) for read in read]) for title, read in readings] == [
        (
            "type de structure",
            [("Non reconnu", [("Zébulon", 1)], 0), ("Protection sociale, emploi", [("CAF <78>", 2)], 0)],
        ),
        ("fonction", [("Élu·es", [("Maire", 3)], 0)]),
    ]


@pytest.mark.typesetting
@pytest.mark.parametrize("number", [0, 1, 4, 40])
def test_the_document_shows_the_same_as_the_page_on_two_pages_at_most(number: int) -> None:
    event = fill(make_past_event(title="Le webinaire", slug=f"le-webinaire-{number}"), number)
    client, address = logged_in(*READER), f"{EVENTS}{event.pk}/figures/pdf/"
    job = Job.objects.get(pk=followed(client.post(address)))
    assert "Cette page se met à jour d’elle-même. Vous pouvez la quitter" in client.get(page_of(job)).text
    run_next_job()
    assert f'href="{address}"' in client.get(page_of(job)).text
    answer = client.get(address)
    assert answer["Content-Disposition"] == f'attachment; filename="bilan-le-webinaire-{number}.pdf"'
    reader = PdfReader(io.BytesIO(answer.content))
    catalogue: Any = reader.root_object
    assert catalogue["/MarkInfo"]["/Marked"]
    assert b'pdfuaid:part="1"' in catalogue["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Bilan\u00a0: Le webinaire"
    assert len(reader.pages) <= 2
    shown = words(answer.content)
    assert f" {number}inscriptions" in shown  # one below the other
    assert [name for name in ("Nommée", "Zoë", "Mairie de X", "example.org") if name in shown] == []
    assert ("Trop peu de personnes" in shown) == (number in {1, 4})
    assert ("Autres groupes réunis" in shown) == (number == 40)


@pytest.mark.typesetting
def test_the_document_of_a_large_event_with_every_group_has_two_pages() -> None:
    event = fill(make_past_event(title="Très long " * 19), 300)
    for index, typed in enumerate(event_figures.GROUPS[PurgedCount.Dimension.ORGANISATION][0].values):
        PurgedCount.objects.add(event, PurgedCount.Dimension.ORGANISATION, {typed: Counts(20 + index, 20, 10)})
    for typed in event_figures.GROUPS[PurgedCount.Dimension.FUNCTION][0].values:
        PurgedCount.objects.add(event, PurgedCount.Dimension.FUNCTION, {typed: Counts(20, 20, 10)})
    assert len(PdfReader(io.BytesIO(event_report.event_report(event))).pages) <= 2


@pytest.mark.typesetting
def test_page_and_document_exist_in_english_too() -> None:
    event = fill(make_past_event(title="The webinar"), 40)
    with translation.override("en"):
        shown = words(event_report.event_report(event))
    for text in ["Report in figures", "people present of 32 expected: 50%", "Other groups, joined"]:
        assert text in shown, shown
    assert [word for word in ("Bilan", "inscriptions", "Présence", "séance") if word in shown] == []


def test_the_drawings_of_the_document_have_a_text_alternative() -> None:
    event = fill(make_past_event(), 40)
    html = event_report.typeset_html(event)
    drawings = html.split("<svg")[1:]
    assert drawings
    assert all("<title" in drawing.partition("</svg>")[0] for drawing in drawings)


@pytest.mark.typesetting
def test_a_document_that_cannot_be_typeset_says_so_on_the_page_of_the_operation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pdf, "RENDERER", Path("/nowhere/renderer.py"))
    client = logged_in()
    job = Job.objects.get(pk=followed(client.post(f"{EVENTS}{make_event().pk}/figures/pdf/")))
    run_next_job()
    assert (
        "Ce document ne peut pas être produit pour le moment. Réessayez dans une minute."
        in client.get(page_of(job)).text
    )


def test_a_report_that_nobody_has_asked_for_leads_to_the_figures() -> None:
    event = make_event()
    answer = logged_in(*READER).get(f"{EVENTS}{event.pk}/figures/pdf/")
    assert answer["Location"] == f"{EVENTS}{event.pk}/figures/"


def test_two_clicks_make_one_report() -> None:
    client, event = logged_in(*READER), make_event()
    first, second = (followed(client.post(f"{EVENTS}{event.pk}/figures/pdf/")) for _ in range(2))
    assert first == second


def followed(answer: Any) -> int:
    """The number of the operation whose page opens."""
    found = re.search(r"/job/(\d+)/change/", answer["Location"])
    assert found, answer
    return int(found[1])


@pytest.mark.parametrize("permissions", [["view_event"], ["view_registration"]])
def test_figures_need_the_permission_to_view_registrations(permissions: list[str]) -> None:
    client, event = logged_in(*permissions), make_event()
    assert client.get(f"{EVENTS}{event.pk}/figures/").status_code == 403
    assert client.get(f"{EVENTS}{event.pk}/figures/pdf/").status_code == 403
    assert client.get(f"{EVENTS}0/figures/").status_code == 403


def test_the_event_and_the_first_page_link_to_the_figures() -> None:
    event, client = make_event(), logged_in()
    path = f"{EVENTS}{event.pk}/figures/"
    for page in ("change/", ""):
        assert f'href="{path}"' in client.get(f"{EVENTS}{event.pk}/{page}").text
    past = make_past_event(slug="passe")
    attendance.note(make_registration(past), Attendance.Origin.IMPORT, minutes=42)
    assert f'href="{EVENTS}{past.pk}/figures/"' in client.get("/admin/").text
    assert client.get(f"{EVENTS}0/figures/").status_code == 404


def test_the_page_needs_twelve_queries_at_most() -> None:
    client = logged_in(*READER)
    event = fill(make_past_event(), 60)
    client.get("/admin/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"{EVENTS}{event.pk}/figures/").status_code == 200
    assert len(captured) <= 12


@pytest.mark.parametrize("late", [0, 1])
def test_after_the_purge_the_figures_of_mails_are_hidden_even_if_one_late_sign_up_remains(late: int) -> None:
    event = long_past(20)
    for _ in range(late):
        Delivery.objects.enqueue(make_registration(event), Delivery.Kind.CONFIRMATION, state="sent")
    organiser = logged_in()
    assert "Courriels partis" in organiser.get(f"{EVENTS}{event.pk}/figures/").text
    retention.purge()
    page = organiser.get(f"{EVENTS}{event.pk}/figures/").text
    assert "Courriels partis" not in page
    assert "20 inscriptions sont devenues anonymes\u00a0: on ne sait plus rien de leurs courriels." in page


def test_the_first_page_counts_anonymous_registrations_and_links_to_the_figures() -> None:
    event = long_past(20)
    retention.purge()
    organiser = logged_in()
    page = organiser.get("/admin/")
    [summary] = page.context["summaries"]
    assert (summary.event, summary.people) == (event, {})
    assert summary.purged == {"confirmed": 16, "waitlisted": 2, "cancelled": 2}
    assert "+ 16 anonymes" in page.text
    home = organiser.get(f"{EVENTS}{event.pk}/").text
    assert "20 inscriptions sont devenues anonymes." in home
