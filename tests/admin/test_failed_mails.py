"""A mail that failed or came back: the first page says so until somebody has dealt with it."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from registrations.domain import signup
from registrations.mailing import outbox
from registrations.models import AuditEntry, Delivery, Registration
from registrations.monitoring import status
from registrations.statistics import dashboard
from tests import mailbox
from tests.admin_client import MAILS, act, logged_in, messages
from tests.factories import answers, make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def signed_up(email: str = "zoe@example.org", **ended: Any) -> Delivery:
    registration = signup.register(make_event(report=False), language="fr", **answers(email=email)).registration
    outbox.drain()
    confirmation = registration.deliveries.get(kind="confirmation")
    Delivery.objects.filter(pk=confirmation.pk).update(**ended)
    return Delivery.objects.get(pk=confirmation.pk)


def failed() -> Delivery:
    return signed_up(state="failed", error="550", sent_at=None)


def returned() -> Delivery:
    return signed_up(provider_status="bounced")


def to_look_at() -> tuple[int, int]:
    found = dashboard.problems().values()
    return sum(one.failed for one in found), sum(one.refused for one in found)


def correct(registration: Registration | None, email: str) -> None:
    assert registration is not None
    registration.email = email
    registration.save()
    signup.send_link(registration, reason=Delivery.Reason.RESENT)
    outbox.drain()


def test_the_alarm_of_a_failed_mail_ends_when_somebody_has_seen_it(organiser: Client) -> None:
    mail = failed()
    assert to_look_at() == (1, 0)
    page = act(organiser, "seen", mail, path=MAILS, confirm=False)
    assert messages(page) == ["1 courriel n’est plus à voir."]
    assert to_look_at() == (0, 0)
    assert not any("failed" in words for words in status.waits_for_somebody())


def test_the_alarm_ends_by_itself_when_the_corrected_address_has_had_its_mail() -> None:
    mail = returned()
    assert to_look_at() == (0, 1)
    correct(mail.registration, "zoe.darcy@example.org")
    assert to_look_at() == (0, 0)


def test_a_mail_of_another_kind_to_the_same_address_ends_no_alarm() -> None:
    mail = failed()
    Delivery.objects.create(
        registration=mail.registration, event=mail.event, kind="updated", state="sent", sent_to="zoe@example.org"
    )
    assert to_look_at() == (1, 0)


def test_a_failed_mail_is_sent_again_with_its_own_message_id(organiser: Client, outbox_folder: Path) -> None:
    mail = failed()
    page = act(organiser, "send_again", mail, path=MAILS)
    assert messages(page) == ["1 courriel est en route."]
    outbox.drain()
    mail.refresh_from_db()
    assert (mail.state, to_look_at()) == ("sent", (0, 0))
    assert [received["Message-ID"] for received in mailbox.read_folder(outbox_folder)][-1] == mail.message_id
    assert AuditEntry.objects.get(action="bulk_mail").detail == {"act": "send_again", "count": 1}


def test_a_reminder_that_came_back_goes_to_the_corrected_address(organiser: Client, outbox_folder: Path) -> None:
    registration = failed().registration
    assert registration is not None
    reminder = registration.deliveries.get(kind="reminder_day")
    Delivery.objects.filter(pk=reminder.pk).update(
        state="sent", sent_to="zoe@example.org", provider_status="bounced", not_after=None
    )
    Registration.objects.filter(pk=registration.pk).update(email="zoe.darcy@example.org")
    act(organiser, "send_again", reminder, path=MAILS)
    outbox.drain()
    assert mailbox.read_folder(outbox_folder)[-1]["To"] == "zoe.darcy@example.org"
    again = registration.deliveries.filter(kind="reminder_day").order_by("pk")
    assert [(one.state, one.sent_to, one.provider_status) for one in again] == [
        ("sent", "zoe@example.org", "bounced"),
        ("sent", "zoe.darcy@example.org", ""),
    ]


def test_a_mail_that_came_back_is_not_sent_to_the_same_address_again(organiser: Client) -> None:
    page = act(organiser, "send_again", returned(), path=MAILS, confirm=False)
    assert messages(page) == ["Rien à renvoyer_: aucun n’a échoué, ou son adresse est encore celle qui a échoué."]


def test_a_failed_mail_goes_to_another_address_and_the_person_keeps_their_own(
    organiser: Client, outbox_folder: Path
) -> None:
    mail = failed()
    page = organiser.post(f"{MAILS}{mail.pk}/send/", {"address": "secretariat@example.org"}, follow=True)
    assert messages(page) == ["En route vers secretariat@example.org."]
    outbox.drain()
    assert [one["To"] for one in mailbox.read_folder(outbox_folder)][-1] == "secretariat@example.org"
    assert Registration.objects.get().email == "zoe@example.org"
    assert to_look_at() == (0, 0)


def test_a_mail_that_has_arrived_is_sent_nowhere_else(organiser: Client) -> None:
    mail = signed_up()
    page = organiser.post(f"{MAILS}{mail.pk}/send/", {"address": "x@example.org"}, follow=True)
    assert page.context["form"].non_field_errors() == ["Ce courriel n’a ni échoué ni été renvoyé."]
    assert Delivery.objects.filter(recipient="x@example.org").count() == 0


def test_a_reader_is_offered_nothing_that_sends() -> None:
    mail = failed()
    reader = logged_in("view_delivery", "view_registration", "view_event")
    page = reader.get(f"{MAILS}{mail.pk}/change/").text
    assert "Envoyer à une autre adresse" not in page
    assert reader.get(f"{MAILS}{mail.pk}/send/").status_code == 403
