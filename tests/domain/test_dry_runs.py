"""A dry run: the whole way of a registrant, for an organiser."""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from registrations.domain import (
    dry_runs,
    erasure,
    event_changes,
    signup,
    waiting_list,
)
from registrations.mailing import outbox, reminders
from registrations.models import (
    Delivery,
    Event,
    Registration,
    Suppression,
)
from registrations.models.dry_run_moment import Moment
from registrations.models.mail_kinds import SCHEDULED
from tests import mailbox
from tests.admin_client import EVENTS, logged_in
from tests.domain.dry_runs import TYPED, start
from tests.factories import answers, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db


def page_of(event: Event) -> str:
    return f"{EVENTS}{event.pk}/trial/"


def mails(folder: Path) -> list[EmailMessage]:
    outbox.drain()
    return mailbox.read_folder(folder)


def method_of(message: EmailMessage) -> list[str]:
    lines = mailbox.calendar_lines(mailbox.part(message, "application/ics"))
    return [line for line in lines if line.startswith(("METHOD", "SEQUENCE"))]


# The way of a registrant


@pytest.mark.typesetting
@pytest.mark.parametrize("status", ["draft", "published"])
def test_the_whole_confirmation_leaves_even_for_a_draft(status: str, outbox_folder: Path) -> None:
    event = make_event(status=status)
    client = logged_in()
    client.post(page_of(event), TYPED)
    [message] = mails(outbox_folder)
    trial = dry_runs.of_event(event).get()
    assert message["To"] == "odile@example.org"
    assert message["Subject"].startswith("[Essai] Inscription confirmée")
    assert mailbox.text(message).startswith("Ceci est un essai")
    assert "Ceci est un essai" in mailbox.html(message)
    assert mailbox.attachment_names(message) == ["invitation.ics", "presentation-etude.pdf"]
    assert trial.join_url in mailbox.text(message)
    assert method_of(message) == ["METHOD:REQUEST", "SEQUENCE:0"]


def test_who_has_typed_nothing_is_asked_for_it_and_the_account_is_filled_in() -> None:
    client, event = logged_in(), make_event(status="draft")
    assert client.get(page_of(event)).context["form"].initial == {"first_name": "", "last_name": "", "email": ""}
    page = client.post(page_of(event), {})
    assert set(page.context["form"].errors) == set(TYPED)
    assert not Registration.objects.exists()


@pytest.mark.typesetting
def test_the_personal_pages_of_a_draft_open_for_its_trial_alone(client: Client) -> None:
    event = make_event(status="draft")
    trial, other = start(event), make_registration(event)
    assert client.get(event.get_absolute_url()).status_code == 404
    for registration, status in ((trial, 200), (other, 404)):
        for url in (registration.join_url, registration.report_url, registration.manage_url):
            assert client.get(url).status_code == status, url
        assert client.get(f"{registration.join_url}invitation.ics").status_code == status
    assert "La salle ouvre" in client.get(trial.join_url).text
    assert "compte nulle part" in client.get(trial.join_url).text
    event.refresh_from_db()
    assert event.status == "draft"


@pytest.mark.parametrize("status", ["draft", "published"])
def test_the_page_can_be_looked_at_before_during_and_after(client: Client, status: str) -> None:
    event = make_event(status=status)
    before = (event.starts_at, event.ends_at)
    url = start(event).join_url
    shown = {moment.name: client.get(f"{url}?moment={moment}").text for moment in Moment}
    words = {"BEFORE": "La salle ouvre", "OPEN": "Entrer dans la salle", "AFTER": "a eu lieu"}
    for name, text in shown.items():
        assert [found for found, word in words.items() if word in text] == [name]
    answer = client.post(f"{url}?moment={Moment.OPEN}")
    assert (answer.status_code, answer["Location"]) == (303, event.connection_url)
    event.refresh_from_db()
    assert (event.starts_at, event.ends_at) == before


def test_nobody_else_moves_the_clock(client: Client) -> None:
    registration = make_registration()
    assert "Entrer dans la salle" not in client.get(f"{registration.join_url}?moment={Moment.OPEN}").text


@pytest.mark.parametrize("kind", SCHEDULED)
@pytest.mark.parametrize("event_made", [lambda: make_event(status="draft"), make_event, make_past_event])
def test_a_scheduled_mail_leaves_now(kind: Delivery.Kind, event_made: Callable[[], Event]) -> None:
    trial = start(event_made())
    logged_in().post(page_of(trial.event), {"send": f"{kind}:{trial.pk}"})
    outbox.drain()
    delivery = trial.deliveries.get(kind=kind)
    assert (delivery.state, delivery.error) == ("sent", "")


def test_nothing_is_planned_for_a_trial() -> None:
    event = make_event(follow_up_hours_after=24)
    trial = start(event)
    reminders.schedule(event)
    event_changes.postpone(event)
    assert [delivery.kind for delivery in trial.deliveries.all()] == ["confirmation"]


def test_who_is_registered_may_try_too_and_each_keeps_their_own() -> None:
    event = make_event()
    person = make_registration(event, email="Odile@example.org")
    trial = start(event)
    assert list(event.registrations.without_dry_runs()) == [person]
    assert list(dry_runs.of_event(event)) == [trial]
    signup.register(event, **answers(**TYPED))
    assert Registration.objects.count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        make_registration(event, email="ODILE@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_registration(event, email="ODILE@example.org", is_dry_run=True)


def test_a_form_without_the_tick_still_finds_a_known_address() -> None:
    known = make_registration()
    again = Registration(event=known.event, **answers(email=known.email.upper()))
    with pytest.raises(ValidationError, match="déjà inscrite"):
        again.full_clean(exclude=["is_dry_run"])


def test_a_second_start_sends_the_mail_again() -> None:
    event = make_event(status="draft")
    assert start(event) == start(event)
    assert [delivery.reason for delivery in Delivery.objects.order_by("pk")] == ["new", "resent"]


@pytest.mark.parametrize("status", ["postponed", "cancelled"])
def test_there_is_nothing_to_try_of_an_event_that_does_not_take_place(status: str) -> None:
    event = make_event(status=status)
    client = logged_in()
    assert "rien à essayer" in client.post(page_of(event), TYPED).text
    with pytest.raises(signup.SignUpClosed):
        start(event)


# « Mon inscription »


def test_a_trial_withdraws_and_comes_back_without_touching_anyones_seat(outbox_folder: Path) -> None:
    event = make_event(capacity=1)
    waiting = make_registration(event, status="waitlisted")
    waiting_list.promote(event)
    trial = start(event)
    signup.withdraw(trial)
    signup.come_back(trial)
    trial.refresh_from_db()
    waiting.refresh_from_db()
    assert (trial.status, waiting.status) == ("confirmed", "confirmed")
    assert trial.sequence == 2


def test_the_message_comes_again_from_its_own_page_and_not_to_the_person(client: Client) -> None:
    event = make_event(status="draft")
    trial, person = start(event), make_registration(event, email=TYPED["email"])
    client.post(f"{trial.manage_url}renvoyer/")
    assert list(trial.deliveries.order_by("pk").values_list("reason", flat=True)) == ["new", "resent"]
    assert not person.deliveries.exists()


def test_saying_it_was_not_me_does_not_silence_the_organisers_mailbox() -> None:
    trial = start(make_event())
    erasure.disown(trial)
    assert not Registration.objects.exists()
    assert not Suppression.objects.exists()


# The end


@pytest.mark.parametrize("status", ["draft", "published"])
def test_one_button_removes_it_and_takes_the_entry_out_of_the_calendar(status: str, outbox_folder: Path) -> None:
    event = make_event(status=status)
    trial = start(event)
    mails(outbox_folder)
    logged_in().post(page_of(event), {"remove": trial.pk})
    first, last = sorted(mails(outbox_folder), key=lambda message: "In-Reply-To" in message)
    assert method_of(last) == ["METHOD:CANCEL", "SEQUENCE:1"]
    assert last["In-Reply-To"] == first["Message-ID"]
    assert last["Subject"].startswith("[Essai] ")
    erasure.erase_due()
    assert (Registration.objects.count(), Delivery.objects.count()) == (0, 0)


def test_while_its_last_mail_waits_it_cannot_start_anew() -> None:
    event = make_event()
    erasure.ask_for_erasure(start(event))
    page = logged_in().post(page_of(event), TYPED)
    assert list(page.context["form"].errors) == ["email"]
    assert "en cours de suppression" in page.text


def test_after_a_month_it_goes_by_itself() -> None:
    event = make_event()
    kept, old = start(event), start(event, email="ancien@example.org")
    Registration.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    dry_runs.end_old()
    dry_runs.end_old()
    assert [delivery.kind for delivery in old.deliveries.order_by("pk")] == ["confirmation", "erased"]
    assert [delivery.kind for delivery in kept.deliveries.all()] == ["confirmation"]


def test_only_who_may_add_people_tries_and_only_trials_are_touched() -> None:
    event = make_event()
    person = make_registration(event)
    assert logged_in("view_event", "change_event").get(page_of(event)).status_code == 403
    client = Client()
    client.force_login(_member("add_registration", "change_registration"))
    assert client.post(page_of(event), {"remove": person.pk}).status_code == 404
    assert client.post(page_of(event), {"send": f"follow_up:{person.pk}"}).status_code == 404
    assert client.post(page_of(event), {"send": "erased:1"}).status_code == 404
    assert client.post(page_of(event), {"remove": "x"}).status_code == 404


def _member(*permissions: str) -> User:
    user = User.objects.create_user("autre", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user
