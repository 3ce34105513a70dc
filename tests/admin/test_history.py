"""What happened to one person, on one page, in order of time."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.admin.people.history import person_history
from registrations.domain import attendance, signup
from registrations.mailing import outbox
from registrations.models import Attendance, Delivery, Registration
from tests.admin_client import PEOPLE, act, logged_in
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db


def signed_up(**fields: object) -> Registration:
    return signup.register(make_event(report=False), language="fr", **answers(**fields)).registration


def titles(registration: Registration) -> list[str]:
    return [moment.title.replace("\u00a0", "_") for moment in person_history(registration)]


def test_a_sign_up_and_its_mails_stand_in_order_of_time() -> None:
    assert titles(signed_up()) == [
        "Inscription",
        "Courriel_: Confirmation (Nouvelle inscription)",
        "Courriel_: Premier rappel",
        "Courriel_: Dernier rappel",
    ]


def test_each_mail_is_told_with_its_state_as_a_sentence() -> None:
    registration = signed_up()
    confirmation = registration.deliveries.filter(kind="confirmation")
    confirmation.update(state="failed", error="550 5.1.1 adresse inconnue")
    words = {moment.title: moment.words for moment in person_history(registration)}
    assert words["Courriel\u00a0: Confirmation (Nouvelle inscription)"].endswith("550 5.1.1 adresse inconnue")


def test_a_withdrawal_is_told() -> None:
    registration = signed_up()
    signup.withdraw(registration)
    registration.refresh_from_db()
    assert "Inscription annulée" in titles(registration)


def test_a_mail_that_a_withdrawal_stopped_stands_after_the_withdrawal() -> None:
    registration = signed_up()
    outbox.drain()
    signup.withdraw(registration)
    outbox.drain()
    registration.refresh_from_db()
    assert titles(registration) == [
        "Inscription",
        "Courriel_: Confirmation (Nouvelle inscription)",
        "Inscription annulée",
        "Courriel_: Premier rappel",
        "Courriel_: Dernier rappel",
        "Courriel_: Désinscription (Place rendue)",
    ]


def test_the_waiting_list_is_told() -> None:
    assert "Mise en liste d’attente" in titles(make_registration(status="waitlisted"))


def test_a_presence_is_told_with_how_we_know() -> None:
    registration = signed_up()
    attendance.note(registration, Attendance.Origin.HAND)
    told = [moment.words for moment in person_history(registration) if moment.title == "Présence notée"]
    assert told == ["à la main"]


def test_what_staff_did_is_told_with_their_account_and_no_name_of_the_person_stays_in_the_log() -> None:
    registration = signed_up()
    client = logged_in()
    act(client, "send_again", registration)
    moments = [moment for moment in person_history(registration) if moment.title == "Au bureau, par equipe"]
    assert [moment.words for moment in moments] == ["Renvoyer la confirmation"]
    assert registration.last_name not in str(list(LogEntry.objects.values()))


def test_the_page_parts_what_happened_from_what_is_to_come() -> None:
    registration = signed_up()
    page = logged_in().get(f"{PEOPLE}{registration.pk}/change/")
    assert page.context["past"][-1].title == "Inscription"
    assert all(moment.at > timezone.now() for moment in page.context["to_come"])
    assert len(page.context["to_come"]) == 2


def test_who_may_not_see_people_sees_no_story() -> None:
    assert logged_in("view_event").get(f"{PEOPLE}{signed_up().pk}/change/").status_code == 403


def test_looking_leaves_nothing_in_the_log() -> None:
    registration = signed_up()
    logged_in().get(f"{PEOPLE}{registration.pk}/change/")
    assert not LogEntry.objects.exists()


def test_a_long_story_asks_as_much_as_a_short_one() -> None:
    registration = signed_up()
    client = logged_in()

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{PEOPLE}{registration.pk}/change/")
        return len(captured)

    asked()
    short = asked()
    for number in range(3):
        send_at = timezone.now() + timedelta(days=number)
        Delivery.objects.enqueue(registration, Delivery.Kind.UPDATED, send_at=send_at)
        act(another(number), "send_again", registration)
    assert asked() == short


def another(number: int) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(f"equipe-{number}"))
    return client
