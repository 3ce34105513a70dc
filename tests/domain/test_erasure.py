"""A person's own data: taken away, erased, or never wanted."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from registrations.domain import attendance, corrections, erasure, signup
from registrations.mailing import outbox
from registrations.models import (
    AnonymousRegistration,
    Attendance,
    Delivery,
    Event,
    PurgedCount,
    Registration,
    Suppression,
)
from registrations.statistics import event_figures
from tests import mailbox
from tests.factories import answers, make_event, make_past_event, make_registration
from tests.threads import together

pytestmark = pytest.mark.django_db

INTERNAL = {  # of no person, or a secret that only their mails hold
    "is_dry_run",
    "id",
    "event",
    "sequence",
    "join_code",
    "manage_code",
    "new_email_code",
    "erase_by",
    "figures",  # without a name, for a day
    "came",  # unused: of release 1.3, until 1.5
    "link_was_used",  # for half an hour
    "search",  # repeats name, address and organisation
}
CALLED_OTHERWISE = {"created_at": "registered_at", "new_email": "new_email_to_confirm", "uid": "calendar_uid"}


def sign_up(event: Event | None = None, **typed: Any) -> Registration:
    typed = {"question": "Pourquoi ?", "territory": "Yvelines (78)", "newsletter": True, **typed}
    return signup.register(event or make_event(), language="en", **answers(**typed)).registration


def kinds_and_states() -> list[tuple[str, str]]:
    mails = Delivery.objects.exclude(kind__in=["reminder_day", "reminder_hour"])
    return list(mails.order_by("pk").values_list("kind", "state"))


def test_every_field_of_a_registration_is_exported_or_known_to_be_internal() -> None:
    """A new field is one or the other: decide."""
    fields = {field.name for field in Registration._meta.concrete_fields}
    exported = set(erasure.personal_data(make_registration())["registration"]) - {"kept_until"}
    assert {CALLED_OTHERWISE.get(name, name) for name in fields - INTERNAL} == exported


def test_the_export_holds_what_was_typed_what_was_noted_and_what_was_mailed() -> None:
    registration = sign_up(make_past_event(open_after_session=True), email="zoe@example.org", first_name="Zoë")
    attendance.note(registration, Attendance.Origin.HAND, minutes=80)
    outbox.drain()
    registration.refresh_from_db()

    data = erasure.personal_data(registration)

    assert {name: data["registration"][name] for name in ("first_name", "email", "question", "newsletter")} == {
        "first_name": "Zoë",
        "email": "zoe@example.org",
        "question": "Pourquoi ?",
        "newsletter": True,
    }
    assert data["registration"]["certificate_number"]
    assert [(row["origin"], row["minutes"]) for row in data["attendance"]] == [("hand", 80)]
    assert [(mail["kind"], mail["sent_to"]) for mail in data["mails"]] == [("confirmation", "zoe@example.org")]
    assert registration.manage_code not in str(data)
    assert registration.join_code not in str(data)


def test_erasure_empties_the_answers_at_once_and_the_rest_once_the_mail_has_left(outbox_folder: Path) -> None:
    registration = sign_up(email="zoe@example.org")
    corrections.ask_for_address(registration, email="new@example.org")
    outbox.drain()
    erasure.ask_for_erasure(registration)

    registration.refresh_from_db()
    emptied = ["organisation", "job_title", "territory", "heard_from", "question"]
    assert {name: getattr(registration, name) for name in emptied} == dict.fromkeys(emptied, "")
    assert (registration.own_answers, registration.newsletter) == ({}, False)
    assert (registration.new_email, registration.new_email_code) == ("", None)
    assert registration.is_cancelled
    assert erasure.erase_due() == 0

    outbox.drain()
    assert erasure.erase_due() == 1
    assert (Registration.objects.count(), Delivery.objects.count()) == (0, 0)
    message = mailbox.read_folder(outbox_folder)[-1]
    assert (message["To"], message["Subject"].partition(":")[0]) == ("zoe@example.org", "Your data is erased")
    assert b"METHOD:CANCEL" in mailbox.part(message, "text/calendar")
    assert registration.manage_url not in mailbox.text(message)


def test_a_mail_that_never_leaves_keeps_nothing_longer_than_a_day() -> None:
    registration = sign_up()
    erasure.ask_for_erasure(registration)
    Registration.objects.update(erase_by=timezone.now() - timedelta(seconds=1))
    assert erasure.erase_due() == 1
    assert (Registration.objects.count(), Delivery.objects.count()) == (0, 0)


def test_a_cancellation_still_on_its_way_is_waited_for() -> None:
    """Withdrawn, then erased, while the mailbox is full: the CANCEL for the calendar must not be lost."""
    registration = sign_up()
    outbox.drain()
    signup.withdraw(registration)
    Delivery.objects.filter(kind="withdrawn").update(send_at=timezone.now() + timedelta(minutes=5), attempts=1)
    erasure.ask_for_erasure(registration)
    outbox.drain()
    assert kinds_and_states() == [("confirmation", "sent"), ("withdrawn", "pending"), ("erased", "sent")]
    assert erasure.erase_due() == 0

    Delivery.objects.filter(kind="withdrawn").update(send_at=timezone.now())
    outbox.drain()
    assert erasure.erase_due() == 1


def test_asking_twice_is_asking_once() -> None:
    registration = sign_up()
    erasure.ask_for_erasure(registration)
    erasure.ask_for_erasure(registration)
    assert Delivery.objects.filter(kind="erased").count() == 1


def test_who_asks_for_erasure_gives_the_seat_back() -> None:
    event = make_event(capacity=1)
    registration, waiting = sign_up(event), sign_up(event)
    erasure.ask_for_erasure(registration)
    waiting.refresh_from_db()
    assert waiting.is_seated


def test_who_signs_up_again_before_the_erasure_stays_with_new_answers() -> None:
    registration = sign_up(email="zoe@example.org")
    erasure.ask_for_erasure(registration)
    sign_up(registration.event, email="zoe@example.org", question="Et demain ?")
    outbox.drain()
    assert erasure.erase_due() == 0
    registration.refresh_from_db()
    assert (registration.status, registration.question, registration.erase_by) == ("confirmed", "Et demain ?", None)
    assert ("erased", "cancelled") in kinds_and_states()


def test_what_is_being_erased_is_not_taken_up_again_without_its_answers() -> None:
    registration = sign_up()
    erasure.ask_for_erasure(registration)
    with pytest.raises(signup.SignUpClosed):
        signup.come_back(registration)


@pytest.mark.django_db(transaction=True)
def test_an_erasure_at_the_moment_of_a_new_sign_up_never_takes_the_new_one() -> None:
    for number in range(6):
        event = make_event(report=False)
        email = f"zoe{number}@example.org"
        registration = sign_up(event, email=email)
        erasure.ask_for_erasure(registration)
        Registration.objects.update(erase_by=timezone.now())
        assert together([partial(sign_up, event, email=email), erasure.erase_due, erasure.erase_due]) == []
        assert Registration.objects.seated().filter(email=email).count() == 1
        Registration.objects.all().delete()


def test_an_erasure_between_two_looks_of_a_new_sign_up_leaves_it_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event(report=False)
    registration = sign_up(event, email="zoe@example.org")
    monkeypatch.setattr(signup._OF_ADDRESS, "first", lambda **_values: erasure.erase(registration))
    assert sign_up(event, email="zoe@example.org").pk != registration.pk
    assert event.registrations.count() == 1


def test_not_me_erases_at_once_tells_nobody_and_leaves_the_mailbox_alone_for_ever(outbox_folder: Path) -> None:
    event = make_event(capacity=1)
    registration, waiting = sign_up(event, email="Zoe.Dupont@gmail.com"), sign_up(event, email="waiting@x.fr")
    erasure.disown(registration)
    waiting.refresh_from_db()
    assert waiting.is_seated
    assert not Registration.objects.filter(pk=registration.pk).exists()

    sign_up(make_event(), email="zoedupont+webinar@gmail.com")
    outbox.drain()
    assert {message["To"] for message in mailbox.read_folder(outbox_folder)} == {"waiting@x.fr"}
    [silenced] = Delivery.objects.filter(registration__email__startswith="zoedupont", state="cancelled")
    assert silenced.error


def test_of_a_silenced_mailbox_only_a_digest_is_kept() -> None:
    erasure.disown(sign_up(email="zoe@example.org"))
    [row] = Suppression.objects.values()
    assert "zoe" not in str(row)
    assert len(row["digest"]) == 64


def test_an_erased_person_leaves_nothing_in_any_table() -> None:
    marks: dict[str, Any] = {
        "email": "marked@example.org",
        "first_name": "Prénom-X",
        "last_name": "Nom-X",
        "organisation": "Ville-X",
    }
    registration = sign_up(**marks)
    attendance.note(registration, Attendance.Origin.JOIN)
    outbox.drain()
    erasure.ask_for_erasure(registration)
    outbox.drain()
    erasure.erase_due()
    everything = [str(list(model.objects.values())) for model in (Registration, Delivery, Attendance, Suppression)]
    assert [mark for mark in marks.values() if any(mark in table for table in everything)] == []


def figures_after(how: Callable[[Registration], Any], **fields: Any) -> list[Any]:
    """Of an event that two people attended, one of whom then goes in this way."""
    event = make_past_event(open_after_session=True)
    for email in ("stays@example.org", "goes@example.org"):
        person = make_registration(
            event,
            email=email,
            organisation="CAF 78",
            job_title="Maire",
            territory="Yvelines (78)",
            heard_from="Autrement",
            created_at=event.starts_at - timedelta(days=9),
            **fields,
        )
        attendance.note(person, Attendance.Origin.JOIN, minutes=80)
    before = event_figures.figures(event)
    how(person)
    outbox.drain()
    erasure.erase_due()
    assert not Registration.objects.filter(email="goes@example.org").exists()
    after = event_figures.figures(event)
    assert (before.signed_up, before.purged) == (2, 0)
    seen = [after.purged, after.by_status, after.by_day, after.presence, after.sections, after.origins]
    return [seen, [1, before.by_status, before.by_day, before.presence, before.sections, before.origins]]


def test_an_erasure_on_request_after_the_session_keeps_the_anonymous_count_as_the_purge_does() -> None:
    seen, expected = figures_after(erasure.ask_for_erasure)
    assert seen == expected
    [row] = AnonymousRegistration.objects.all()
    assert (row.status, row.was_present, row.minutes, row.territory) == ("confirmed", True, 80, "Yvelines (78)")
    counted = PurgedCount.objects.order_by("dimension").values_list("dimension", "group", "present")
    assert list(counted) == [
        ("function", "elected", 1),
        ("organisation_type", "protection", 1),
        ("sign", "join", 1),
    ]


def test_an_erasure_on_request_before_the_session_counts_as_a_withdrawal() -> None:
    registration = sign_up()
    erasure.ask_for_erasure(registration)
    outbox.drain()
    erasure.erase_due()
    [row] = AnonymousRegistration.objects.all()
    assert (row.status, row.was_present, row.territory) == ("cancelled", False, "Yvelines (78)")
    assert not PurgedCount.objects.exists()


def test_who_signs_up_again_before_the_erasure_leaves_no_anonymous_row() -> None:
    registration = sign_up(email="zoe@example.org")
    erasure.ask_for_erasure(registration)
    sign_up(registration.event, email="zoe@example.org")
    outbox.drain()
    erasure.erase_due()
    registration.refresh_from_db()
    assert registration.figures is None
    assert not AnonymousRegistration.objects.exists()


@pytest.mark.parametrize("how", [erasure.disown, erasure.erase_from_list])
def test_a_row_that_should_never_have_been_there_leaves_no_count(how: Callable[[Registration], Any]) -> None:
    how(sign_up())
    assert not AnonymousRegistration.objects.exists()


def test_a_dry_run_that_is_erased_counts_nowhere() -> None:
    registration = make_registration(is_dry_run=True)
    erasure.ask_for_erasure(registration)
    outbox.drain()
    erasure.erase_due()
    assert not Registration.objects.exists()
    assert not AnonymousRegistration.objects.exists()


@pytest.mark.parametrize("people", [1, 8])
def test_looking_for_whom_to_erase_is_one_query_while_there_is_nobody(
    people: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    event = make_event()
    for _ in range(people):
        sign_up(event)
    with django_assert_num_queries(1):
        erasure.erase_due()
