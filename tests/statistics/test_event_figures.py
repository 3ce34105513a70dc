"""Figures of an event, before and after a purge."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from registrations.domain import retention
from registrations.models import AnonymousRegistration, Attendance, Delivery, Event, PurgedCount
from registrations.models.purged_count import Counts
from registrations.statistics import charts, event_figures
from registrations.statistics.event_figures import Figures, Mails, Step
from tests.admin_client import EVENTS, logged_in
from tests.factories import make_event, make_past_event, make_registration
from tests.statistics.filled_events import DAY, fill, long_past

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_journal(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def shown_figures(counted: Figures) -> list[Any]:
    """Everything that the page shows about the people."""
    return [
        counted.by_status,
        counted.presence,
        counted.sections,
        counted.steps,
        counted.totals,
        counted.origins,
        counted.organisations,
        counted.territories,
    ]


def rows_of(counted: Figures, place: int) -> list[tuple[str, int]]:
    return [(str(row.label), row.number) for row in counted.sections[place].rows]


# What is counted


def test_people_are_counted_by_status_and_by_group() -> None:
    counted = event_figures.figures(fill(make_past_event(), 40))
    assert (counted.signed_up, counted.seated.registered, counted.waiting, counted.cancelled) == (40, 32, 4, 4)
    assert rows_of(counted, 0) == [("Protection sociale, emploi", 17), ("Autres groupes réunis", 15)]
    assert rows_of(counted, 1) == [("Projets, coordination", 32)]
    assert [section.title for section in counted.sections] == [
        "Types de structure",
        "Fonctions",
        "Territoires",
        "Origine de l’inscription",
    ]


def test_presence_is_a_share_of_those_who_had_signed_up_by_the_day() -> None:
    event = make_past_event()
    for _ in range(3):
        make_registration(event, created_at=event.starts_at - DAY)
    make_registration(event, created_at=event.ends_at + 2 * DAY)  # for the documents
    guest = make_registration(event, created_at=event.ends_at + 2 * DAY)  # added afterwards, and attended
    make_registration(event, created_at=event.starts_at - DAY, status="waitlisted")
    Attendance.objects.create(registration=guest, origin="hand")
    counted = event_figures.figures(event)
    assert counted.seated == Counts(5, 4, 1)
    assert (counted.presence.percent, counted.late) == (25, 1)


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"starts_in": 7 * DAY}, "la séance n’est pas terminée"),
        ({"starts_in": timedelta(minutes=-5)}, "la séance n’est pas terminée"),
        ({"starts_in": -7 * DAY, "status": "cancelled"}, "la séance n’a pas eu lieu"),
        ({"starts_in": -7 * DAY, "status": "postponed"}, "la séance n’a pas eu lieu"),
        ({"starts_in": -7 * DAY}, "présence non relevée"),
    ],
)
def test_unknown_presence_is_not_shown_as_zero(fields: dict[str, Any], because: str) -> None:
    event = make_event(**fields)
    make_registration(event)
    assert event_figures.figures(event).presence.unknown_because == because
    page = logged_in().get(f"{EVENTS}{event.pk}/figures/").text
    assert because in page
    assert "0\u00a0%" not in page.partition("Présence et courriels")[0]


def test_a_person_with_several_attendances_is_counted_once() -> None:
    event = make_past_event()
    person = make_registration(event, created_at=event.starts_at - DAY)
    for origin in ("join", "import", "hand"):
        Attendance.objects.create(registration=person, origin=origin)
    counted = event_figures.figures(event)
    assert counted.seated.present == 1
    assert counted.people_by_origin == [(origin.label, 1) for origin in Attendance.Origin]


def test_mails_are_counted_by_result() -> None:
    event = make_event()
    person = make_registration(event)
    for kind, state, status in [
        ("confirmation", "sent", "delivered"),
        ("reminder_day", "sent", "bounced"),
        ("reminder_hour", "failed", ""),
        ("follow_up", "pending", ""),
    ]:
        Delivery.objects.create(registration=person, kind=kind, state=state, provider_status=status)
    counted = event_figures.figures(event).mails
    assert counted == Mails(left=2, returned=1, failed=1, reminders=1)
    assert counted.percent == 33


def test_no_rate_of_returns_is_printed_where_nobody_tells_of_returns(settings: Settings) -> None:
    counted = Mails(left=12, returned=0, failed=0, reminders=0)
    assert not counted.returns_are_told
    settings.MAIL_EVENTS_VIEW, settings.ANYMAIL_WEBHOOK_SECRET = "a.View", "user:a-long-enough-password"
    assert counted.returns_are_told


def test_spellings_of_one_organisation_are_counted_once() -> None:
    event = make_event()
    for name in ("CAF de l’Eure", "caf de l'eure", "CAF DE L'EURE ", "Mairie"):
        make_registration(event, organisation=name)
    assert event_figures.figures(event).organisations == 2


def test_sign_ups_are_summed_by_days_in_the_time_zone_of_the_event() -> None:
    event = make_event(starts_at=datetime(2026, 3, 30, 12, tzinfo=UTC))
    for moment in (datetime(2026, 3, 2, 22, 59, tzinfo=UTC), datetime(2026, 3, 2, 23, 1, tzinfo=UTC)):
        make_registration(event, created_at=moment)
    make_registration(event, created_at=datetime(2026, 3, 20, 12, tzinfo=UTC), status="cancelled")
    counted = event_figures.figures(event)
    assert counted.totals == [(date(2026, 3, 2), 1), (date(2026, 3, 3), 2), (date(2026, 3, 20), 3)]
    assert counted.days == 7
    assert counted.steps == [
        Step(date(2026, 3, 2), 2, 2),
        Step(date(2026, 3, 9), 0, 2),
        Step(date(2026, 3, 16), 1, 3),
    ]


def test_the_curve_is_stepped_and_marks_the_day_of_the_event() -> None:
    drawn = charts.curve([(date(2026, 3, 1), 1), (date(2026, 3, 6), 4)], date(2026, 3, 11))
    assert drawn == charts.Curve(
        points="0,160 0,160 0,120 240,120 240,0 480,0",
        first=date(2026, 3, 1),
        last=date(2026, 3, 11),
        highest=4,
        mark=480,
    )
    assert charts.curve([], date(2026, 3, 11)) is None
    alone = charts.curve([(date(2026, 3, 1), 2)], None)
    assert alone is not None
    assert (alone.points, alone.mark) == ("0,160 0,160 0,0 480,0", None)


def test_the_unrecognised_share_is_shown_unless_the_number_is_small() -> None:
    event = make_event()
    for index in range(20):
        make_registration(event, organisation="CAF" if index % 2 else "Zébulon", job_title="Maire" if index else "Zut")
    organisations, functions, *_ = event_figures.figures(event).sections
    assert organisations.note == "Estimation d’après les réponses libres\u00a0; part non reconnue\u00a0: 50\u00a0%."
    assert functions.note == (
        "Estimation d’après les réponses libres\u00a0; non reconnues\u00a0: moins de cinq personnes."
    )


def test_a_question_without_answers_has_no_table() -> None:
    event = make_event(territories="", origins="")
    make_registration(event)
    assert len(event_figures.figures(event).sections) == 2


def test_the_figures_need_the_same_queries_for_many_people_as_for_few() -> None:
    few, many = fill(make_past_event(), 3), fill(make_past_event(), 300)

    def asked(event: Event) -> int:
        with CaptureQueriesContext(connection) as captured:
            shown_figures(event_figures.figures(event))
        return len(captured)

    assert asked(few) == asked(many) == 4


# After the purge


def test_the_figures_are_the_same_after_the_purge() -> None:
    event = long_past(80)
    before = shown_figures(event_figures.figures(event))
    assert retention.purge() == {event: 80}
    after = event_figures.figures(event)
    assert shown_figures(after) == before
    assert (after.purged, after.live, after.mails) == (80, 0, Mails(0, 0, 0, 0))


def test_half_purged_figures_are_the_same() -> None:
    event = long_past(80)
    event.registrations.filter(pk__in=event.registrations.values("pk")[:30]).update(created_at=timezone.now() - DAY)
    before = shown_figures(event_figures.figures(event))
    assert retention.purge() == {event: 50}
    after = event_figures.figures(event)
    assert shown_figures(after) == before
    assert after.live == 30


def test_the_purge_stores_counts_of_groups_without_a_link_to_anonymous_rows() -> None:
    event = long_past()
    for name in ("CAF", "caf 78", "Zébulon"):
        person = make_registration(event, organisation=name, created_at=event.starts_at - DAY, job_title="Maire")
        Attendance.objects.create(registration=person, origin="import")
    make_registration(event, created_at=event.starts_at - DAY, status="cancelled", cancelled_at=event.starts_at)
    retention.purge()
    counted = PurgedCount.objects.order_by("dimension", "group")
    assert list(counted.values_list("dimension", "group", "registered", "expected", "present")) == [
        ("function", "elected", 3, 3, 3),
        ("names", "", 3, 0, 0),
        ("organisation_type", "protection", 2, 2, 2),
        ("organisation_type", "unrecognised", 1, 1, 1),
        ("sign", "import", 3, 3, 3),
    ]
    assert {field.name for field in AnonymousRegistration._meta.fields} & {
        "organisation",
        "job_title",
        "function",
    } == set()


def test_an_interrupted_purge_counts_nobody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    event = long_past(30)
    before = shown_figures(event_figures.figures(event))
    monkeypatch.setattr(retention, "AT_ONCE", 7)
    monkeypatch.setattr(AnonymousRegistration.objects, "bulk_create", lambda rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        retention.purge()
    assert not PurgedCount.objects.exclude(dimension="names").exists()
    monkeypatch.undo()
    retention.purge()
    assert shown_figures(event_figures.figures(event)) == before


def test_a_purge_without_yes_stores_no_counts() -> None:
    long_past(3)
    retention.purge(dry_run=True)
    assert not PurgedCount.objects.exists()


def test_groups_of_an_older_purge_are_shown_as_not_kept() -> None:
    event = long_past(40)
    retention.purge()
    PurgedCount.objects.all().delete()
    assert rows_of(event_figures.figures(event), 0) == [("non conservé", 32)]
