"""After a change of address the old calendar kept an entry that nothing updated."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registrations.domain import erasure, event_changes, signup
from registrations.mailing import outbox
from registrations.models import Registration
from tests import mailbox
from tests.admin_client import logged_in
from tests.calendars import NEW, OLD, Calendars, change_address, has_calendar, last_mail, lines_of, sign_up
from tests.factories import make_event
from tests.journey import Journey

pytestmark = pytest.mark.django_db


def test_after_a_change_of_address_the_old_calendar_is_empty_and_the_new_one_has_an_entry_of_its_own(
    outbox_folder: Path,
) -> None:
    registration = sign_up()
    outbox.drain()
    change_address(registration, NEW)
    entries = Calendars(outbox_folder).entries
    assert entries[OLD] == {}
    assert list(entries[NEW]) == [registration.calendar_uid(NEW)]
    assert registration.calendar_uid(NEW) != registration.calendar_uid(OLD) == registration.uid


def test_two_accounts_in_one_client_do_not_delete_each_other_s_entry(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    change_address(registration, NEW)
    uids = {(lines["METHOD"], lines["UID"]) for lines in Calendars(outbox_folder).objects}
    assert uids == {
        ("REQUEST", registration.uid),
        ("CANCEL", registration.uid),
        ("REQUEST", registration.calendar_uid(NEW)),
    }


def test_who_goes_back_to_the_first_address_finds_the_first_entry_again(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    for email in (NEW, OLD, NEW):
        change_address(registration, email)
        outbox.drain()
    calendars = Calendars(outbox_folder)
    assert calendars.entries[OLD] == {}
    assert list(calendars.entries[NEW]) == [registration.calendar_uid(NEW)]
    assert len({lines["UID"] for lines in calendars.objects}) == 2


def test_a_later_change_of_the_event_reaches_the_new_calendar(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    change_address(registration, NEW)
    outbox.drain()
    event = registration.event
    event_changes.reschedule(
        event, starts_at=event.starts_at + timedelta(days=1), ends_at=event.ends_at + timedelta(days=1)
    )
    calendars = Calendars(outbox_folder)
    assert (calendars.entries[OLD], len(calendars.entries[NEW])) == ({}, 1)


def test_a_withdrawal_before_the_mails_have_left_empties_both_calendars(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    change_address(registration, NEW)
    signup.withdraw(registration)
    assert {to: list(uids) for to, uids in Calendars(outbox_folder).entries.items()} == {OLD: [], NEW: []}


def test_the_old_mailbox_of_someone_in_line_gets_no_calendar_object(outbox_folder: Path) -> None:
    event = make_event(report=False, capacity=1)
    sign_up(event, "assise@example.org")
    waiting = sign_up(event)
    outbox.drain()
    change_address(waiting, NEW)
    assert not has_calendar(last_mail(outbox_folder))


def test_a_mail_that_never_left_needs_no_cancellation(outbox_folder: Path) -> None:
    registration = sign_up()
    change_address(registration, NEW)
    assert registration.first_email == ""
    assert not has_calendar(last_mail(outbox_folder))
    assert list(Calendars(outbox_folder).entries[NEW]) == [registration.uid]


def test_a_sign_up_corrected_on_the_thank_you_page_leaves_the_wrong_calendar(
    outbox_folder: Path, journey: Journey
) -> None:
    event = make_event(report=False)
    journey.sign_up(event, email=OLD, first_name="Zoë")
    outbox.drain()
    journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": NEW})
    entries = Calendars(outbox_folder).entries
    assert (entries[OLD], len(entries[NEW])) == ({}, 1)

    mail = last_mail(outbox_folder)
    registration = Registration.objects.get()
    everything = mail["Subject"] + mailbox.text(mail) + mailbox.html(mail) + str(lines_of(mail))
    for secret in ("Zoë", NEW, "nouvelle", registration.manage_code, registration.join_code, registration.last_name):
        assert secret not in everything
    assert "ce courriel est le dernier" in everything


def test_a_second_correction_of_the_same_sign_up_moves_it_too(outbox_folder: Path, journey: Journey) -> None:
    event = make_event(report=False)
    journey.sign_up(event, email=OLD)
    for email in (NEW, "juste@example.org"):
        outbox.drain()
        journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": email})
    assert Registration.objects.get().email == "juste@example.org"
    entries = Calendars(outbox_folder).entries
    assert {to: len(uids) for to, uids in entries.items()} == {OLD: 0, NEW: 0, "juste@example.org": 1}


def test_a_sign_up_corrected_to_a_known_address_leaves_the_wrong_calendar_and_is_erased(
    outbox_folder: Path, journey: Journey
) -> None:
    event = make_event(report=False)
    known = sign_up(event, NEW)
    journey.sign_up(event, email=OLD)
    outbox.drain()
    journey.client.post(f"/evenements/{event.slug}/corriger/", {"email": NEW})
    entries = Calendars(outbox_folder).entries
    assert (entries[OLD], list(entries[NEW])) == ({}, [known.uid])
    journey.sign_up(event, email=OLD)  # at once, before the mistaken row is deleted
    again = Registration.objects.get(email=OLD)
    assert (again.sequence, again.is_cancelled, again.erase_by) == (0, False, None)
    again.delete()
    erasure.erase_due()
    assert Registration.objects.get() == known


def test_an_address_corrected_in_the_admin_leaves_the_wrong_calendar(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    page = f"/admin/registrations/registration/{registration.pk}/change/"
    client = logged_in()
    form = client.get(page).context["adminform"].form
    typed = {name: form.initial.get(name) or "" for name in form.fields if name != "newsletter"}
    inlines: dict[str, Any] = {}
    for formset in client.get(page).context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        inlines |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    client.post(page, {**typed, **inlines, "email": NEW})
    registration.refresh_from_db()
    assert registration.email == NEW
    entries = Calendars(outbox_folder).entries
    assert (entries[OLD], list(entries[NEW])) == ({}, [registration.calendar_uid(NEW)])
