"""What a mail server refuses, cuts or never answers, and when the mail is tried again. The server is a real one."""

from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from registrations.mailing import outbox
from registrations.models import Delivery
from tests.mailing.queued_mails import MINUTE, after_a_drain, enqueue
from tests.smtp import HANG_UP, HOLD, Handler, smtp_server

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("step", "answer", "words"),
    [
        ("rcpt_to", "550 5.1.1 no such user", "adresse inconnue"),
        ("rcpt_to", "550 no such user", "refusé"),
        ("data", "552 5.3.4 too large", "courriel trop volumineux"),
        ("data", "552 5.7.0 content refused", "refusé par le serveur de la personne"),
        ("data", "554 5.7.1 content refused", "refusé par le serveur de la personne"),
    ],
)
def test_a_permanent_refusal_fails_at_once_says_why_and_delays_nobody(
    server: Handler, step: str, answer: str, words: str
) -> None:
    refused = enqueue()
    setattr(server, step, answer)
    after_a_drain(refused)
    assert (refused.state, refused.error, refused.attempts) == ("failed", f"{words} ({answer})", 1)

    setattr(server, step, "250 OK")
    assert after_a_drain(enqueue()).state == "sent"


@pytest.mark.parametrize(
    ("step", "answer", "words"),
    [
        ("rcpt_to", "450 4.2.2 mailbox full", "boîte pleine"),
        ("rcpt_to", "450 4.7.1 greylisted", "refusé par le serveur de la personne"),
        ("data", "451 4.3.0 try again", "remis à plus tard"),
    ],
)
def test_a_passing_refusal_is_tried_again_later_and_does_not_stop_the_others(
    server: Handler, step: str, answer: str, words: str
) -> None:
    delivery = enqueue()
    setattr(server, step, answer)
    before = timezone.now()
    after_a_drain(delivery)
    assert (delivery.state, delivery.error, delivery.lease) == ("pending", f"{words} ({answer})", "")
    assert timedelta(seconds=24) <= delivery.send_at - before <= timedelta(seconds=37)

    setattr(server, step, "250 OK")
    Delivery.objects.update(send_at=timezone.now())
    assert after_a_drain(delivery).state == "sent"
    assert delivery.error == ""


def test_a_server_that_is_away_stops_the_drain_after_one_mail(settings: Settings) -> None:
    with smtp_server() as (_handler, mailers):
        settings.MAILERS = mailers
    deliveries = [enqueue(), enqueue()]
    outbox.drain()
    for delivery in deliveries:
        delivery.refresh_from_db()
    assert [delivery.attempts for delivery in deliveries] == [1, 0]
    assert {delivery.state for delivery in deliveries} == {"pending"}


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("mail_from", "530 5.7.0 authentication required"),
        ("mail_from", "550 5.7.1 sender not allowed"),
        ("rcpt_to", "554 5.7.1 <zoe@example.org>: Relay access denied"),
        ("mail_from", "421 4.3.2 closing"),
        ("data", "421 4.3.2 closing"),
    ],
)
def test_what_would_meet_every_mail_stops_the_drain_and_keeps_them_all(
    server: Handler, step: str, answer: str
) -> None:
    setattr(server, step, answer)
    enqueue()
    enqueue()
    outbox.drain()
    states = list(Delivery.objects.order_by("pk").values_list("state", "attempts"))
    assert states == [("pending", 1), ("pending", 0)]


@pytest.mark.parametrize(
    ("answer", "state"), [("552 5.3.4 message too big", "failed"), ("452 4.3.1 no space", "pending")]
)
def test_a_sender_step_that_speaks_of_this_mail_concerns_this_mail_alone(
    server: Handler, answer: str, state: str
) -> None:
    server.mail_from = answer
    enqueue()
    enqueue()
    outbox.drain()
    assert list(Delivery.objects.values_list("state", "attempts")) == [(state, 1), (state, 1)]


@pytest.mark.parametrize(
    ("priority", "minutes"), [(0, 2), (1, 10)], ids=["who waits at the screen", "one mail of many"]
)
def test_a_connection_cut_after_the_mail_was_handed_over_waits_and_repeats_the_same_message(
    server: Handler, priority: int, minutes: int
) -> None:
    delivery = enqueue(priority=priority)
    server.data = HANG_UP
    before = timezone.now()
    after_a_drain(delivery)
    assert delivery.state == "pending"
    assert minutes * MINUTE <= delivery.send_at - before < minutes * MINUTE + MINUTE

    server.data = "250 OK"
    Delivery.objects.update(send_at=timezone.now())
    outbox.drain()
    assert [mail["Message-ID"] for mail in server.mails] == [delivery.message_id]


def test_a_connection_cut_before_the_mail_was_asked_for_is_no_ambiguity(server: Handler) -> None:
    delivery = enqueue()
    server.rcpt_to = HANG_UP
    before = timezone.now()
    after_a_drain(delivery)
    assert (delivery.state, delivery.error[:30]) == ("pending", "serveur d’envoi injoignable (S")
    assert delivery.send_at - before < MINUTE


def test_a_server_that_never_answers_after_the_mail_is_ambiguous(server: Handler, settings: Settings) -> None:
    server.data = HOLD
    options = {**settings.MAILERS["default"]["OPTIONS"], "timeout": 1}
    settings.MAILERS = {"default": {**settings.MAILERS["default"], "OPTIONS": options}}
    delivery = enqueue()
    before = timezone.now()
    after_a_drain(delivery)
    assert delivery.state == "pending"
    assert delivery.send_at - before >= 2 * MINUTE


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"use_tls": True}, "nos propres réglages sont refusés"),
        ({"username": "u", "password": "p"}, "nos propres réglages sont refusés"),
        ({"use_ssl": True}, "nos propres réglages sont refusés"),
    ],
)
def test_encryption_or_login_that_the_server_refuses_is_ours_to_mend(
    server: Handler, settings: Settings, setting: dict[str, Any], words: str
) -> None:
    settings.MAILERS["default"]["OPTIONS"].update(setting)
    enqueue()
    enqueue()
    outbox.drain()
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 1]
    [error] = Delivery.objects.filter(attempts=1).values_list("error", flat=True)
    assert error.startswith(words)


def test_refused_credentials_are_ours_to_mend(settings: Settings) -> None:
    def nobody(*args: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with smtp_server(authenticator=nobody, auth_require_tls=False) as (server, mailers):
        mailers["default"]["OPTIONS"] |= {"username": "user", "password": "wrong"}
        settings.MAILERS = mailers
        enqueue()
        enqueue()
        outbox.drain()
    assert server.received == []
    assert sorted(Delivery.objects.values_list("state", "attempts")) == [("pending", 0), ("pending", 1)]
    [error] = Delivery.objects.filter(attempts=1).values_list("error", flat=True)
    assert error.startswith("nos propres réglages sont refusés")
    assert "535" in error


def test_retries_grow_from_half_a_minute_to_half_an_hour_and_end_after_three_days(server: Handler) -> None:
    server.rcpt_to = "451 4.7.1 greylisted"
    delivery = enqueue()
    waits = []
    for _ in range(8):
        before = timezone.now()
        after_a_drain(delivery)
        waits.append((delivery.send_at - before) / MINUTE)
        Delivery.objects.update(send_at=timezone.now())
    for wait, wanted in zip(waits, [0.5, 1, 2, 5, 10, 20, 30, 30], strict=True):
        assert 0.79 * wanted <= wait <= 1.22 * wanted

    Delivery.objects.update(trying_since=timezone.now() - timedelta(days=3))
    assert after_a_drain(delivery).state == "failed"


def test_a_mail_that_waited_long_for_its_first_try_still_has_three_days(server: Handler) -> None:
    server.rcpt_to = "451 4.7.1 greylisted"
    assert after_a_drain(enqueue(created_at=timezone.now() - timedelta(days=30))).state == "pending"


def test_days_of_our_own_fault_do_not_count_against_a_mail(server: Handler) -> None:
    server.mail_from = "530 5.7.0 authentication required"
    delivery = after_a_drain(enqueue())
    Delivery.objects.update(trying_since=timezone.now() - timedelta(days=9), send_at=timezone.now())
    after_a_drain(delivery)
    server.mail_from, server.rcpt_to = "250 OK", "451 4.7.1 greylisted"
    Delivery.objects.update(send_at=timezone.now())
    assert after_a_drain(delivery).state == "pending"


def test_after_an_evening_without_a_server_a_mail_waits_three_minutes_at_most_for_its_return(
    settings: Settings,
) -> None:
    with smtp_server() as (_handler, mailers):
        settings.MAILERS = mailers
    delivery = enqueue()
    waits: list[timedelta] = []
    while sum(waits, timedelta()) < timedelta(hours=2):
        before = timezone.now()
        after_a_drain(delivery)
        waits.append(delivery.send_at - before)
        Delivery.objects.update(send_at=timezone.now())
    assert max(waits) < timedelta(minutes=3)
    assert len(waits) < 80  # and it does not knock without pause
    assert delivery.state == "pending"


def test_a_wrong_password_is_tried_a_dozen_times_in_two_hours_lest_the_account_be_locked(server: Handler) -> None:
    server.mail_from = "530 5.7.0 authentication required"
    delivery = enqueue()
    waited = timedelta()
    while waited < timedelta(hours=2):
        before = timezone.now()
        after_a_drain(delivery)
        waited += delivery.send_at - before
        Delivery.objects.update(send_at=timezone.now())
    assert delivery.attempts <= 12


def test_a_server_that_quotes_a_link_of_the_mail_shows_nobody_the_code(server: Handler) -> None:
    delivery = enqueue()
    assert delivery.registration
    code = delivery.registration.manage_code
    server.data = f"554 5.7.1 URL https://webinaires.example.org/mon-inscription/{code}/ is listed"
    after_a_drain(delivery)
    assert delivery.state == "failed"
    assert "/mon-inscription/…" in delivery.error
    assert code not in delivery.error


@pytest.mark.parametrize("before", ["/mon-inscription/", "%2Fmon-inscription%2F", "=2Frejoindre=2F", "//Rejoindre//"])
@pytest.mark.django_db
def test_an_error_that_was_stored_long_ago_shows_nobody_a_code(before: str, admin_client: Client) -> None:
    delivery = enqueue()
    code = "Ab3_dEf-hIjKlMnOpQrStU"
    Delivery.objects.update(state="failed", error=f"554 5.7.1 URL https://x.example{before}{code} is listed")
    for path in ("", f"{delivery.pk}/change/"):
        page = admin_client.get(f"/admin/registrations/delivery/{path}")
        assert page.status_code == 200
        assert "5.7.1" in page.text
        assert code not in page.text
    assert code not in str(list(Delivery.objects.values("error")))
