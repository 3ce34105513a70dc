"""The bilan of an event: what is counted, before and after the purge, on the page and on paper."""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pypdf import PdfReader
from pytest_django import Settings

from registrations.documents import event_report, pdf
from registrations.domain import retention
from registrations.models import AnonymousRegistration, Attendance, Delivery, Event, PurgedCount, Registration
from registrations.models.purged_count import Counts
from registrations.statistics import charts, event_figures
from registrations.statistics.event_figures import Figures, Mails, Step
from tests.desk import EVENTS, logged_in, messages
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ORGANISATIONS = ["CAF 78"] * 9 + ["Mairie de X"] * 7 + ["Association Y", "Préfecture"]
READER = ["view_event", "view_registration"]


@pytest.fixture(autouse=True)
def _own_journal(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def fill(event: Event, number: int, **fields: Any) -> Event:
    """Every second person came, if the session is over; every tenth has left, and every tenth waits."""
    people = [
        Registration(
            event=event,
            first_name="Zoë",
            last_name="Nommée",
            email=f"zoe{index}@example.org",
            organisation=ORGANISATIONS[index % len(ORGANISATIONS)],
            job_title="Cheffe de projet",
            territory=["Yvelines (78)", "Val-d’Oise (95)", ""][index % 3],
            heard_from="Autrement",
            status={8: "waitlisted", 9: "cancelled"}.get(index % 10, "confirmed"),
            waiting_since=timezone.now(),
            created_at=event.starts_at - (index % 25 + 1) * DAY,
            **fields,
        )
        for index in range(number)
    ]
    Registration.objects.bulk_create(people)
    if event.is_over:
        seated = event.registrations.seated().order_by("pk")
        Attendance.objects.bulk_create(Attendance(registration=one, origin="join") for one in seated[::2])
    return event


def long_past(number: int = 0, **fields: Any) -> Event:
    return fill(make_event(starts_in=-90 * DAY, retention_months=1, **fields), number)


def told(counted: Figures) -> list[Any]:
    """All that the page tells of the people."""
    return [
        counted.by_status,
        counted.presence,
        counted.sections,
        counted.steps,
        counted.totals,
        counted.signs,
        counted.organisations,
        counted.territories,
    ]


def words(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def rows_of(counted: Figures, place: int) -> list[tuple[str, int]]:
    return [(str(row.label), row.number) for row in counted.sections[place].rows]


# What is counted


def test_people_are_counted_by_where_they_stand_and_by_group() -> None:
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
    guest = make_registration(event, created_at=event.ends_at + 2 * DAY)  # added afterwards, for they came
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
def test_a_presence_that_is_not_known_is_no_zero(fields: dict[str, Any], because: str) -> None:
    event = make_event(**fields)
    make_registration(event)
    assert event_figures.figures(event).presence.unknown_because == because
    page = logged_in().get(f"{EVENTS}{event.pk}/figures/").text
    assert because in page
    assert "0\u00a0%" not in page.partition("Présence et courriels")[0]


def test_one_person_known_from_several_signs_came_once() -> None:
    event = make_past_event()
    person = make_registration(event, created_at=event.starts_at - DAY)
    for origin in ("join", "import", "hand"):
        Attendance.objects.create(registration=person, origin=origin)
    counted = event_figures.figures(event)
    assert counted.seated.present == 1
    assert counted.signs_told == [(origin.label, 1) for origin in Attendance.Origin]


def test_mails_are_counted_by_their_fate() -> None:
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


def test_spellings_of_one_organisation_are_one() -> None:
    event = make_event()
    for name in ("CAF de l’Eure", "caf de l'eure", "CAF DE L'EURE ", "Mairie"):
        make_registration(event, organisation=name)
    assert event_figures.figures(event).organisations == 2


def test_sign_ups_add_up_by_steps_in_the_zone_of_the_event() -> None:
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


def test_the_curve_rises_by_steps_and_marks_the_day() -> None:
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


def test_the_share_that_was_not_recognised_is_said_and_a_small_number_is_not() -> None:
    event = make_event()
    for index in range(20):
        make_registration(event, organisation="CAF" if index % 2 else "Zébulon", job_title="Maire" if index else "Zut")
    organisations, functions, *_ = event_figures.figures(event).sections
    assert organisations.note == "Estimation d’après les réponses libres\u00a0; part non reconnue\u00a0: 50\u00a0%."
    assert functions.note == (
        "Estimation d’après les réponses libres\u00a0; non reconnues\u00a0: moins de cinq personnes."
    )


def test_what_nobody_was_asked_has_no_table() -> None:
    event = make_event(territories="", origins="")
    make_registration(event)
    assert len(event_figures.figures(event).sections) == 2


def test_the_figures_cost_the_same_for_many_as_for_few() -> None:
    few, many = fill(make_past_event(), 3), fill(make_past_event(), 300)

    def asked(event: Event) -> int:
        with CaptureQueriesContext(connection) as captured:
            told(event_figures.figures(event))
        return len(captured)

    assert asked(few) == asked(many) == 4


# After the purge


def test_the_figures_are_the_same_after_the_purge() -> None:
    event = long_past(80)
    before = told(event_figures.figures(event))
    assert retention.purge() == {event: 80}
    after = event_figures.figures(event)
    assert told(after) == before
    assert (after.purged, after.live, after.mails) == (80, 0, Mails(0, 0, 0, 0))


def test_half_purged_figures_are_the_same() -> None:
    event = long_past(80)
    event.registrations.filter(pk__in=event.registrations.values("pk")[:30]).update(created_at=timezone.now() - DAY)
    before = told(event_figures.figures(event))
    assert retention.purge() == {event: 50}
    after = event_figures.figures(event)
    assert told(after) == before
    assert after.live == 30


def test_the_purge_counts_groups_apart_from_the_anonymous_rows() -> None:
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


def test_a_purge_that_stops_half_way_counts_nobody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    event = long_past(30)
    before = told(event_figures.figures(event))
    monkeypatch.setattr(retention, "AT_ONCE", 7)
    monkeypatch.setattr(AnonymousRegistration.objects, "bulk_create", lambda rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        retention.purge()
    assert not PurgedCount.objects.exclude(dimension="names").exists()
    monkeypatch.undo()
    retention.purge()
    assert told(event_figures.figures(event)) == before


def test_a_purge_that_only_counts_writes_no_tally() -> None:
    long_past(3)
    retention.purge(dry_run=True)
    assert not PurgedCount.objects.exists()


def test_what_was_purged_before_groups_were_counted_is_said_to_be_lost() -> None:
    event = long_past(40)
    retention.purge()
    PurgedCount.objects.all().delete()
    assert rows_of(event_figures.figures(event), 0) == [("non conservé", 32)]


# The page and the document


def test_the_page_tells_everything_and_names_nobody() -> None:
    event = fill(make_past_event(title="Le webinaire"), 60)
    page = logged_in(*READER).get(f"{EVENTS}{event.pk}/figures/").text
    for shown in [
        "Bilan chiffré",
        "Types de structure",
        "Projets, coordination",
        "Mairie de X",
        "Autres groupes réunis",
    ]:
        assert shown in page
    assert [name for name in ("Nommée", "Zoë", "example.org") if name in page] == []


def test_the_page_shows_how_names_were_read_the_unrecognised_first() -> None:
    event = make_event()
    for name in ("Zébulon", "CAF <78>", "CAF <78>"):
        make_registration(event, organisation=name, job_title="Maire")
    readings = logged_in().get(f"{EVENTS}{event.pk}/figures/").context["readings"]
    assert [(title, [(str(read.group), read.names, read.more) for read in read]) for title, read in readings] == [
        (
            "type de structure",
            [("Non reconnu", [("Zébulon", 1)], 0), ("Protection sociale, emploi", [("CAF <78>", 2)], 0)],
        ),
        ("fonction", [("Élus et élues", [("Maire", 3)], 0)]),
    ]


@pytest.mark.typesetting
@pytest.mark.parametrize("number", [0, 1, 4, 40])
def test_the_document_says_what_the_page_says_on_two_pages_at_most(number: int) -> None:
    event = fill(make_past_event(title="Le webinaire", slug=f"le-webinaire-{number}"), number)
    answer = logged_in(*READER).get(f"{EVENTS}{event.pk}/figures/pdf/")
    assert answer["Content-Disposition"] == f'attachment; filename="bilan-le-webinaire-{number}.pdf"'
    reader = PdfReader(io.BytesIO(answer.content))
    catalogue: Any = reader.root_object
    assert catalogue["/MarkInfo"]["/Marked"]
    assert b'pdfuaid:part="1"' in catalogue["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "Bilan chiffré\u00a0: Le webinaire"
    assert len(reader.pages) <= 2
    shown = words(answer.content)
    assert f" {number}inscriptions" in shown  # one below the other
    assert [name for name in ("Nommée", "Zoë", "Mairie de X", "example.org") if name in shown] == []
    assert ("Trop peu de personnes" in shown) == (number in {1, 4})
    assert ("Autres groupes réunis" in shown) == (number == 40)


@pytest.mark.typesetting
def test_a_large_event_with_every_group_stays_on_two_pages() -> None:
    event = fill(make_past_event(title="Très long " * 19), 300)
    for index, typed in enumerate(event_figures.GROUPS[PurgedCount.Dimension.ORGANISATION][0].values):
        PurgedCount.objects.add(event, PurgedCount.Dimension.ORGANISATION, {typed: Counts(20 + index, 20, 10)})
    for typed in event_figures.GROUPS[PurgedCount.Dimension.FUNCTION][0].values:
        PurgedCount.objects.add(event, PurgedCount.Dimension.FUNCTION, {typed: Counts(20, 20, 10)})
    assert len(PdfReader(io.BytesIO(event_report.figures_sheet(event))).pages) <= 2


@pytest.mark.typesetting
def test_page_and_document_speak_english_too() -> None:
    event = fill(make_past_event(title="The webinar"), 40)
    with translation.override("en"):
        shown = words(event_report.figures_sheet(event))
    for told_in_english in ["Report in figures", "people present of 32 expected: 50%", "Other groups, joined"]:
        assert told_in_english in shown, shown
    assert [word for word in ("Bilan", "inscriptions", "Présence", "séance") if word in shown] == []


def test_the_drawings_of_the_document_have_words_in_their_place() -> None:
    event = fill(make_past_event(), 40)
    html = event_report.typeset_html(event)
    drawings = html.split("<svg")[1:]
    assert drawings
    assert all("<title" in drawing.partition("</svg>")[0] for drawing in drawings)


@pytest.mark.typesetting
def test_a_document_that_cannot_be_made_leads_back_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "RENDERER", Path("/nowhere/renderer.py"))
    page = logged_in().get(f"{EVENTS}{make_event().pk}/figures/pdf/", follow=True)
    assert messages(page) == ["Ce document ne peut pas être produit pour le moment. Réessayez dans une minute."]


@pytest.mark.parametrize("permissions", [["view_event"], ["view_registration"]])
def test_who_may_not_see_people_sees_no_figures(permissions: list[str]) -> None:
    client, event = logged_in(*permissions), make_event()
    assert client.get(f"{EVENTS}{event.pk}/figures/").status_code == 403
    assert client.get(f"{EVENTS}{event.pk}/figures/pdf/").status_code == 403
    assert client.get(f"{EVENTS}0/figures/").status_code == 403


def test_an_event_and_the_first_page_lead_to_the_figures() -> None:
    event, client = make_event(), logged_in()
    path = f"{EVENTS}{event.pk}/figures/"
    assert f'href="{path}"' in client.get(f"{EVENTS}{event.pk}/change/").text
    assert f'href="{path}"' in client.get("/admin/").text
    assert client.get(f"{EVENTS}0/figures/").status_code == 404


def test_the_page_asks_the_database_twelve_questions_at_most() -> None:
    client = logged_in(*READER)
    event = fill(make_past_event(), 60)
    client.get("/admin/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"{EVENTS}{event.pk}/figures/").status_code == 200
    assert len(captured) <= 12


def test_the_first_page_counts_the_anonymous_rows_and_leads_to_the_figures() -> None:
    event = long_past(20)
    retention.purge()
    page = logged_in().get("/admin/")
    [summary] = page.context["summaries"]
    assert (summary.event, summary.people) == (event, {})
    assert summary.purged == {"confirmed": 16, "waitlisted": 2, "cancelled": 2}
    assert "+ 16 anonymes" in page.text
    assert "Toutes les inscriptions à cet événement sont devenues anonymes." in page.text
