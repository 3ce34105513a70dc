"""After a restore: what may have left before waits for the organiser, who lets it leave or gives it up."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.backup import restore
from registrations.domain import erasure
from registrations.mailing import claims, outbox, reminders
from registrations.models import AuditEntry, Delivery, Job, Registration
from tests.admin_client import act, logged_in, messages
from tests.factories import answers, make_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db

MAILS = "/admin/registrations/delivery/"
HOUR = timedelta(hours=1)


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def enqueue(**fields: Any) -> Delivery:
    delivery = Delivery.objects.enqueue(make_registration(make_event(report=False)), Delivery.Kind.CONFIRMATION)
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return Delivery.objects.get(pk=delivery.pk)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_what_was_due_or_in_hand_is_held_and_a_mail_that_is_due_later_is_not(journey: Journey) -> None:
    enqueue()
    enqueue(state="sending", lease="worker.1", send_at=timezone.now() + HOUR)
    enqueue(send_at=timezone.now() + HOUR)
    enqueue(state="sent")
    assert Delivery.objects.hold() == 2
    assert states() == ["held", "held", "pending", "sent"]
    outbox.drain()
    assert journey.mails() == []


def test_the_first_page_leads_to_them(organiser: Client) -> None:
    assert "Une sauvegarde a été restaurée" not in organiser.get("/admin/").text
    enqueue(state="held")
    page = organiser.get("/admin/").text
    assert "Une sauvegarde a été restaurée\u202f: 1\u00a0courriel" in page.replace("\u00a0:", "\u202f:")
    assert f"{MAILS}?state__exact=held" in page


def test_the_organiser_lets_them_leave_with_the_message_id_they_had(organiser: Client, journey: Journey) -> None:
    held, other = enqueue(state="held"), enqueue(state="failed")
    asked = act(organiser, "release", held, other, confirm=False, path=MAILS)
    assert asked.context["sentences"][0].startswith("1\u00a0courriel part maintenant")
    page = act(organiser, "release", held, other, path=MAILS)
    assert messages(page) == ["1 courriel est en route."]
    outbox.drain()
    [mail] = journey.mails()
    assert mail["Message-ID"] == held.message_id
    assert states() == ["sent", "failed"]
    assert AuditEntry.objects.filter(action="bulk_mail").values_list("detail", flat=True).get() == {
        "act": "let_leave",
        "count": 1,
    }


def test_or_gives_them_up_and_the_reason_is_kept(organiser: Client) -> None:
    page = act(organiser, "give_up", enqueue(state="held"), path=MAILS)
    assert messages(page) == ["1_courriel ne partira pas."]
    given_up = Delivery.objects.get()
    assert (given_up.state, given_up.error) == ("cancelled", "abandonné par l’équipe après une restauration")


def test_a_mail_that_is_no_longer_true_does_not_leave_when_let(organiser: Client, journey: Journey) -> None:
    held = enqueue(state="held")
    registration = held.registration
    assert registration
    registration.status, registration.cancelled_at = "cancelled", timezone.now()
    registration.save()
    act(organiser, "release", held, path=MAILS)
    outbox.drain()
    assert journey.mails() == []
    assert states() == ["cancelled"]


def test_nothing_held_among_the_ticked_changes_nothing(organiser: Client) -> None:
    page = act(organiser, "release", enqueue(state="failed"), confirm=False, path=MAILS)
    assert messages(page) == ["Aucun des courriels cochés n’est retenu."]
    assert states() == ["failed"]


def test_who_may_only_look_has_no_such_action() -> None:
    held = enqueue(state="held")
    reader = logged_in("view_delivery", "view_registration", "view_event")
    reader.post(MAILS, {"action": "release", "_selected_action": [held.pk], "index": 0})
    assert "release" not in reader.get(MAILS).text
    assert states() == ["held"]


def test_a_reminder_held_for_this_date_is_not_planned_a_second_time() -> None:
    event = make_event()
    registration = make_registration(event)
    reminders.schedule_for(registration)
    Delivery.objects.update(state="held")
    reminders.schedule(event)
    assert set(states()) == {"held"}


# What the restore itself settles


def test_what_is_owed_and_asked_for_once_the_backup_is_in_place_is_not_held_back() -> None:
    began_at = timezone.now()
    Delivery.objects.enqueue(make_registration(), Delivery.Kind.CONFIRMATION)
    Job.objects.create(kind=Job.Kind.IMPORT, mark="x", asked_by=1)
    assert restore._settle(True, began_at=began_at) == 0
    assert Delivery.objects.get().state == Delivery.State.PENDING
    assert Job.objects.get().state == Job.State.WAITING


@pytest.mark.parametrize(
    ("hold_mails", "states"),
    [(True, ["held", "held", "pending", "held"]), (False, ["pending", "sending", "pending", "held"])],
)
def test_what_was_asleep_is_as_it_was_but_for_what_is_held(hold_mails: bool, states: list[str]) -> None:
    later = timezone.now() + timedelta(hours=1)
    for asleep in (
        {"lease": "pending"},
        {"lease": "sending", "send_at": later},
        {"lease": "pending", "send_at": later},
        {"lease": ""},  # since an earlier restore
    ):
        delivery = Delivery.objects.enqueue(make_registration(), Delivery.Kind.CONFIRMATION)
        Delivery.objects.filter(pk=delivery.pk).update(state="held", **asleep)
    restore._settle(hold_mails, began_at=timezone.now())
    rows = Delivery.objects.order_by("pk").values_list("state", "lease")
    assert list(rows) == [(state, "") for state in states]


def test_a_mail_that_left_before_the_restore_says_nothing_of_the_one_that_has_its_number_now() -> None:
    delivery = Delivery.objects.enqueue(make_registration(), Delivery.Kind.CONFIRMATION)
    in_hand = Delivery.objects.get(pk=delivery.pk)
    Delivery.objects.filter(pk=delivery.pk).update(message_id="<of-another-mail@example.org>")
    claims.record_sent(in_hand)
    assert Delivery.objects.get().state == Delivery.State.PENDING


def test_after_a_restore_no_long_act_goes_on_and_no_import_brings_anybody_back() -> None:
    event = make_event()
    for kind in (Job.Kind.MESSAGE, Job.Kind.IMPORT):
        Job.objects.create(kind=kind, title=kind, event=event, state=Job.State.WAITING, mark=kind, asked_by=1)
    restore._settle(True, began_at=timezone.now())
    [job] = Job.objects.all()
    assert (job.kind, job.state, job.ended_at is None) == (Job.Kind.MESSAGE, Job.State.FAILED, False)
    assert job.error.startswith("Une sauvegarde a été restaurée entre-temps")


def test_after_a_restore_mails_on_trial_are_given_up_and_the_others_wait_for_the_organiser() -> None:
    trial = Registration.objects.create(event=make_event(), is_dry_run=True, **answers())
    for registration in (trial, make_registration()):
        Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION)
    assert restore._settle(True, began_at=timezone.now()) == 1
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["cancelled", "held"]


def test_a_held_mail_that_the_provider_has_delivered_does_not_leave_again() -> None:
    delivery = Delivery.objects.enqueue(make_registration(), Delivery.Kind.CONFIRMATION)
    Delivery.objects.hold()
    Delivery.objects.filter(pk=delivery.pk).note_event(Delivery.ProviderStatus.DELIVERED)
    assert Delivery.objects.release() == 0
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.SENT


def test_whoever_is_being_erased_stays_until_the_held_mail_that_says_so_is_decided() -> None:
    registration = make_registration()
    erasure.ask_for_erasure(registration)
    Delivery.objects.hold()
    erasure.erase_due()
    assert Registration.objects.filter(pk=registration.pk).exists()
