"""The first page of the admin: each event at a glance, its mails, and its sign-ups drawn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import Delivery, Event, Registration
from registrations.statistics import charts, dashboard
from registrations.statistics.dashboard import EventSummary, Figure, Problems, UpcomingMails
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


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "draft"}, "Brouillon"),
        ({"status": "postponed"}, "Reporté"),
        ({"starts_in": timedelta(minutes=-5)}, "En cours"),
        ({"starts_in": timedelta(days=-5)}, "Passé"),
        ({"capacity": 1}, "Complet"),
        ({}, "Inscriptions ouvertes"),
    ],
)
def test_the_state_is_told_in_words(fields: dict[str, Any], words: str) -> None:
    event = make_event(**fields)
    make_registration(event)
    assert str(glance_of(event).state) == words


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


def at(event: Event, *moments: datetime) -> None:
    for moment in moments:
        make_registration(event, created_at=moment)


def test_sign_ups_are_told_day_by_day_in_the_zone_of_the_event_and_empty_days_count() -> None:
    event = make_event()
    at(event, datetime(2026, 3, 2, 22, 59, tzinfo=UTC), datetime(2026, 3, 2, 23, 1, tzinfo=UTC))
    at(event, datetime(2026, 3, 5, 12, tzinfo=UTC))
    found = dashboard.sign_ups(glance_of(event))
    assert [(f"{figure.label:%d/%m}", figure.number) for figure in found.figures] == [
        ("02/03", 1),
        ("03/03", 1),
        ("04/03", 0),
        ("05/03", 1),
    ]


@pytest.mark.parametrize(("days", "step"), [(30, 1), (31, 7), (200, 7), (300, 28), (2000, 91), (20000, 364)])
def test_the_bars_fit_whatever_the_time_and_nobody_is_lost(days: int, step: int) -> None:
    event, first = make_event(), datetime(2020, 3, 2, 12, tzinfo=UTC)
    at(event, first, first + timedelta(days=days))
    found = dashboard.sign_ups(glance_of(event))
    assert (found.days, sum(figure.number for figure in found.figures)) == (step, 2)
    assert len(found.figures) <= dashboard.BARS_MAX or step == 364


def test_territories_come_with_the_most_frequent_first_and_rare_ones_together() -> None:
    event = make_event()
    for territory in ("A", "B", "B", ""):
        make_registration(event, territory=territory)
    figures = dashboard.territories(glance_of(event))
    assert figures[0] == Figure("B", 2)
    assert sorted((str(figure.label), figure.number) for figure in figures[1:]) == [("A", 1), ("non précisé", 1)]
    for number in range(20):
        make_registration(event, territory=f"Lieu {number}")
    merged = dashboard.territories(glance_of(event))
    assert len(merged) == dashboard.TERRITORIES_SHOWN
    assert sum(figure.number for figure in merged) == 24


def test_bars_are_whole_numbers_within_the_drawing() -> None:
    for bars in (charts.columns([("a", 3), ("b", 0), ("c", 7)]), charts.lines([("a", 3), ("b", 7)])):
        for bar in bars:
            assert all(isinstance(size, int) and size >= 0 for size in bar[2:])
            assert bar.end <= charts.WIDTH
    assert [bar.height for bar in charts.columns([("a", 0), ("b", 4), ("c", 2)])] == [0, 160, 80]


def drawings(page: str) -> list[ElementTree.Element]:
    pieces = [piece.partition("</svg>")[0] for piece in page.split("<svg")[1:]]
    return [ElementTree.fromstring(f"<svg{piece}</svg>") for piece in pieces]  # noqa: S314 - our own page


def test_the_drawings_have_a_title_a_description_and_no_inline_style() -> None:
    event = make_event()
    make_registration(event, territory="Val-d’Oise <95>")
    found = drawings(logged_in().get("/admin/").text.partition('id="drawings"')[2].partition("<details>")[0])
    assert [[child.tag for child in drawing][:2] for drawing in found] == [["title", "desc"]] * 2
    for drawing in found:
        assert [element.tag for element in drawing.iter() if "style" in element.attrib or "on" in element.attrib] == []


def test_the_figures_of_the_drawings_stand_in_tables_below() -> None:
    event = make_event()
    for _ in range(3):
        make_registration(event, territory="Yvelines (78)")
    figures = logged_in().get("/admin/").text.partition("<details>")[2]
    assert "<caption>D’où viennent les personnes</caption>" in figures
    assert '<th scope="row">Yvelines (78)</th>' in figures


def test_the_drawing_is_of_the_next_event_or_of_the_one_that_was_chosen(client: Client) -> None:
    soon, later = make_event(), make_event(starts_in=timedelta(days=20))
    make_event(status="draft", starts_in=timedelta(days=1))
    organiser = logged_in()
    drawn: Callable[[str], Any] = lambda query: organiser.get(f"/admin/{query}").context["drawn"]  # noqa: E731 - read twice
    assert drawn("") == soon
    assert drawn(f"?event={later.pk}") == later
    assert drawn("?event=x") == soon
