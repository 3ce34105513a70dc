"""« Corriger mon adresse » on the thank-you page: a sign-up of a few minutes ago goes to the right address."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.domain import corrections, erasure, event_changes, signup
from registrations.mailing import outbox
from registrations.models import Event, Registration
from tests.domain.test_corrections import mails, sign_up, subjects
from tests.factories import make_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db


LONG_AGO = "2020-01-01T00:00Z"


def corrected(registration: Registration, email: str) -> Registration:
    typed = corrections.answers(registration)
    return corrections.correct_sign_up(
        registration.event, registration.pk, email=email, language="en", **typed
    ).registration


def test_a_mistyped_sign_up_moves_with_new_links_and_what_had_not_left_ends(outbox_folder: Path) -> None:
    registration = sign_up(email="zoe@gmial.com")
    codes = {registration.join_code, registration.manage_code}
    kept = corrected(registration, "zoe@gmail.com")
    assert kept.pk == registration.pk
    assert kept.email == "zoe@gmail.com"
    assert not codes & {kept.join_code, kept.manage_code}
    assert mails(registration) == [("confirmation", "new", "cancelled"), ("confirmation", "new", "pending")]
    [(to, _subject)] = subjects(outbox_folder)
    assert to == "zoe@gmail.com"


def test_links_that_went_to_the_wrong_address_lead_nowhere(client: Client) -> None:
    registration = sign_up()
    outbox.drain()
    corrected(registration, "right@x.fr")
    assert client.get(f"/rejoindre/{registration.join_code}/").status_code == 404
    assert client.get(f"/mon-inscription/{registration.manage_code}/").status_code == 404


def test_a_sign_up_corrected_to_a_known_address_leaves_that_registration_as_it_is() -> None:
    event = make_event()
    known = sign_up(event, "known@x.fr", organisation="Avant")
    mistaken = sign_up(event, "knwon@x.fr", organisation="Après")
    kept = corrected(mistaken, "Known@x.fr")
    assert kept == known == Registration.objects.get()
    assert kept.organisation == "Avant"
    assert mails(known)[-1] == ("confirmation", "known", "pending")


def test_a_sign_up_corrected_to_an_address_that_had_withdrawn_keeps_its_seat() -> None:
    event = make_event(capacity=1)
    withdrawn = sign_up(event, "known@x.fr")
    signup.withdraw(withdrawn)
    mistaken = sign_up(event, "knwon@x.fr")
    waiting = sign_up(event, "waiting@x.fr")
    kept = corrected(mistaken, "known@x.fr")
    assert kept.pk == withdrawn.pk
    assert [row.status for row in Registration.objects.order_by("pk")] == ["confirmed", "waitlisted"]
    assert mails(waiting) == [("waiting_list", "new", "pending")]


def test_the_seat_of_a_mistaken_sign_up_goes_to_the_first_in_line() -> None:
    event = make_event(capacity=2)
    sign_up(event, "known@x.fr")
    mistaken, waiting = sign_up(event, "knwon@x.fr"), sign_up(event, "waiting@x.fr")
    corrected(mistaken, "known@x.fr")
    waiting.refresh_from_db()
    assert waiting.is_seated
    assert mails(waiting)[-1] == ("promoted", "promoted", "pending")


# Who else is registered


def correct(journey: Journey, event: Event, email: str) -> list[Any]:
    """What a visitor sees of it: each step to the last page, and its words without the address."""
    page = journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": email}, follow=True)
    return [*page.redirect_chain, page.status_code, page.text.replace(email, "").partition("csrf")[0]]


@pytest.mark.parametrize("status", ["confirmed", "waitlisted", "cancelled"])
@pytest.mark.parametrize(
    "change",
    [{}, {"registration_closes_at": LONG_AGO}, {"status": "postponed"}, {"status": "cancelled"}, {"capacity": 1}],
    ids=["open", "closed", "postponed", "cancelled", "full"],
)
def test_a_closed_event_tells_who_is_on_its_list(journey: Journey, status: str, change: dict[str, Any]) -> None:
    event = make_event(waiting_list=False)
    make_registration(event, email="known@example.org", status=status)
    seen = []
    for number, email in enumerate(["known@example.org", "unknown@example.org"]):
        Event.objects.update(registration_closes_at=None, status="published", capacity=None)
        journey.client.cookies.clear()
        journey.sign_up(event, email=f"typo{number}@example.org", first_name="Zoë")
        Event.objects.update(**change)
        seen.append([correct(journey, event, email), correct(journey, event, f"again{number}@example.org")])
    assert seen[0] == seen[1]
    assert seen[0][0][1] == 200


def test_a_seat_taken_in_time_is_lost_by_a_correction_after_the_closing() -> None:
    event = make_event()
    withdrawn = make_registration(event, email="known@x.fr", status="cancelled")
    mistaken = sign_up(event, "knwon@x.fr")
    Event.objects.update(registration_closes_at=event.starts_at.replace(year=2020))
    assert corrected(mistaken, "known@x.fr") == withdrawn
    [left] = Registration.objects.all()
    assert (left.email, left.is_seated) == ("known@x.fr", True)


def test_a_correction_while_the_event_is_cancelled_makes_no_seat_more_than_there_are() -> None:
    event = make_event(capacity=1)
    registration = sign_up(event)
    event_changes.cancel(event)
    assert corrected(registration, "right@x.fr") != registration
    assert [row.status for row in Registration.objects.order_by("pk")] == ["confirmed", "waitlisted"]


# Pre-hijack: whoever signed someone else up

USES = {
    "modifier/": {"first_name": "V", "last_name": "V", "organisation": "SECRET", "job_title": "V"},
    "adresse/": {"email": "victim.at.home@example.org"},
    "annuler/": {},
    "renvoyer/": {},
    "supprimer/": {},
}


@pytest.mark.parametrize("page", USES)
def test_who_signed_a_victim_up_takes_the_row_back_with_the_victims_answers(journey: Journey, page: str) -> None:
    event = make_event(report=False)
    journey.sign_up(event, email="victim@example.org", organisation="Mine")
    row = Registration.objects.get()
    Client().post(f"/mon-inscription/{row.manage_code}/{page}", USES[page])
    before = Registration.objects.values().get()
    correct(journey, event, "attacker@example.org")
    assert Registration.objects.values().get(pk=row.pk) == before
    new = Registration.objects.get(email="attacker@example.org")
    assert (new.pk != row.pk, new.organisation) == (True, "Mine")


def test_who_signed_a_victim_up_takes_the_row_back_once_the_victim_was_in_the_room(journey: Journey) -> None:
    event = make_event(report=False, starts_in=timedelta(minutes=5))
    journey.sign_up(event, email="victim@example.org")
    row = Registration.objects.get()
    Client().post(f"/rejoindre/{row.join_code}/")
    correct(journey, event, "attacker@example.org")
    row.refresh_from_db()
    assert (row.email, row.attendances.exists()) == ("victim@example.org", True)


def test_who_is_told_it_was_not_me_sees_another_page(journey: Journey) -> None:
    event = make_event(report=False)
    journey.sign_up(event, email="victim@example.org")
    erasure.disown(Registration.objects.get())
    assert correct(journey, event, "right@example.org")[0] == (f"/evenements/{event.slug}/merci/", 303)
    assert Registration.objects.get().email == "right@example.org"


@pytest.mark.parametrize("page", ["mon-inscription/{0.manage_code}/", "rejoindre/{0.join_code}/"])
def test_who_signed_a_victim_up_takes_the_row_back_once_the_victim_has_opened_a_link(
    journey: Journey, page: str
) -> None:
    event = make_event(report=False)
    journey.sign_up(event, email="victim@example.org")
    row = Registration.objects.get()
    assert Client().get(f"/{page.format(row)}").status_code == 200
    shown = correct(journey, event, "attacker@example.org")
    assert Registration.objects.get(pk=row.pk).email == "victim@example.org"
    assert Registration.objects.get(email="attacker@example.org").pk != row.pk
    assert "en route" in shown[-1]


def test_a_page_that_is_opened_often_is_written_once(client: Client) -> None:
    registration = make_registration()
    old = make_registration(registration.event, created_at=timezone.now() - timedelta(hours=1))
    writes = []
    for one in (registration, registration, old):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/mon-inscription/{one.manage_code}/")
        writes.append(sum(query["sql"].startswith("UPDATE") for query in queries))
    assert writes == [1, 0, 0]
