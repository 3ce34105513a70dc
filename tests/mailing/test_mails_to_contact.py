"""A kind of mail to the contact address of an event: in all that a mail goes through, it needs no registration.

No kind of the product is one yet: here the follow-up is declared as one, with words of its own.
"""

import dataclasses
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from registrations.domain import dry_runs, duplication, event_changes, retention, signup
from registrations.mailing import composer, outbox, previews, reminders, upcoming
from registrations.models import Delivery, Event, Suppression
from registrations.models.mail_kinds import KINDS, Condition, Kind, Recipient
from tests import factories, mailbox
from tests.admin_client import EVENTS, NO_PARTS, logged_in
from tests.factories import answers, make_past_event, make_registration

pytestmark = pytest.mark.django_db

KIND = Kind.FOLLOW_UP
CONTACT = "contact@example.org"
MINUTE = timedelta(minutes=1)
TXT = (
    "{% partialdef kicker %}{% endpartialdef %}{% partialdef subject %}Merci pour {{ event.title }}{% endpartialdef %}"
    "{% partialdef body %}{% if trial %}{{ trial }}{% endif %}Bonjour {{ event.contact_name }}{% endpartialdef %}"
)


@pytest.fixture(autouse=True)
def kind_to_contact(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings) -> None:
    templates = tmp_path / "templates" / "mail"
    templates.mkdir(parents=True)
    (templates / "follow_up.txt").write_text(TXT, "utf-8")
    (templates / "follow_up.html").write_text("<p>Bonjour {{ event.contact_name }}</p>", "utf-8")
    engine: Any = django_settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [templates.parent, *engine["DIRS"]]}]
    conditions = (Condition.EVENT_STANDS,)
    facts = dataclasses.replace(KINDS[KIND], recipient=Recipient.CONTACT, conditions=conditions)
    monkeypatch.setitem(KINDS, KIND, facts)


def make_event(**fields: Any) -> Event:
    return factories.make_event(follow_up_hours_after=3, **fields)


def schedule(event: Event) -> None:
    with transaction.atomic():
        reminders.schedule(Event.objects.locked(event))


def planned(event: Event) -> Delivery:
    """The mail of an event, due now."""
    schedule(event)
    Delivery.objects.update(send_at=timezone.now() - MINUTE)
    return Delivery.objects.get()


def after_a_drain() -> Delivery:
    outbox.drain()
    return Delivery.objects.get()


def end(delivery: Delivery) -> tuple[str, str]:
    return delivery.state, delivery.error


def test_it_is_planned_once_however_often_the_event_is_saved() -> None:
    event = make_event()
    schedule(event)
    schedule(event)
    delivery = Delivery.objects.get()
    assert (delivery.kind, delivery.event, delivery.registration) == (KIND, event, None)
    assert (delivery.send_at, delivery.priority, delivery.revision) == (event.follow_up_at, KINDS[KIND].priority, 0)


def test_the_database_refuses_the_same_revision_twice() -> None:
    event = make_event()
    schedule(event)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(event=event, kind=KIND, revision=0)


def test_a_sign_up_does_not_plan_it() -> None:
    registration = signup.register(make_event(), language="fr", **answers()).registration
    assert not registration.deliveries.filter(kind=KIND).exists()


def test_it_follows_the_event_to_a_new_date() -> None:
    event = make_event()
    schedule(event)
    week = timedelta(weeks=1)
    event_changes.reschedule(event, starts_at=event.starts_at + week, ends_at=event.ends_at + week)
    event.refresh_from_db()
    assert Delivery.objects.get(kind=KIND).send_at == event.follow_up_at


def test_an_event_that_is_cancelled_drops_it() -> None:
    event = make_event()
    schedule(event)
    event_changes.cancel(event)
    assert end(Delivery.objects.get()) == ("cancelled", "le webinaire a été annulé ou reporté")


def test_it_is_sent_to_the_contact_address_of_that_moment(outbox_folder: Path) -> None:
    event = make_event(title="L’accueil")
    planned(event)
    Event.objects.update(contact_email="nouveau@example.org")
    delivery = after_a_drain()
    assert (delivery.state, delivery.sent_to) == ("sent", "nouveau@example.org")
    [mail] = mailbox.read_folder(outbox_folder)
    assert (mail["To"], mail["Subject"]) == ("nouveau@example.org", "Merci pour L’accueil")
    assert mailbox.text(mail).strip() == "Bonjour Ada Contact"
    assert (mail["Content-Language"], mail["In-Reply-To"]) == ("fr", None)


def test_a_second_one_answers_the_first(outbox_folder: Path) -> None:
    event = make_event()
    first = planned(event)
    outbox.drain()
    Delivery.objects.enqueue_for_event(event, KIND)
    outbox.drain()
    assert mailbox.read_folder(outbox_folder)[-1]["In-Reply-To"] == first.message_id


def test_nothing_is_sent_to_an_address_that_asked_to_be_left_alone() -> None:
    Suppression.objects.add_address(CONTACT)
    planned(make_event())
    delivery = after_a_drain()
    assert end(delivery) == ("cancelled", "la personne qui lit cette boîte a demandé à ne plus rien recevoir")


def test_nothing_is_sent_to_an_address_that_an_earlier_mail_came_back_from() -> None:
    event = make_event()
    planned(event)
    Delivery.objects.update(state="sent", sent_to=CONTACT, provider_status="bounced")
    second = Delivery.objects.enqueue_for_event(event, KIND)
    outbox.drain()
    second.refresh_from_db()
    assert second.state == "cancelled"
    assert second.error.startswith("un courriel précédent est revenu")


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_it_is_obsolete_when_the_event_does_not_take_place(status: str) -> None:
    event = make_event()
    planned(event)
    Event.objects.update(status=status)
    assert end(after_a_drain()) == ("cancelled", "le webinaire a été annulé ou reporté")


def test_it_waits_while_the_event_is_a_draft_again() -> None:
    event = make_event()
    planned(event)
    Event.objects.update(status="draft")
    assert end(after_a_drain()) == ("pending", "le webinaire est un brouillon")


def test_one_that_is_held_after_a_restore_is_not_planned_again_and_leaves_when_let(outbox_folder: Path) -> None:
    event = make_event()
    planned(event)
    assert Delivery.objects.hold() == 1
    schedule(event)
    assert Delivery.objects.get().state == "held"
    assert Delivery.objects.release() == 1
    assert after_a_drain().state == "sent"


def test_the_upcoming_mails_show_it() -> None:
    event = make_event()
    make_registration(event, status="waitlisted")
    schedule(event)
    [line] = [line for line in upcoming.timeline(event) if line.kind == KIND]
    assert (line.to_leave, line.skipped) == (1, [])


def test_the_list_of_mails_shows_it_with_its_event_and_address() -> None:
    event = make_event(short_title="Réseau du soir")
    schedule(event)
    page = logged_in().get(f"/admin/registrations/delivery/?event__id__exact={event.pk}").text
    assert CONTACT in page
    assert "Réseau du soir" in page


def test_it_is_purged_with_the_last_data_of_the_event() -> None:
    event = make_past_event(retention_months=6)
    Delivery.objects.enqueue_for_event(event, KIND)
    retention.purge()
    assert Delivery.objects.count() == 1
    Event.objects.update(starts_at=event.starts_at - timedelta(days=365), ends_at=event.ends_at - timedelta(days=365))
    retention.purge(dry_run=True)
    assert Delivery.objects.count() == 1
    retention.purge()
    assert Delivery.objects.count() == 0


def test_it_goes_with_its_event() -> None:
    event, other = make_event(report=False), make_event(report=False)
    schedule(event)
    schedule(other)
    event.delete()
    assert Delivery.objects.get().event == other


def test_a_duplicate_gets_its_own_once_it_is_published() -> None:
    event = make_event()
    schedule(event)
    duplicate = duplication.duplicate(event)
    assert not Delivery.objects.filter(event=duplicate).exists()
    duplicate.status = Event.Status.PUBLISHED
    duplicate.save()
    schedule(duplicate)
    assert Delivery.objects.get(event=duplicate).send_at == duplicate.follow_up_at


def test_a_new_event_of_the_back_office_plans_it() -> None:
    client = logged_in()
    form = client.get(f"{EVENTS}add/").context["adminform"].form
    values = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    day = timezone.localtime(timezone.now() + timedelta(days=9)).strftime("%d/%m/%Y")
    for name, hour in (("starts_at", "10:00"), ("ends_at", "11:00")):
        values |= {f"{name}_0": day, f"{name}_1": hour}
    values |= dict.fromkeys(["title", "short_title", "slug", "summary", "description"], "neuf")
    values |= dict.fromkeys(["contact_name", "organiser_name", "report_title"], "Ada")
    values |= {"contact_email": CONTACT, "status": "published", "follow_up_hours_after": 3}
    values |= NO_PARTS
    page = client.post(f"{EVENTS}add/", values)
    assert page.status_code == 302, page.context["errors"]
    event = Event.objects.get(slug="neuf")
    assert Delivery.objects.get().send_at == event.follow_up_at


def test_an_event_that_is_loaded_from_a_file_plans_it(tmp_path: Path) -> None:
    source = Path(django_settings.BASE_DIR) / "registrations/fixtures/first_event.toml"
    text = "follow_up_hours_after = 3\n" + source.read_text("utf-8").replace("2025-", "2199-")
    file = tmp_path / "event.toml"
    file.write_text(text, "utf-8")
    call_command("load_event", file, stdout=StringIO())
    event = Event.objects.get()
    assert Delivery.objects.get().send_at == event.follow_up_at


def test_a_dry_run_sends_it_to_who_tries(outbox_folder: Path) -> None:
    event = make_event(status="draft")
    trial = dry_runs.start(event, email="moi@example.org", language="fr", **trial_answers())
    Delivery.objects.all().delete()
    dry_runs.send_now(trial, KIND)
    outbox.drain()
    [mail] = mailbox.read_folder(outbox_folder)
    assert mail["To"] == "moi@example.org"
    assert mailbox.text(mail).startswith("Ceci est un essai")


def trial_answers() -> dict[str, str]:
    return {name: value for name, value in answers().items() if name != "email"}


def test_its_preview_is_what_the_contact_is_sent() -> None:
    event = make_event(status="draft")
    mail = composer.compose(previews.sample_delivery(event, previews.SAMPLES["follow_up"], "fr"))
    assert (mail.to, str(mail.body).strip()) == ([CONTACT], "Bonjour Ada Contact")


def test_its_preview_may_be_tried_out(outbox_folder: Path) -> None:
    dry_runs.send_preview(make_event(), "follow_up", "fr", recipient="moi@example.org")
    outbox.drain()
    [mail] = mailbox.read_folder(outbox_folder)
    assert mail["To"] == "moi@example.org"
    assert mailbox.text(mail).startswith("Ceci est un essai")
