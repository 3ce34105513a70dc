"""A message is planned for an hour: its audience is found then, and it leaves once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.domain import broadcasts
from registrations.models import Broadcast, Delivery, late_mails
from registrations.security import audit
from tests.admin_client import logged_in, with_fresh_password
from tests.domain.broadcasts import TYPED, make_broadcast, page_of, path, sent_to, with_people
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Client:
    return with_fresh_password(logged_in())


def planned(**fields: Any) -> Broadcast:
    broadcast = make_broadcast(with_people(), **fields)
    broadcasts.plan(broadcast, at=timezone.now() + timedelta(hours=3))
    broadcast.refresh_from_db()
    return broadcast


def let_the_hour_come(broadcast: Broadcast, ago: timedelta = timedelta(0)) -> None:
    Broadcast.objects.filter(pk=broadcast.pk).update(planned_at=timezone.now() - ago)
    broadcasts.send_planned()
    broadcast.refresh_from_db()


def test_nothing_leaves_before_the_hour() -> None:
    broadcast = planned()
    broadcasts.send_planned()
    assert sent_to(broadcast) == []


def test_who_signs_up_until_the_hour_receives_it_and_who_withdrew_does_not() -> None:
    broadcast = planned()
    make_registration(broadcast.event, email="tard@example.org")
    broadcast.event.registrations.filter(email="ann@example.org").update(status="cancelled")
    let_the_hour_come(broadcast)
    assert sent_to(broadcast) == ["tard@example.org", "zoe@example.org"]
    assert broadcast.count == 2


def test_it_is_owed_once_however_often_a_worker_looks() -> None:
    broadcast = planned()
    let_the_hour_come(broadcast)
    broadcasts.send_planned()
    assert len(sent_to(broadcast)) == 2


def test_a_worker_that_dies_in_the_middle_leaves_it_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    broadcast = planned()
    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", lambda *args, **detail: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            let_the_hour_come(broadcast)
    broadcast.refresh_from_db()
    assert (broadcast.state, sent_to(broadcast)) == ("planned", [])
    broadcasts.send_planned()
    assert len(sent_to(broadcast)) == 2


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_an_event_that_is_off_meanwhile_stops_it_for_review(organiser: Client, status: str) -> None:
    broadcast = planned()
    type(broadcast.event).objects.update(status=status)
    let_the_hour_come(broadcast)
    assert (broadcast.state, broadcast.held_because, sent_to(broadcast)) == ("draft", status, [])
    assert "était programmé et n’est pas parti" in organiser.get(page_of(broadcast)).text


def test_a_message_about_the_cancellation_can_be_planned() -> None:
    broadcast = make_broadcast(with_people())
    type(broadcast.event).objects.update(status="cancelled")
    broadcast.refresh_from_db()
    broadcasts.plan(broadcast, at=timezone.now() + timedelta(hours=1))
    let_the_hour_come(broadcast)
    assert len(sent_to(broadcast)) == 2


def test_after_an_outage_its_mails_are_late_since_the_hour_they_were_planned_for() -> None:
    broadcast = planned()
    let_the_hour_come(broadcast, ago=timedelta(hours=2))
    assert late_mails.overdue().filter(broadcast=broadcast).count() == 2


def test_the_hour_is_typed_in_the_zone_of_the_event_and_said_in_words(organiser: Client) -> None:
    event = make_event(timezone="Indian/Reunion")
    make_registration(event)
    broadcast = make_broadcast(event)
    day = timezone.localdate() + timedelta(days=2)
    page = organiser.post(page_of(broadcast, "plan/"), {"day": f"{day}", "hour": "9h30"}, follow=True)
    broadcast.refresh_from_db()
    assert broadcast.planned_at is not None
    assert f"{broadcast.planned_at.astimezone(event.zone):%H:%M}" == "09:30"
    assert page.context["planned_in_words"]


def test_an_hour_that_has_passed_is_refused(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    day = timezone.localdate() - timedelta(days=1)
    page = organiser.post(page_of(broadcast, "plan/"), {"day": f"{day}", "hour": "14h"})
    assert list(page.context["form"].errors) == ["hour"]


def test_the_hour_is_changed_and_the_message_taken_back_until_then(organiser: Client) -> None:
    broadcast = planned()
    day = timezone.localdate() + timedelta(days=3)
    organiser.post(page_of(broadcast, "plan/"), {"day": f"{day}", "hour": "14:30"})
    broadcast.refresh_from_db()
    assert broadcast.planned_at is not None
    assert broadcast.planned_at.astimezone(broadcast.event.zone).date() == day
    organiser.post(page_of(broadcast), {"take_back": "yes"})
    let_the_hour_come(broadcast)
    assert (broadcast.state, sent_to(broadcast)) == ("draft", [])


def test_a_planned_message_is_not_corrected_before_it_is_taken_back(organiser: Client) -> None:
    broadcast = planned()
    organiser.post(page_of(broadcast, "correct/"), {**TYPED, "subject": "Autre"})
    broadcast.refresh_from_db()
    assert broadcast.subject == TYPED["subject"]


def test_several_audiences_receive_one_mail_each(organiser: Client) -> None:
    event = with_people()
    organiser.post(path(event), {**TYPED, "audience": ["seated", "waiting"], "body": "Bonjour"})
    broadcast = Broadcast.objects.get()
    broadcasts.send(broadcast, count=3)
    assert sent_to(broadcast) == ["ann@example.org", "wait@example.org", "zoe@example.org"]


def test_a_message_is_written_from_an_earlier_one_of_another_event(organiser: Client) -> None:
    former = make_broadcast(subject="Merci {titre}", body="À bientôt")
    page = organiser.get(path(with_people()))
    assert f'href="?from={former.pk}"' in page.text
    form = organiser.get(f"{path(with_people())}?from={former.pk}").context["form"]
    assert (form["subject"].value(), form["body"].value()) == ("Merci {titre}", "À bientôt")


def test_a_message_that_was_sent_is_the_start_of_another(organiser: Client) -> None:
    broadcast = planned()
    let_the_hour_come(broadcast)
    organiser.post(page_of(broadcast), {"write_again": "yes"})
    assert list(Broadcast.objects.order_by("pk").values_list("state", flat=True)) == ["confirmed", "draft"]
    assert Delivery.objects.filter(kind="broadcast").count() == 2
