"""The outbox under what servers, databases and workers really do. The SMTP server is a real one, on this machine."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from registrations.mailing import outbox, wakeups
from registrations.models import Delivery, Event, Registration
from registrations.models.delivery import _BY_NUMBER, LEASE
from tests.factories import make_event, make_registration
from tests.smtp import HANG_UP, HOLD, Handler, smtp_server
from tests.threads import together

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(settings: Settings) -> Iterator[Handler]:
    with smtp_server() as (handler, mailers):
        settings.MAILERS = mailers
        yield handler


def enqueue(**fields: Any) -> Delivery:
    registration = fields.pop("registration", None) or make_registration(make_event(report=False))
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    delivery.refresh_from_db()
    return delivery


def after_a_drain(delivery: Delivery) -> Delivery:
    outbox.drain()
    delivery.refresh_from_db()
    return delivery


def test_a_mail_is_handed_over_once_and_recorded(server: Handler) -> None:
    delivery = after_a_drain(enqueue())
    assert (delivery.state, delivery.attempts, delivery.error, delivery.lease) == ("sent", 1, "", "")
    assert delivery.sent_at is not None
    outbox.drain()
    [mail] = server.mails
    assert mail["Message-ID"] == delivery.message_id


def test_several_mails_leave_over_one_connection(server: Handler) -> None:
    for _ in range(3):
        enqueue()
    outbox.drain()
    assert (len(server.received), server.connections) == (3, 1)


def test_the_more_urgent_and_then_the_older_leaves_first(server: Handler) -> None:
    now = timezone.now()
    later = enqueue(send_at=now - MINUTE)
    first = enqueue(send_at=now, priority=-1)
    earlier = enqueue(send_at=now - 2 * MINUTE)
    enqueue(send_at=now + MINUTE)
    outbox.drain()
    assert [mail["Message-ID"] for mail in server.mails] == [
        delivery.message_id for delivery in (first, earlier, later)
    ]


@pytest.mark.parametrize(
    ("step", "answer", "words"),
    [
        ("rcpt_to", "550 5.1.1 no such user", "adresse inconnue"),
        ("rcpt_to", "550 no such user", "refusé"),
        ("data", "552 5.3.4 too large", "message trop volumineux"),
        ("data", "552 5.7.0 content refused", "refusé par le serveur du destinataire"),
        ("data", "554 5.7.1 content refused", "refusé par le serveur du destinataire"),
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
        ("rcpt_to", "450 4.7.1 greylisted", "refusé par le serveur du destinataire"),
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


def test_a_connection_cut_after_the_mail_was_handed_over_waits_ten_minutes_and_repeats_the_same_message(
    server: Handler,
) -> None:
    delivery = enqueue()
    server.data = HANG_UP
    before = timezone.now()
    after_a_drain(delivery)
    assert delivery.state == "pending"
    assert delivery.send_at - before >= 10 * MINUTE

    server.data = "250 OK"
    Delivery.objects.update(send_at=timezone.now())
    outbox.drain()
    assert [mail["Message-ID"] for mail in server.mails] == [delivery.message_id]


def test_a_connection_cut_before_the_mail_was_asked_for_is_no_ambiguity(server: Handler) -> None:
    delivery = enqueue()
    server.rcpt_to = HANG_UP
    before = timezone.now()
    after_a_drain(delivery)
    assert (delivery.state, delivery.error[:30]) == ("pending", "serveur de courriel injoignabl")
    assert delivery.send_at - before < MINUTE


def test_a_server_that_never_answers_after_the_mail_is_ambiguous(server: Handler, settings: Settings) -> None:
    server.data = HOLD
    options = {**settings.MAILERS["default"]["OPTIONS"], "timeout": 1}
    settings.MAILERS = {"default": {**settings.MAILERS["default"], "OPTIONS": options}}
    delivery = enqueue()
    before = timezone.now()
    after_a_drain(delivery)
    assert delivery.state == "pending"
    assert delivery.send_at - before >= 10 * MINUTE


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


def test_two_hours_without_a_server_cost_a_mail_no_more_than_a_dozen_attempts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtp_server() as (_handler, mailers):
        settings.MAILERS = mailers
    delivery = enqueue()
    waited = timedelta()
    while waited < timedelta(hours=2):
        before = timezone.now()
        after_a_drain(delivery)
        waited += delivery.send_at - before
        Delivery.objects.update(send_at=timezone.now())
    assert delivery.attempts <= 12
    assert delivery.state == "pending"


def test_a_claimed_mail_is_nobody_elses_until_its_lease_ends() -> None:
    delivery = enqueue()
    claimed = Delivery.objects.claim()
    assert claimed == delivery
    assert Delivery.objects.claim() is None
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("sending", 1)
    assert LEASE - MINUTE < delivery.send_at - timezone.now() <= LEASE

    Delivery.objects.update(send_at=timezone.now())
    again = Delivery.objects.claim()
    assert again is not None
    assert (again.attempts, again.worker_crashes) == (2, 1)
    assert again.lease != claimed.lease


def test_a_late_failure_of_a_lost_holder_changes_nothing_but_its_success_does() -> None:
    enqueue()
    lost = Delivery.objects.claim()
    Delivery.objects.update(send_at=timezone.now())
    holder = Delivery.objects.claim()
    assert lost is not None
    assert holder is not None

    lost.record_retry(after=MINUTE, error="late", counts=True)
    lost.record_end(Delivery.State.FAILED, "late")
    assert Delivery.objects.get().lease == holder.lease

    lost.record_sent()
    assert Delivery.objects.get().state == "sent"
    holder.record_end(Delivery.State.FAILED, "too late")
    assert Delivery.objects.get().state == "sent"


def test_a_mail_that_kills_its_worker_five_times_fails_and_is_shown(server: Handler) -> None:
    delivery = enqueue()
    for _ in range(5):
        Delivery.objects.claim()  # and the worker is never heard of again
        Delivery.objects.update(send_at=timezone.now())
    after_a_drain(delivery)
    assert delivery.state == "failed"
    assert delivery.error == "le programme s’est arrêté 5 fois avec ce courriel en main"
    assert server.received == []


def test_a_mail_nobody_wants_any_more_does_not_leave(server: Handler) -> None:
    too_late = enqueue(not_after=timezone.now())
    cancelled = enqueue()
    Registration.objects.filter(deliveries=cancelled).update(status="cancelled")
    no_event = [
        enqueue(registration=make_registration(make_event(status=status))) for status in ("cancelled", "postponed")
    ]
    outbox.drain()
    states = [Delivery.objects.get(pk=delivery.pk).state for delivery in (too_late, cancelled, *no_event)]
    assert states == ["expired", "cancelled", "cancelled", "cancelled"]
    assert server.received == []


def test_a_mail_of_an_event_put_back_to_draft_waits_for_it(server: Handler) -> None:
    delivery = enqueue(registration=make_registration(make_event(report=False, status="draft")))
    others = enqueue()
    outbox.drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("pending", "l’événement est un brouillon")
    assert Delivery.objects.get(pk=others.pk).state == "sent"

    Event.objects.update(status="published")
    Delivery.objects.update(send_at=timezone.now())
    assert after_a_drain(delivery).state == "sent"


def test_success_is_written_down_even_when_the_database_was_away(
    server: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = enqueue()
    record_sent, problems = Delivery.record_sent, [OperationalError("database is locked")] * 3

    def sometimes(self: Delivery) -> None:
        if problems:
            raise problems.pop()
        record_sent(self)

    monkeypatch.setattr(Delivery, "record_sent", sometimes)
    monkeypatch.setattr(outbox, "RECORD_EVERY", 0)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction lives in it
    assert after_a_drain(delivery).state == "sent"
    assert len(server.received) == 1


def test_a_stop_lets_the_mail_in_hand_leave_and_no_other(server: Handler) -> None:
    enqueue()
    enqueue()
    outbox.drain(stop=lambda: bool(server.received))
    assert len(server.received) == 1
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["pending", "sent"]


def test_the_sweep_makes_up_for_lost_wake_ups_but_never_floods() -> None:
    wakeups.sweep()
    assert DBTaskResult.objects.count() == 0
    for _ in range(6):
        enqueue()
    for _ in range(3):
        wakeups.sweep()
    assert DBTaskResult.objects.ready().count() == 4


def test_a_drain_under_a_load_that_does_not_end_makes_way_for_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    mails = [enqueue() for _ in range(3)]
    moments = iter([100.0, 100.0, 100.0 + wakeups.DRAIN_AT_MOST])
    monkeypatch.setattr("registrations.mailing.wakeups.time", SimpleNamespace(monotonic=moments.__next__))
    wakeups.send_for_a_while()
    assert Delivery.objects.filter(state="sent").count() == 1
    wakeups.sweep()
    assert DBTaskResult.objects.ready().count() == len(mails) - 1


def test_a_worker_that_finds_many_mails_wakes_another_up(server: Handler) -> None:
    for _ in range(wakeups.MANY):
        enqueue()
    wakeups.send_for_a_while()
    assert DBTaskResult.objects.ready().count() == 1
    assert len(server.received) == wakeups.MANY
    wakeups.send_for_a_while()
    assert DBTaskResult.objects.ready().count() == 1


def test_a_person_who_is_erased_while_a_mail_is_taken_stops_no_other_mail(
    server: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = enqueue(), enqueue()
    Delivery.objects.filter(pk=other.pk).update(send_at=timezone.now(), priority=5)
    read = _BY_NUMBER.get

    def erased_first(pk: int) -> Delivery:
        if pk == gone.pk:
            Registration.objects.filter(deliveries=gone.pk).delete()
        return read(pk=pk)

    monkeypatch.setattr(_BY_NUMBER, "get", erased_first)
    outbox.drain()
    assert list(Delivery.objects.values_list("pk", "state")) == [(other.pk, "sent")]


def test_one_wake_up_is_enough_for_many_mails() -> None:
    for _ in range(6):
        wakeups.wake_up()
    assert DBTaskResult.objects.ready().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_that_stands_for_a_new_mail_is_taken_by_nobody_before_the_mail_is_there() -> None:
    wakeups.send_due_mail.enqueue()
    event, about_to_commit, mails_seen = make_event(report=False), threading.Event(), list[int]()

    def sign_up() -> None:
        with transaction.atomic():
            enqueue(registration=make_registration(event))
            wakeups.wake_up()
            about_to_commit.set()
            time.sleep(0.3)  # in which PostgreSQL lets the other try; SQLite makes it wait

    def take() -> None:
        about_to_commit.wait()
        with transaction.atomic():
            if DBTaskResult.objects.ready().get_locked() is not None:
                mails_seen.append(Delivery.objects.count())

    assert together([sign_up, take]) == []
    assert together([take]) == []
    assert set(mails_seen) == {1}


def test_the_address_is_the_one_of_the_moment_of_sending(server: Handler) -> None:
    delivery = enqueue()
    Registration.objects.update(email="new@example.org")
    outbox.drain()
    assert server.mails[0]["To"] == "new@example.org"
    assert delivery.recipient == ""


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_mails_and_send_each_once(server: Handler) -> None:
    event = make_event(report=False)
    for _ in range(12):
        enqueue(registration=make_registration(event))
    assert together([outbox.drain] * 3) == []
    assert len({mail["Message-ID"] for mail in server.mails}) == len(server.received) == 12
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
