"""The pages of the personal links."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from registrations.domain import attendance
from registrations.models import Attendance, Event, Registration
from tests.factories import ROOM, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def join(registration: Registration) -> str:
    return f"/rejoindre/{registration.join_code}/"


@pytest.mark.parametrize(
    ("starts_in", "is_open"),
    [(16 * MINUTE, False), (14 * MINUTE, True), (-80 * MINUTE, True), (-149 * MINUTE, True), (-151 * MINUTE, False)],
)
def test_the_button_shows_from_a_quarter_before_until_an_hour_after(
    client: Client, starts_in: timedelta, is_open: bool
) -> None:
    registration = make_registration(make_event(starts_in=starts_in))
    page = client.get(join(registration))
    assert ("Entrer dans la salle" in page.text) is is_open
    assert ROOM not in page.text

    answer = client.post(join(registration))
    assert answer["Location"] == (ROOM if is_open else join(registration))
    assert ("form-action 'self' https:;" in page["Content-Security-Policy"]) is is_open


def test_joining_works_without_cookies_and_redirects_to_the_current_room() -> None:
    registration = make_registration(make_event(starts_in=5 * MINUTE))
    visitor = Client(enforce_csrf_checks=True)
    Event.objects.update(connection_url="https://autre.example.net/salle")
    assert visitor.post(join(registration))["Location"] == "https://autre.example.net/salle"


def test_an_open_room_without_a_link_says_so(client: Client) -> None:
    registration = make_registration(make_event(starts_in=5 * MINUTE, connection_url=""))
    assert "Le lien de la salle n’est pas encore publié." in client.get(join(registration)).text
    assert client.post(join(registration))["Location"] == join(registration)


def test_connection_notes_are_shown_only_while_the_room_is_open(client: Client) -> None:
    event = make_event(starts_in=20 * MINUTE, connection_notes="Code 1234")
    registration = make_registration(event)
    assert "Code 1234" not in client.get(join(registration)).text
    Event.objects.update(starts_at=timezone.now() + 5 * MINUTE)
    assert "Code 1234" in client.get(join(registration)).text


def test_before_the_event_the_page_says_when_the_room_opens_in_the_time_zone_of_the_event(client: Client) -> None:
    registration = make_registration(make_event())
    event = registration.event
    opens = event.room_opens_at.astimezone(event.zone)
    page = client.get(join(registration)).text
    assert "La salle ouvre" in page
    assert f"{opens.hour}\u00a0h" in page


@pytest.mark.typesetting
def test_after_the_event_the_page_has_the_documents_and_the_recording(client: Client) -> None:
    event = make_past_event(replay_url="https://video.example.net/1")
    page = client.get(join(make_registration(event))).text
    assert "L’enregistrement est là" in page
    assert "https://video.example.net/1" in page
    assert "rapport.pdf" in page


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_a_cancelled_or_postponed_event_opens_no_room(client: Client, status: str) -> None:
    registration = make_registration(make_event(starts_in=5 * MINUTE, status=status))
    assert "Entrer dans la salle" not in client.get(join(registration)).text
    assert client.post(join(registration))["Location"] == join(registration)
    assert client.get(join(registration) + "invitation.ics").status_code == 404
    mine = client.get(f"/mon-inscription/{registration.manage_code}/").text
    assert "Votre place est réservée" not in mine
    assert "Ouvrir ma page" not in mine


def test_my_registration_shows_the_answers_escaped(client: Client) -> None:
    registration = make_registration(organisation="<b>Ville</b>", question="Ligne 1\nLigne 2", newsletter=True)
    page = client.get(f"/mon-inscription/{registration.manage_code}/").text
    for shown in [
        "Votre place est réservée",
        "&lt;b&gt;Ville&lt;/b&gt;",
        "Ligne 1<br>Ligne 2",
        registration.email,
        "oui",
    ]:
        assert shown in page


@pytest.mark.parametrize("tail", ["", "rapport.pdf", "invitation.ics"])
def test_the_join_code_shows_no_personal_data(client: Client, tail: str) -> None:
    registration = make_registration(make_event(report=False), first_name="Prénomsecret", last_name="Nomsecret")
    content = client.get(join(registration) + tail).content.decode(errors="replace")
    assert "Prénomsecret" not in content
    assert "Nomsecret" not in content
    assert registration.email not in content
    assert registration.manage_code not in content


def test_the_two_codes_do_not_open_each_others_pages(client: Client) -> None:
    registration = make_registration()
    assert client.get(f"/rejoindre/{registration.manage_code}/").status_code == 404
    assert client.get(f"/mon-inscription/{registration.join_code}/").status_code == 404


@pytest.mark.parametrize("path", ["/rejoindre/{}/", "/rejoindre/{}/rapport.pdf", "/mon-inscription/{}/"])
def test_unknown_malformed_and_cancelled_codes_get_the_same_page(client: Client, path: str) -> None:
    cancelled = make_registration(status="cancelled")
    codes = ["A" * 22, "é" * 22, "x", cancelled.join_code]
    pages = [client.get(path.format(code)) for code in codes]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text.split("<footer")[0] for page in pages}) == 1


def test_personal_pages_are_not_cached_and_not_indexed(client: Client) -> None:
    registration = make_registration(make_event(report=False))
    for path in [
        join(registration),
        join(registration) + "invitation.ics",
        f"/mon-inscription/{registration.manage_code}/",
    ]:
        response = client.get(path)
        assert response["Cache-Control"] == "no-store, private"
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_get_changes_nothing(client: Client, method: str) -> None:
    registration = make_registration(make_event(starts_in=5 * MINUTE), link_was_used=True)
    before = Registration.objects.values().get()
    for path in [join(registration), f"/mon-inscription/{registration.manage_code}/"]:
        getattr(client, method)(path)
    assert Registration.objects.values().get() == before


PLACES = ["Guadeloupe, Martinique", "Guyane", "Saint-Pierre-et-Miquelon", "Mayotte", "La Réunion"]
PACIFIC = ["Polynésie française", "Nouvelle-Calédonie", "Wallis-et-Futuna"]
IN_WINTER = [PLACES[0], "Guyane, Saint-Pierre-et-Miquelon", *PLACES[3:], *PACIFIC]


@pytest.mark.parametrize(
    ("starts_at", "places", "there"),
    [
        (
            datetime(2030, 1, 15, 15, 30, tzinfo=UTC),
            IN_WINTER,
            ["11_h_15", "12_h_15", "18_h_15", "19_h_15", "5_h_15", "2_h_15, le 16_janvier", "3_h_15, le 16_janvier"],
        ),
        (
            datetime(2030, 7, 15, 14, 30, tzinfo=UTC),
            [*PLACES, *PACIFIC],
            [
                "10_h_15",
                "11_h_15",
                "12_h_15",
                "17_h_15",
                "18_h_15",
                "4_h_15",
                "1_h_15, le 16_juillet",
                "2_h_15, le 16_juillet",
            ],
        ),
        (
            datetime(2030, 1, 15, 21, 30, tzinfo=UTC),
            IN_WINTER,
            [
                *("17_h_15", "18_h_15", "0_h_15, le 16_janvier", "1_h_15, le 16_janvier"),
                *("11_h_15", "8_h_15, le 16_janvier", "9_h_15, le 16_janvier"),
            ],
        ),
    ],
)
def test_overseas_times_are_in_a_closed_section_below_the_time_of_paris(
    client: Client, starts_at: datetime, places: list[str], there: list[str]
) -> None:
    event = make_event(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    page = client.get(join(make_registration(event)))
    hours = [hour.replace("_", "\u00a0") for hour in there]
    assert page.context["overseas"] == list(zip(places, hours, strict=True))
    assert "<summary>L’heure dans les outre-mer</summary>" in page.text


def test_an_event_in_another_time_zone_has_no_overseas_times(client: Client) -> None:
    event = make_event(timezone="Indian/Reunion")
    assert "outre-mer" not in client.get(join(make_registration(event))).text


@pytest.mark.parametrize(("starts_in", "noted"), [(16 * MINUTE, []), (5 * MINUTE, ["join"]), (-200 * MINUTE, [])])
def test_the_button_records_the_attendance_while_the_room_is_open(
    client: Client, starts_in: timedelta, noted: list[str]
) -> None:
    registration = make_registration(make_event(starts_in=starts_in))
    for _ in range(2):
        client.post(join(registration))
    assert list(Attendance.objects.values_list("origin", flat=True)) == noted
    registration.refresh_from_db()
    assert bool(registration.certificate_number) is bool(noted)


def test_joining_works_when_the_attendance_cannot_be_recorded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    registration = make_registration(make_event(starts_in=5 * MINUTE))

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(attendance, "note", away)
    assert client.post(join(registration))["Location"] == ROOM


@pytest.mark.parametrize("tail", ["", "rapport.pdf", "invitation.ics"])
def test_a_link_expires_with_its_data(client: Client, tail: str) -> None:
    event = make_event(starts_in=timedelta(days=-90), retention_months=1)
    registration = make_registration(event, created_at=timezone.now() - timedelta(days=100))
    assert client.get(join(registration) + tail).status_code == 404
    assert client.post(join(registration)).status_code == 404
