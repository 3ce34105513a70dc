"""The certificate of attendance: who gets one, what it says, and what the public check of its number shows."""

import io
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from registrations.documents import certificate, pdf
from registrations.domain import attendance
from registrations.models import Attendance, Event, Registration
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db

Origin = Attendance.Origin
NBSP = "\u00a0"


def make_present(event: Event | None = None, *, minutes: int | None = None, **fields: Any) -> Registration:
    registration = make_registration(event or make_past_event(), **fields)
    attendance.note(registration, Origin.IMPORT if minutes else Origin.HAND, minutes=minutes)
    registration.refresh_from_db()
    return registration


def path_of(registration: Registration, language: str = "") -> str:
    return f"{language}/mon-inscription/{registration.manage_code}/attestation.pdf"


def read(registration: Registration) -> PdfReader:
    html = certificate.typeset_html(registration, issued_at=timezone.now())
    return PdfReader(io.BytesIO(pdf.render(html)))


def text_of(registration: Registration) -> str:
    [page] = read(registration).pages
    return " ".join(page.extract_text().split())


@pytest.mark.typesetting
def test_the_certificate_is_one_tagged_page_that_says_what_it_is() -> None:
    reader = read(make_present())
    catalogue: Any = reader.root_object
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"] == "fr"
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b'pdfuaid:part="1"' in catalogue["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == f"Attestation de présence{NBSP}: Faire vivre un réseau d’acteurs"
    assert len(reader.pages) == 1


@pytest.mark.typesetting
def test_it_states_the_person_the_event_and_how_to_check_it() -> None:
    registration = make_present(first_name="Zoë", last_name="D’Arcy")
    event = registration.event
    words = text_of(registration)
    for statement in [
        "Le Pôle ressources atteste que Zoë D’Arcy a participé au webinaire « Faire vivre un réseau d’acteurs »",
        f"{timezone.localtime(event.starts_at).year}, de ",
        "(heure de Paris)",
        f"Numéro {registration.certificate_number}",
        f"https://webinaires.example.org/attestation/{registration.certificate_number}/",
        "Délivrée le",
    ]:
        assert statement in words, words


@pytest.mark.typesetting
def test_it_is_in_the_language_of_the_registration() -> None:
    registration = make_present(language="en")
    catalogue: Any = read(registration).root_object
    assert catalogue["/Lang"] == "en"
    words = text_of(registration)
    assert "Le Pôle ressources certifies that" in words
    assert f"https://webinaires.example.org/en/attestation/{registration.certificate_number}/" in words


@pytest.mark.typesetting
def test_it_states_minutes_only_when_the_imported_report_does() -> None:
    assert "Temps de présence" not in text_of(make_present())
    assert "Temps de présence 75 minutes" in text_of(make_present(minutes=75))


def test_two_devices_do_not_make_the_session_longer() -> None:
    assert certificate.minutes_present(make_present(minutes=170)) == 90


@pytest.mark.typesetting
def test_long_names_and_titles_stay_on_one_page() -> None:
    event = make_past_event(title="MW" * 100, organiser_name="W" * 100)
    assert len(read(make_present(event, first_name="W" * 100, last_name="M" * 100)).pages) == 1


@pytest.mark.typesetting
def test_names_use_the_fonts_that_ship_with_the_site() -> None:
    names = ["Şükrü Đorđević", "Nguyễn Thị Ánh", "Αθηνά", "Ольга", "Ó Súilleabháin"]
    page: Any = read(make_present(last_name=" ".join(names))).pages[0]
    words = " ".join(page.extract_text().split())
    assert [name for name in names if name not in words] == []
    fonts = {font["/BaseFont"].partition("+")[2] for font in page["/Resources"]["/Font"].values()}
    assert {font.partition("-")[0] for font in fonts} <= {"Bricolage", "Source"}


@pytest.mark.typesetting
def test_html_in_a_name_is_escaped() -> None:
    assert "<script>x</script> & co" in text_of(make_present(first_name="<script>x</script>", last_name="& co"))


def test_unknown_absent_cancelled_and_too_early_registrations_get_the_same_answer(client: Client) -> None:
    early = make_present(make_event(starts_in=timedelta(minutes=-30)))
    cancelled = make_present(status="cancelled", cancelled_at=timezone.now())
    called_off = make_present(make_past_event(status="cancelled"))
    taken_back = make_present()
    attendance.take_back(taken_back)
    paths = [path_of(one) for one in (early, cancelled, called_off, taken_back, make_registration(make_past_event()))]
    answers = [client.get(path) for path in [*paths, f"/mon-inscription/{'x' * 22}/attestation.pdf"]]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text.replace(answer.wsgi_request.path, "") for answer in answers}) == 1


@pytest.mark.typesetting
def test_a_failed_rendering_does_not_block_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(pdf, "RENDERER", Path("/nowhere/renderer.py"))
        with pytest.raises(pdf.RenderingFailed):
            pdf.render("<p>x</p>")
    assert pdf.render("<p>x</p>").startswith(b"%PDF-")


@pytest.mark.typesetting
def test_a_worker_waits_for_another_rendering_and_a_page_is_refused_at_once() -> None:
    made: list[bytes] = []
    worker = threading.Thread(target=lambda: made.extend(pdf.render_all(["<p>x</p>"], wait_max=pdf.WAIT_MAX)))
    with pdf.rendering_lock:
        worker.start()
        with pytest.raises(pdf.RenderingFailed, match="another document is being made"):
            pdf.render("<p>x</p>")
    worker.join()
    assert [content[:5] for content in made] == [b"%PDF-"]


# The public check


def test_the_check_shows_event_date_and_initials_and_nothing_else(client: Client) -> None:
    registration = make_present(
        first_name="Zoë", last_name="D’Arcy", organisation="Ville de Nulle-Part", job_title="Élue", minutes=75
    )
    page = client.get(f"/attestation/{registration.certificate_number}/")
    assert page.status_code == 200
    for told in [registration.event.title, f"Z.{NBSP}D.", str(registration.certificate_number)]:
        assert told in page.text
    secrets = ["Zoë", "D’Arcy", registration.email, "Nulle-Part", "Élue", registration.manage_code]
    assert [secret for secret in secrets if secret in page.text] == []
    without_number = page.text.partition("<main")[2].replace(str(registration.certificate_number), "")
    assert "75" not in without_number
    assert "1 h 15" not in without_number.replace(NBSP, " ")
    assert page["Cache-Control"] == "no-store, private"
    assert page["X-Robots-Tag"] == "noindex, nofollow"


def test_a_number_is_accepted_in_lower_case_and_without_dashes(client: Client) -> None:
    number = str(make_present().certificate_number)
    for typed in [number.lower(), number.replace("-", ""), number.replace("-", " "), f" {number.replace('-', '–')} "]:
        answer = client.get("/attestation/", {"number": typed}, follow=True)
        assert answer.redirect_chain == [(f"/attestation/{number}/", 302)]
        assert answer.status_code == 200
    assert client.get(f"/attestation/{number.replace('-', '').lower()}/").status_code == 200


def test_unknown_malformed_and_withdrawn_numbers_get_the_same_page(client: Client) -> None:
    absent, cancelled = make_present(), make_present(status="cancelled", cancelled_at=timezone.now())
    attendance.take_back(absent)
    numbers = [absent.certificate_number, cancelled.certificate_number, "2222-2222-2222", "x", "é" * 500]
    answers = [client.get(f"/attestation/{number}/") for number in numbers]
    assert {answer.status_code for answer in answers} == {404}
    shown = {answer.text.partition("<main")[2].partition("</main>")[0] for answer in answers}
    [only] = shown
    assert "Aucune attestation ne porte ce numéro" in only


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Saisissez le numéro de l’attestation."),
        ("7KQ2", "Saisissez les douze lettres et chiffres du numéro, par exemple 7KQ2-M9XD-4HTR."),
        ("0000-OOOO-1111", "Saisissez les douze lettres et chiffres du numéro, par exemple 7KQ2-M9XD-4HTR."),
    ],
)
def test_an_error_is_in_the_summary_and_next_to_the_field(client: Client, typed: str, message: str) -> None:
    page = client.get("/attestation/", {"number": typed})
    assert page.status_code == 200
    assert "<title>Erreur" in page.text
    assert f'<a href="#id_number">{message}</a>' in page.text
    assert page.text.count(message) == 2
    assert 'aria-invalid="true"' in page.text


def test_the_form_opens_without_an_error_and_in_english_too(client: Client) -> None:
    assert "Erreur" not in client.get("/attestation/").text
    assert "Check a certificate of attendance" in client.get("/en/attestation/").text
    assert "No certificate has this number" in client.get("/en/attestation/x/").text


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [("Zoë", "D’Arcy", "Z._D."), ("’t", "élodie", "T._É."), ("李", "小龍", "李._小."), ("🙂", "Durand", "D.")],
)
def test_initials_are_the_first_letters(first: str, last: str, shown: str) -> None:
    registration = Registration(first_name=first, last_name=last)
    assert certificate.initials(registration) == shown.replace("_", NBSP)
