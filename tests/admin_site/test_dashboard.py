"""The first page of the admin: each event at a glance, its mails, and its one next step."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import Delivery, Event, Registration
from registrations.statistics import dashboard
from registrations.statistics.dashboard import EventSummary, Problems, UpcomingMails
from tests.admin_client import logged_in
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
Kind = Delivery.Kind


def enqueue(registration: Registration, kind: Delivery.Kind = Kind.CONFIRMATION, **fields: Any) -> None:
    Delivery.objects.enqueue(registration, kind, **fields)


def glance_of(event: Event) -> EventSummary:
    return next(summary for summary in dashboard.summaries(dashboard.problems()) if summary.event == event)


def test_people_are_counted_by_where_they_stand() -> None:
    event = make_event()
    for status in ("confirmed", "confirmed", "waitlisted", "cancelled"):
        make_registration(event, status=status)
    make_registration()
    assert glance_of(event).people == {"confirmed": 2, "waitlisted": 1, "cancelled": 1}


def test_mails_that_are_late_failed_or_refused_are_counted_by_event() -> None:
    event, now = make_event(), timezone.now()
    enqueue(make_registration(event), send_at=now - HOUR)
    enqueue(make_registration(event), send_at=now)
    enqueue(make_registration(event), state="failed")
    enqueue(make_registration(event), state="sent", provider_status="bounced")
    enqueue(make_registration(), state="failed")
    assert glance_of(event).problems == Problems(late=1, failed=1, refused=1)


def test_an_alert_that_failed_counts_on_the_first_page_though_it_belongs_to_no_event() -> None:
    Delivery.objects.create(kind=Kind.ALERT, recipient="operator@example.org", state="failed")
    assert logged_in().get("/admin/").context["mail_health"]["failed"] == 1


def test_the_next_mails_are_told_by_kind_with_their_hour_and_number() -> None:
    event, now = make_event(), timezone.now()
    for _ in range(2):
        registration = make_registration(event)
        enqueue(registration, Kind.FOLLOW_UP, send_at=now + 3 * HOUR)
        enqueue(registration, Kind.REMINDER_DAY, send_at=now + HOUR)
        enqueue(registration, Kind.REMINDER_HOUR, send_at=now - HOUR, state="sent")
    assert glance_of(event).mails == [
        UpcomingMails(Kind.REMINDER_DAY, now + HOUR, 2),
        UpcomingMails(Kind.FOLLOW_UP, now + 3 * HOUR, 2),
    ]


def test_events_to_come_stand_first_the_soonest_on_top_and_their_number_is_bounded() -> None:
    old, recent = make_past_event(starts_at=timezone.now() - timedelta(days=60)), make_past_event()
    later, soon = make_event(starts_in=timedelta(days=9)), make_event(starts_in=timedelta(days=2))
    shown = [summary.event for summary in dashboard.summaries({})]
    assert shown == [soon, later, recent, old]
    for _ in range(dashboard.EVENTS_SHOWN):
        make_event(report=False)
    assert len(dashboard.summaries({})) == dashboard.EVENTS_SHOWN


def test_each_number_leads_to_the_list_of_those_that_it_counts() -> None:
    event = make_event()
    for status in ("confirmed", "waitlisted", "cancelled"):
        make_registration(event, status=status)
    enqueue(make_registration(event), state="failed")
    client = logged_in()
    page = client.get("/admin/").text
    lists = {
        f"/admin/registrations/registration/?event__id__exact={event.pk}&status__exact=confirmed": 2,
        f"/admin/registrations/registration/?event__id__exact={event.pk}&status__exact=waitlisted": 1,
        f"/admin/registrations/registration/?event__id__exact={event.pk}&status__exact=cancelled": 1,
        f"/admin/registrations/delivery/?event__id__exact={event.pk}&look=failed": 1,
    }
    for path, count in lists.items():
        assert path.replace("&", "&amp;") in page
        assert len(client.get(path).context["cl"].result_list) == count


def fill(events: int) -> None:
    for _ in range(events):
        event = make_event(capacity=2, report=False)
        for territory in ("Yvelines (78)", "", "Val-d’Oise (95)")[:events]:
            enqueue(make_registration(event, territory=territory), Kind.REMINDER_DAY, send_at=timezone.now() + HOUR)


def test_the_page_asks_as_much_for_three_events_as_for_one_and_twelve_questions_at_most() -> None:
    client = logged_in("view_event", "view_registration", "view_delivery")

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/admin/").status_code == 200
        return len(captured)

    fill(1)
    asked()
    one = asked()
    fill(3)
    assert asked() == one <= 12


def test_who_may_not_see_people_sees_no_table() -> None:
    make_registration(make_event(title="X", short_title="Secret"))
    assert "Secret" not in logged_in("view_suppression").get("/admin/").text


def step_of(page: Any, event: Event) -> Any:
    row = next(row for row in page.context["rows"] if row.event == event)
    return row.next and row.next.step.key


def test_each_event_has_the_one_step_that_comes_next() -> None:
    draft, lonely, seen = make_event(status="draft"), make_event(), make_event()
    enqueue(make_registration(seen), state="failed")
    over = make_event(starts_in=timedelta(days=-3))
    make_registration(over)
    page = logged_in().get("/admin/")
    assert [step_of(page, event) for event in (draft, lonely, seen, over)] == [
        "publish",
        "share",
        "mails",
        "attendance",
    ]


def test_a_reader_is_offered_no_step_that_a_reader_may_not_take() -> None:
    make_event(status="draft")
    page = logged_in("view_event", "view_registration").get("/admin/")
    assert [row.next.address for row in page.context["rows"]] == [""]
    assert "Nouveau webinaire" not in page.text
