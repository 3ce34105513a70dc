"""The outbox: which mail leaves, when and once, whatever fails. The SMTP server is a real one, on this machine."""

import threading
import time
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from registrations.mailing import claims, outbox, wakeups
from registrations.mailing.claims import _DELIVERY, LEASE
from registrations.models import Delivery, Event, Registration
from tests.factories import make_event, make_registration
from tests.mailing.queued_mails import MINUTE, after_a_drain, enqueue
from tests.smtp import Handler
from tests.threads import together

pytestmark = pytest.mark.django_db


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


def test_a_claimed_mail_is_nobody_elses_until_its_lease_ends() -> None:
    delivery = enqueue()
    claimed = claims.claim()
    assert claimed == delivery
    assert claims.claim() is None
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("sending", 1)
    assert LEASE - MINUTE < delivery.send_at - timezone.now() <= LEASE

    Delivery.objects.update(send_at=timezone.now())
    again = claims.claim()
    assert again is not None
    assert (again.attempts, again.worker_crashes) == (2, 1)
    assert again.lease != claimed.lease


def test_a_late_failure_of_a_lost_holder_changes_nothing_but_its_success_does() -> None:
    enqueue()
    lost = claims.claim()
    Delivery.objects.update(send_at=timezone.now())
    holder = claims.claim()
    assert lost is not None
    assert holder is not None

    claims.record_retry(lost, after=MINUTE, error="late", counts=True, obstacle=Delivery.Obstacle.MAIL)
    claims.record_end(lost, Delivery.State.FAILED, "late")
    assert Delivery.objects.get().lease == holder.lease

    claims.record_sent(lost)
    assert Delivery.objects.get().state == "sent"
    claims.record_end(holder, Delivery.State.FAILED, "too late")
    assert Delivery.objects.get().state == "sent"


def test_a_mail_that_kills_its_worker_five_times_fails_and_is_shown(server: Handler) -> None:
    delivery = enqueue()
    for _ in range(5):
        claims.claim()  # and the worker is never heard of again
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
    assert (delivery.state, delivery.error) == ("pending", "le webinaire est un brouillon")
    assert Delivery.objects.get(pk=others.pk).state == "sent"

    Event.objects.update(status="published")
    Delivery.objects.update(send_at=timezone.now())
    assert after_a_drain(delivery).state == "sent"


def test_success_is_written_down_even_when_the_database_was_away(
    server: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = enqueue()
    record_sent, problems = claims.record_sent, [OperationalError("database is locked")] * 3

    def sometimes(delivery: Delivery) -> None:
        if problems:
            raise problems.pop()
        record_sent(delivery)

    monkeypatch.setattr(claims, "record_sent", sometimes)
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
    read = _DELIVERY.get

    def erased_first(pk: int) -> Delivery:
        if pk == gone.pk:
            Registration.objects.filter(deliveries=gone.pk).delete()
        return read(pk=pk)

    monkeypatch.setattr(_DELIVERY, "get", erased_first)
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
        try:
            with transaction.atomic():
                enqueue(registration=make_registration(event))
                wakeups.wake_up()
                about_to_commit.set()
                time.sleep(0.3)  # in which PostgreSQL lets the other try; SQLite makes it wait
        finally:
            about_to_commit.set()

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
