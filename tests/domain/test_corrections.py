"""What a registrant puts right: the answers, and the address."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from registrations.domain import corrections, signup
from registrations.mailing import outbox
from registrations.models import Delivery, Event, Registration, Suppression
from tests import mailbox
from tests.factories import answers, make_event
from tests.threads import together

pytestmark = pytest.mark.django_db


def sign_up(event: Event | None = None, email: str = "old@x.fr", **typed: Any) -> Registration:
    return signup.register(event or make_event(), language="en", **answers(email=email, **typed)).registration


def mails(registration: Registration, *but: str) -> list[tuple[str, str, str]]:
    """Kind, reason and state of the mails to a registrant, without reminders."""
    rows = registration.deliveries.exclude(kind__in=["reminder_day", "reminder_hour", *but])
    return list(rows.order_by("pk").values_list("kind", "reason", "state"))


def subjects(folder: Path) -> list[tuple[str, str]]:
    """Recipient and first words of every mail so far."""
    outbox.drain()
    return [(message["To"], message["Subject"].partition(":")[0]) for message in mailbox.read_folder(folder)]


def asked(registration: Registration, email: str = "new@x.fr") -> Registration:
    corrections.ask_for_address(registration, email=email)
    registration.refresh_from_db()
    return registration


# the answers


def test_corrected_answers_are_written_and_told_once_for_several_in_a_row() -> None:
    registration = sign_up()
    assert corrections.correct_answers(registration, organisation="Ville d’Ici")
    assert corrections.correct_answers(registration, job_title="Maire", newsletter=True)
    registration.refresh_from_db()
    assert (registration.organisation, registration.job_title, registration.newsletter) == ("Ville d’Ici", "Maire", 1)
    assert mails(registration, "confirmation") == [("updated", "", "pending")]

    outbox.drain()
    corrections.correct_answers(registration, organisation="Ville de Là")
    assert mails(registration, "confirmation") == [("updated", "", "sent"), ("updated", "", "pending")]


def test_answers_that_are_the_same_are_told_to_nobody() -> None:
    registration = sign_up()
    assert not corrections.correct_answers(registration, **corrections.answers(registration))
    assert mails(registration) == [("confirmation", "new", "pending")]


def test_corrected_answers_touch_neither_the_calendar_nor_the_links() -> None:
    registration = sign_up()
    before = (registration.uid, registration.calendar_sequence, registration.join_code, registration.manage_code)
    corrections.correct_answers(registration, first_name="Zoé")
    registration.refresh_from_db()
    after = (registration.uid, registration.calendar_sequence, registration.join_code, registration.manage_code)
    assert after == before


# another address


def test_another_address_is_asked_first_and_nothing_changes_before_it_answers(outbox_folder: Path) -> None:
    registration = asked(sign_up())
    assert (registration.email, registration.new_email) == ("old@x.fr", "new@x.fr")
    assert subjects(outbox_folder)[1:] == [("new@x.fr", "Confirm your address")]
    check = mailbox.read_folder(outbox_folder)[1]
    everything = mailbox.text(check) + mailbox.html(check)
    assert registration.new_address_url in everything
    for secret in (registration.join_code, registration.manage_code, registration.first_name):
        assert secret not in everything


def test_once_confirmed_the_old_address_is_told_and_the_new_one_gets_everything(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    corrections.confirm_address(asked(registration))
    registration.refresh_from_db()
    assert (registration.email, registration.new_email, registration.new_email_code) == ("new@x.fr", "", None)
    assert subjects(outbox_folder)[1:] == [
        ("old@x.fr", "Your address was changed"),
        ("new@x.fr", mailbox.read_folder(outbox_folder)[-1]["Subject"].partition(":")[0]),
    ]
    to_old, to_new = mailbox.read_folder(outbox_folder)[1:]
    assert "n…@x.fr" in mailbox.text(to_old)
    assert "new@x.fr" not in mailbox.text(to_old) + mailbox.html(to_old)
    assert "METHOD:REQUEST" in mailbox.part(to_new, "text/calendar").decode()
    assert "ATTENDEE" in mailbox.part(to_new, "text/calendar").decode()
    assert registration.join_url in mailbox.text(to_new)
    assert mails(registration)[1:] == [
        ("address_check", "", "cancelled"),
        ("address_changed", "invited", "sent"),
        ("confirmation", "corrected", "sent"),
    ]


def test_a_second_click_changes_nothing_more() -> None:
    registration = asked(sign_up())
    corrections.confirm_address(registration)
    before = mails(registration)
    corrections.confirm_address(registration)
    assert mails(registration) == before


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_change_the_address_once() -> None:
    registration = asked(sign_up())
    assert together([partial(corrections.confirm_address, registration) for _ in range(6)]) == []
    assert registration.deliveries.filter(kind="address_changed").count() == 1
    assert Registration.objects.get().email == "new@x.fr"


def test_reminders_follow_the_address(outbox_folder: Path) -> None:
    registration = sign_up()
    corrections.confirm_address(asked(registration))
    Delivery.objects.filter(kind="reminder_hour").update(send_at=registration.created_at)
    recipients = {to for to, subject in subjects(outbox_folder) if subject.startswith("At ")}
    assert recipients == {"new@x.fr"}


def test_an_address_with_a_registration_of_its_own_is_asked_like_any_other(outbox_folder: Path) -> None:
    event = make_event()
    registration, other = sign_up(event), sign_up(event, "other@x.fr")
    asked(registration, "OTHER@x.fr")
    assert registration.new_email == "OTHER@x.fr"
    assert subjects(outbox_folder)[2:] == [("OTHER@x.fr", "Confirm your address")]
    assert mails(other) == [("confirmation", "new", "sent")]


def test_an_address_that_was_taken_meanwhile_stays_with_its_owner() -> None:
    event = make_event()
    registration = asked(sign_up(event), "other@x.fr")
    sign_up(event, "Other@x.fr")
    before = mails(registration)
    with pytest.raises(corrections.AddressTaken):
        corrections.confirm_address(registration)
    registration.refresh_from_db()
    assert registration.email == "old@x.fr"
    assert mails(registration) == before


def test_ones_own_address_is_nothing_to_confirm() -> None:
    registration = asked(sign_up(), "OLD@x.fr")
    assert registration.new_email == ""
    assert mails(registration) == [("confirmation", "new", "pending")]


def test_a_second_wish_takes_the_place_of_the_first(outbox_folder: Path) -> None:
    registration = asked(sign_up(), "first@x.fr")
    first_code = registration.new_email_code
    asked(registration, "second@x.fr")
    assert registration.new_email_code != first_code
    assert [to for to, _subject in subjects(outbox_folder)[1:]] == ["second@x.fr"]


def test_a_check_that_could_not_leave_at_once_never_brings_the_code_of_a_later_wish(outbox_folder: Path) -> None:
    """The first try met a full mailbox while the registrant was already typing another address."""
    registration = asked(sign_up(), "first@x.fr")
    first = registration.deliveries.get(kind="address_check")
    Delivery.objects.filter(pk=first.pk).update(state="sending")
    asked(registration, "second@x.fr")
    Delivery.objects.filter(pk=first.pk).update(state="pending")
    assert [to for to, _subject in subjects(outbox_folder)[1:]] == ["second@x.fr"]
    first.refresh_from_db()
    assert first.state == "cancelled"
    assert first.error


def test_a_refused_address_is_left_alone_for_ever(outbox_folder: Path) -> None:
    registration = asked(sign_up())
    outbox.drain()
    corrections.refuse_address(registration)
    registration.refresh_from_db()
    assert (registration.email, registration.new_email, registration.new_email_code) == ("old@x.fr", "", None)
    assert Suppression.objects.of_address("New+tag@x.fr").exists()

    asked(registration)
    assert [to for to, _subject in subjects(outbox_folder)] == ["old@x.fr", "new@x.fr"]


def test_who_has_withdrawn_may_still_change_the_address(outbox_folder: Path) -> None:
    registration = sign_up()
    signup.withdraw(registration)
    asked(registration)
    assert ("new@x.fr", "Confirm your address") in subjects(outbox_folder)
    corrections.confirm_address(registration)
    assert ("old@x.fr", "Your address was changed") in subjects(outbox_folder)


def test_the_old_address_is_told_even_when_a_withdrawal_follows_at_once(outbox_folder: Path) -> None:
    """Someone else has opened the link, changes the address and withdraws: the owner must hear of it."""
    registration = sign_up()
    corrections.confirm_address(asked(registration))
    signup.withdraw(registration)
    assert ("old@x.fr", "Your address was changed") in subjects(outbox_folder)
