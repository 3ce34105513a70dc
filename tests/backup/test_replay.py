"""What people decided about themselves holds, whatever backup is restored: the erasure journal tells it again."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from registrations.backup import replay
from registrations.backup.replay import Replayed
from registrations.domain import corrections, decisions, erasure, erasure_journal, signup
from registrations.domain.erasure_journal import Word
from registrations.mailing import outbox
from registrations.models import AnonymousRegistration, Delivery, Event, Registration
from registrations.spreadsheets import newsletter
from tests import mailbox
from tests.admin_client import PEOPLE, logged_in
from tests.conftest import Committed
from tests.factories import answers, make_event, make_registration
from tests.threads import together

pytestmark = pytest.mark.django_db

ZOE = "zoe@example.org"


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


class Backup:
    """People and their mails as they are now, to be put in place of what they are later."""

    def __init__(self) -> None:
        self.people = list(Registration.objects.values())
        self.mails = list(Delivery.objects.values())

    def restore(self, **options: Any) -> Replayed:
        self.put_in_place()
        return replay.replay([erasure_journal.path()], **{"backup_at": timezone.now(), **options})

    def put_in_place(self) -> None:
        Delivery.objects.all().delete()
        Registration.objects.all().delete()
        for row in self.people:
            Registration.objects.create(**row)
        Delivery.objects.bulk_create(Delivery(**row) for row in self.mails)


def sign_up(event: Event | None = None, **typed: Any) -> Registration:
    return signup.register(event or make_event(), language="fr", **answers(**typed)).registration


def now_of(registration: Registration) -> Registration:
    return Registration.objects.get(pk=registration.pk)


def statuses() -> list[str]:
    return list(Registration.objects.order_by("pk").values_list("status", flat=True))


def mails(**wanted: Any) -> list[tuple[str, str]]:
    return list(Delivery.objects.filter(**wanted).order_by("pk").values_list("kind", "state"))


def readers(event: Event) -> list[str]:
    return list(newsletter.subscribers(event).values_list("email", flat=True))


# Withdrawn, and back


def test_who_withdrew_since_the_backup_gets_no_reminder_and_is_not_told_again() -> None:
    registration = sign_up()
    backup = Backup()
    signup.withdraw(registration)
    withdrawn = now_of(registration)
    assert backup.restore() == Replayed(withdrawn=1)
    again = now_of(registration)
    assert again.is_cancelled
    assert again.cancelled_at
    assert withdrawn.cancelled_at
    assert abs(again.cancelled_at - withdrawn.cancelled_at) < timedelta(seconds=1)
    assert again.calendar_sequence >= withdrawn.calendar_sequence
    assert mails() == [(kind, "cancelled") for kind in ("confirmation", "reminder_day", "reminder_hour")]


def test_who_came_back_stays_and_no_calendar_falls_back(committed: Committed) -> None:
    registration = sign_up()
    backup = Backup()
    signup.withdraw(registration)
    with committed():
        signup.come_back(registration)
    returned = now_of(registration)
    assert backup.restore() == Replayed()
    assert statuses() == ["confirmed"]
    assert now_of(registration).calendar_sequence >= returned.calendar_sequence


def test_who_signed_up_again_stays_too(committed: Committed) -> None:
    registration = sign_up(email=ZOE)
    backup = Backup()
    signup.withdraw(registration)
    with committed():
        sign_up(registration.event, email=ZOE)
    assert backup.restore() == Replayed()


def test_who_came_back_and_withdrew_once_more_is_withdrawn_and_later_mails_reach_the_calendar(
    committed: Committed, outbox_folder: Path
) -> None:
    registration = sign_up(email=ZOE)
    backup = Backup()
    for _ in range(2):
        signup.withdraw(registration)
        with committed():
            signup.come_back(registration)
    signup.withdraw(registration)
    outbox.drain()
    told = sequence_in(mailbox.read_folder(outbox_folder)[-1])
    assert backup.restore() == Replayed(withdrawn=1)
    signup.come_back(now_of(registration))
    outbox.drain()
    assert sequence_in(mailbox.read_folder(outbox_folder)[-1]) > told


def sequence_in(message: Any) -> int:
    lines = mailbox.part(message, "text/calendar").decode().splitlines()
    [sequence] = [line.partition(":")[2] for line in lines if line.startswith("SEQUENCE:")]
    return int(sequence)


def test_whom_the_team_has_taken_off_the_list_stays_off_and_who_left_the_line_too() -> None:
    event = make_event(capacity=1)
    _seated, waiting = sign_up(event), sign_up(event)
    backup = Backup()
    signup.withdraw(waiting)
    assert backup.restore() == Replayed(withdrawn=1)
    assert statuses() == ["confirmed", "cancelled"]


def test_what_the_backup_knows_is_not_done_again(committed: Committed) -> None:
    registration = sign_up()
    signup.withdraw(registration)
    backup = Backup()
    with committed():
        signup.come_back(registration)
    assert backup.restore() == Replayed()
    assert mails(kind="withdrawn") == [("withdrawn", "pending")]


def test_a_withdrawal_that_was_undone_by_an_outage_long_before_the_backup_is_none() -> None:
    leaving, failed = sign_up(), sign_up()
    signup.withdraw(leaving)
    decisions.note(failed, Word.WITHDRAWN)
    backup, now = Backup(), timezone.now()
    assert backup.restore(backup_at=now + timedelta(hours=2)) == Replayed()
    assert statuses() == ["cancelled", "confirmed"]
    assert backup.restore(backup_at=now) == Replayed(withdrawn=1)  # it may have been committed since


def test_a_second_restore_finds_nothing_to_do() -> None:
    registration = sign_up(newsletter=True)
    backup = Backup()
    corrections.correct_answers(registration, newsletter=False)
    signup.withdraw(registration)
    assert backup.restore() == Replayed(withdrawn=1, unsubscribed=1)
    assert replay.replay([erasure_journal.path()], backup_at=timezone.now()) == Replayed()


# The seat of who withdrew


def test_the_seat_goes_to_the_first_in_line_once_and_the_mail_that_says_so_is_held_back(outbox_folder: Path) -> None:
    event = make_event(capacity=1)
    first, second, third = (sign_up(event, email=f"{name}@example.org") for name in ("a", "b", "c"))
    outbox.drain()
    backup = Backup()
    signup.withdraw(first)
    outbox.drain()
    assert backup.restore() == Replayed(withdrawn=1, promoted=1)
    assert statuses() == ["cancelled", "confirmed", "waitlisted"]
    assert mails(registration=second, kind="promoted") == [("promoted", "held")]
    assert mails(registration=second, kind="reminder_day") == [("reminder_day", "pending")]
    before = len(mailbox.read_folder(outbox_folder))
    outbox.drain()
    assert len(mailbox.read_folder(outbox_folder)) == before
    assert mails(registration=third) == [("waiting_list", "sent")]


def test_who_left_the_line_meanwhile_is_not_given_the_seat() -> None:
    event = make_event(capacity=1)
    first, second, _third = sign_up(event), sign_up(event), sign_up(event)
    backup = Backup()
    signup.withdraw(second)
    signup.withdraw(first)
    assert backup.restore() == Replayed(withdrawn=2, promoted=1)
    assert statuses() == ["cancelled", "cancelled", "confirmed"]


def test_the_seat_of_who_is_erased_again_goes_to_the_line_too() -> None:
    event = make_event(capacity=1)
    first, _second = sign_up(event), sign_up(event)
    backup = Backup()
    erasure.disown(first)
    assert backup.restore() == Replayed(erased=1, promoted=1)
    assert statuses() == ["confirmed"]


def test_the_operator_may_risk_that_the_mail_leaves_twice() -> None:
    event = make_event(capacity=1)
    first, second = sign_up(event), sign_up(event)
    backup = Backup()
    signup.withdraw(first)
    assert backup.restore(mails=Delivery.State.PENDING).promoted == 1
    assert mails(registration=second, kind="promoted") == [("promoted", "pending")]


def test_a_seat_that_is_free_for_another_reason_stays_free() -> None:
    event = make_event(capacity=1)
    make_registration(event, status=Registration.Status.WAITLISTED)
    leaving = sign_up()
    backup = Backup()
    signup.withdraw(leaving)
    assert backup.restore() == Replayed(withdrawn=1)
    assert statuses() == ["waitlisted", "cancelled"]


# An erasure that was asked for


@pytest.mark.parametrize("had_withdrawn", [False, True])
def test_who_had_asked_to_be_erased_is_erased_and_nothing_is_left_to_wait_for(had_withdrawn: bool) -> None:
    registration = sign_up(question="Pourquoi ?")
    if had_withdrawn:
        signup.withdraw(registration)
    backup = Backup()
    erasure.ask_for_erasure(registration)
    assert backup.restore() == Replayed(erased=1)
    assert (Registration.objects.count(), mails()) == (0, [])
    assert [row.status for row in AnonymousRegistration.objects.all()] == ["cancelled"]  # as the erasure left it


def test_who_has_signed_up_again_meanwhile_stays(committed: Committed) -> None:
    registration = sign_up(email=ZOE, newsletter=True)
    backup = Backup()
    erasure.ask_for_erasure(registration)
    with committed():
        sign_up(registration.event, email=ZOE)
    assert backup.restore() == Replayed(unsubscribed=1)
    assert statuses() == ["confirmed"]
    assert readers(registration.event) == []


def test_an_erasure_that_the_backup_knows_waits_for_its_mail_as_before() -> None:
    registration = sign_up()
    erasure.ask_for_erasure(registration)
    backup = Backup()
    assert backup.restore() == Replayed()
    assert now_of(registration).erase_by == backup.people[0]["erase_by"]


# The newsletter


def correct(registration: Registration, client: Client, newsletter: bool) -> None:
    corrections.correct_answers(registration, newsletter=newsletter)


def sign_up_again(registration: Registration, client: Client, newsletter: bool) -> None:
    signup.withdraw(now_of(registration))
    sign_up(registration.event, email=registration.email, newsletter=newsletter)


def ask_the_team(registration: Registration, client: Client, newsletter: bool) -> None:
    page = client.get(f"{PEOPLE}{registration.pk}/change/")
    form = page.context["adminform"].form
    typed = {bound.name: bound.value() for bound in form if bound.value()} | {"newsletter": newsletter or ""}
    parts = {f"{part}-{count}_FORMS": 0 for part in ("attendances", "deliveries") for count in ("TOTAL", "INITIAL")}
    sent = client.post(f"{PEOPLE}{registration.pk}/change/", {**typed, **parts})
    assert sent.status_code == 302, sent.context["errors"]


@pytest.mark.parametrize("how", [correct, sign_up_again, ask_the_team])
def test_a_consent_that_was_taken_back_stays_so_unless_it_was_given_again(
    how: Callable[[Registration, Client, bool], None], committed: Committed
) -> None:
    registration = sign_up(email=ZOE, newsletter=True)
    client = logged_in()
    backup = Backup()
    with committed():
        how(registration, client, False)
    assert backup.restore() == Replayed(unsubscribed=1)
    assert readers(registration.event) == []
    assert (now_of(registration).newsletter_at, now_of(registration).newsletter_words) == (None, "")

    with committed():
        how(registration, client, True)
    assert backup.restore() == Replayed()
    assert readers(registration.event) == [ZOE]


def test_a_consent_given_after_the_last_word_that_this_journal_knows_holds() -> None:
    registration = sign_up(email=ZOE, newsletter=True)
    corrections.correct_answers(registration, newsletter=False)
    corrections.correct_answers(registration, newsletter=True)  # its word is lost: a test's transaction never ends
    assert Backup().restore() == Replayed()
    assert readers(registration.event) == [ZOE]


# The whole


def test_the_command_tells_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    event = make_event(capacity=1)
    first, _second = sign_up(event, newsletter=True), sign_up(event)
    backup = Backup()
    corrections.correct_answers(first, newsletter=False)
    signup.withdraw(first)
    backup.put_in_place()
    call_command("replay_erasures")
    assert "Withdrawn again: 0\n" in capsys.readouterr().out  # it may never have taken place
    call_command("replay_erasures", "--backup-at", timezone.now().isoformat())
    assert capsys.readouterr().out.splitlines() == [
        "Erased again: 0",
        "Left alone again: 0",
        "Withdrawn again: 1",
        "Consents taken back again: 1",
        "Wishes about mails kept again: 0",
        "Seats given to who waited: 1",
        "Mails held back: 1; the desk shows them, and lets them leave",
    ]


def test_who_has_gone_meanwhile_is_passed_over() -> None:
    registration = sign_up()
    signup.withdraw(registration)
    decided = [one for _event, one in replay._decided([erasure_journal.path()], erasure_journal.ALWAYS)]
    registration.delete()
    assert [replay._again(one) for one in decided] == [[]]


@pytest.mark.django_db(transaction=True)
def test_visitors_who_go_on_meanwhile_neither_stop_a_replay_nor_get_a_seat_of_others() -> None:
    event = make_event(capacity=3, report=False)
    people = [sign_up(event, email=f"{number}@example.org") for number in range(6)]
    backup = Backup()
    for registration in people[:2]:
        signup.withdraw(registration)
    backup.put_in_place()
    acts: list[Callable[[], object]] = [
        partial(replay.replay, [erasure_journal.path()], backup_at=timezone.now()),
        partial(signup.withdraw, people[2]),
        partial(signup.withdraw, people[0]),
        partial(sign_up, event, email="new@example.org"),
        partial(sign_up, event, email="0@example.org"),
    ]
    assert together(acts) == []
    assert Registration.objects.seated().count() == 3
    assert now_of(people[1]).is_cancelled
    assert now_of(people[2]).is_cancelled
    line = Registration.objects.filter(status="waitlisted").values_list("email", flat=True)
    assert not {"3@example.org", "4@example.org"} & set(line)
    promoted = Delivery.objects.filter(kind="promoted", created_at__lte=timezone.now())
    assert len({mail.registration_id for mail in promoted}) == promoted.count()
