"""Who signs up in the last hour goes into the room from the thank-you page: its mail may take minutes."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from registrations.domain import attendance
from registrations.models import Attendance, Event, Registration
from tests.factories import ROOM, make_event, make_registration
from tests.journey import Journey, without_token
from tests.security.test_who_is_registered import statements

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class MailServerDown(BaseEmailBackend):
    def send_messages(self, email_messages: Any) -> int:
        raise smtplib.SMTPServerDisconnected("down")


def enter(client: Client, event: Event) -> Any:
    return client.post(f"/evenements/{event.slug}/entrer/")


def test_ten_minutes_before_the_start_with_the_mail_server_down_one_still_enters(
    journey: Journey, settings: Any
) -> None:
    settings.MAILERS = {"default": {"BACKEND": f"{__name__}.MailServerDown"}}
    event = make_event(starts_in=10 * MINUTE)
    page = journey.sign_up(event)
    assert journey.mails() == []
    assert "Entrer dans la salle" in page.text
    assert ROOM not in page.text
    assert "form-action 'self' https:;" in page["Content-Security-Policy"]
    answer = enter(journey.client, event)
    assert (answer.status_code, answer["Location"]) == (303, ROOM)


def test_before_the_room_opens_the_page_waits_for_it_by_itself(journey: Journey) -> None:
    event = make_event(starts_in=40 * MINUTE)
    page = journey.sign_up(event)
    assert "Cette page s’ouvrira d’elle-même" in page.text
    assert 9 * 60 < int(page["Refresh"]) <= 10 * 60 + 1  # to « Dans 15 minutes »
    assert enter(journey.client, event)["Location"] == f"/evenements/{event.slug}/merci/"


@pytest.mark.parametrize(("starts_in", "leads"), [(61 * MINUTE, False), (59 * MINUTE, True), (-80 * MINUTE, True)])
def test_the_way_in_is_there_from_an_hour_before_until_the_end(
    journey: Journey, starts_in: timedelta, leads: bool
) -> None:
    page = journey.sign_up(make_event(starts_in=starts_in))
    assert page.context["may_enter"] is leads


def test_a_room_without_a_link_is_awaited(journey: Journey) -> None:
    event = make_event(starts_in=5 * MINUTE, connection_url="")
    page = journey.sign_up(event)
    assert page["Refresh"] == "60"
    assert enter(journey.client, event)["Location"] == f"/evenements/{event.slug}/merci/"


def test_who_is_on_the_waiting_list_does_not_enter(journey: Journey) -> None:
    event = make_event(starts_in=10 * MINUTE, capacity=1)
    make_registration(event)
    page = journey.sign_up(event)
    assert "Entrer dans la salle" not in page.text
    assert enter(journey.client, event)["Location"] == f"/evenements/{event.slug}/merci/"


def test_the_way_in_opens_for_the_browser_that_signed_up_and_no_other(journey: Journey) -> None:
    event = make_event(starts_in=10 * MINUTE)
    journey.sign_up(event)
    assert enter(Client(), event)["Location"] == f"/evenements/{event.slug}/merci/"
    assert enter(journey.client, make_event(starts_in=10 * MINUTE)).status_code == 303


def test_the_way_in_is_closed_with_the_room_and_when_the_event_is_moved(journey: Journey) -> None:
    event = make_event(starts_in=10 * MINUTE)
    journey.sign_up(event)
    later = timezone.now() + timedelta(days=7)
    Event.objects.update(starts_at=later, ends_at=later + 90 * MINUTE)
    assert not journey.client.get(f"/evenements/{event.slug}/merci/").context["may_enter"]
    Event.objects.update(status="cancelled", starts_at=event.starts_at, ends_at=event.ends_at)
    assert enter(journey.client, event)["Location"] == f"/evenements/{event.slug}/merci/"


def visit(status: str) -> tuple[str, list[str], str]:
    """What someone sees who signs up with this address and enters, the statements, and where they are led."""
    event = make_event(starts_in=10 * MINUTE, report=False, slug="le-meme")
    if status:
        make_registration(event, email="zoe@example.org", status=status)
    client = Client()
    journey = Journey(client, None)  # type: ignore[arg-type] # its mails are not read
    page = without_token(journey.sign_up(event, email="zoe@example.org").text)
    with statements() as sent:
        answer = enter(client, event)
    Registration.objects.all().delete()
    event.delete()
    return page, sent, answer["Location"]


@pytest.mark.parametrize("status", ["confirmed", "cancelled"])
def test_an_address_that_was_registered_looks_the_same_and_does_the_same_work(status: str) -> None:
    page, sent, room = visit("")
    assert visit(status) == (page, sent, room)
    assert [one.split()[0] for one in sent].count("INSERT") == 1


def run_tasks() -> None:
    for task in DBTaskResult.objects.filter(task_path=attendance.note_entry.module_path):
        attendance.note_entry.call(*task.args_kwargs["args"])


def test_a_new_registration_that_entered_is_noted_as_present_once(journey: Journey) -> None:
    event = make_event(starts_in=10 * MINUTE)
    journey.sign_up(event)
    enter(journey.client, event)
    enter(journey.client, event)
    assert DBTaskResult.objects.filter(task_path=attendance.note_entry.module_path).count() == 1
    run_tasks()
    [noted] = Attendance.objects.all()
    assert noted.registration == Registration.objects.get()


def test_nobody_is_noted_as_present_by_who_types_their_address(journey: Journey) -> None:
    event = make_event(starts_in=10 * MINUTE)
    make_registration(event, email="known@example.org")
    journey.sign_up(event, email="known@example.org")
    assert enter(journey.client, event)["Location"] == ROOM
    run_tasks()
    assert not Attendance.objects.exists()


def test_the_way_in_needs_its_token() -> None:
    client = Client(enforce_csrf_checks=True)
    assert enter(client, make_event(starts_in=10 * MINUTE)).status_code == 403
