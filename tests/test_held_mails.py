"""After a restore: what may have left before waits for the organiser, who lets it leave or gives it up."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations import outbox, reminders
from registrations.models import AuditEntry, Delivery
from tests.desk import act, logged_in, messages
from tests.factories import make_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db

MAILS = "/admin/registrations/delivery/"
HOUR = timedelta(hours=1)


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def owe(**fields: Any) -> Delivery:
    delivery = Delivery.objects.owe(make_registration(make_event(report=False)), Delivery.Kind.CONFIRMATION)
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return Delivery.objects.get(pk=delivery.pk)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_what_was_due_or_in_hand_is_held_and_what_the_clock_sends_later_is_not(journey: Journey) -> None:
    owe()
    owe(state="sending", lease="worker.1", due=timezone.now() + HOUR)
    owe(due=timezone.now() + HOUR)
    owe(state="sent")
    assert Delivery.objects.hold() == 2
    assert states() == ["held", "held", "pending", "sent"]
    outbox.drain()
    assert journey.mails() == []


def test_the_first_page_leads_to_them(organiser: Client) -> None:
    assert "Une sauvegarde a été restaurée" not in organiser.get("/admin/").text
    owe(state="held")
    page = organiser.get("/admin/").text
    assert "Une sauvegarde a été restaurée\u202f: 1\u00a0courriel" in page.replace("\u00a0:", "\u202f:")
    assert f"{MAILS}?state__exact=held" in page


def test_the_organiser_lets_them_leave_with_the_message_id_they_had(organiser: Client, journey: Journey) -> None:
    held, other = owe(state="held"), owe(state="failed")
    asked = act(organiser, "let_leave", held, other, confirm=False, path=MAILS)
    assert asked.context["sentences"][0].startswith("1\u00a0courriel part maintenant")
    page = act(organiser, "let_leave", held, other, path=MAILS)
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
    page = act(organiser, "give_up", owe(state="held"), path=MAILS)
    assert messages(page) == ["1_courriel ne partira pas."]
    given_up = Delivery.objects.get()
    assert (given_up.state, given_up.error) == ("cancelled", "abandonné par l’équipe après une restauration")


def test_a_mail_that_is_no_longer_true_does_not_leave_when_let(organiser: Client, journey: Journey) -> None:
    held = owe(state="held")
    registration = held.registration
    assert registration
    registration.status, registration.cancelled_at = "cancelled", timezone.now()
    registration.save()
    act(organiser, "let_leave", held, path=MAILS)
    outbox.drain()
    assert journey.mails() == []
    assert states() == ["cancelled"]


def test_nothing_held_among_the_ticked_changes_nothing(organiser: Client) -> None:
    page = act(organiser, "let_leave", owe(state="failed"), confirm=False, path=MAILS)
    assert messages(page) == ["Aucun des courriels cochés n’est retenu."]
    assert states() == ["failed"]


def test_who_may_only_look_has_no_such_action() -> None:
    held = owe(state="held")
    reader = logged_in("view_delivery", "view_registration", "view_event")
    reader.post(MAILS, {"action": "let_leave", "_selected_action": [held.pk], "index": 0})
    assert "let_leave" not in reader.get(MAILS).text
    assert states() == ["held"]


def test_a_reminder_held_for_this_date_is_not_planned_a_second_time() -> None:
    event = make_event()
    registration = make_registration(event)
    reminders.plan(registration)
    Delivery.objects.update(state="held")
    reminders.replan(event)
    assert set(states()) == {"held"}
