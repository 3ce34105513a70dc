"""A dry run counts nowhere: in no list, figure, export, sheet, audience or seat."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Max, Min
from django.test import Client
from django.utils import timezone

from registrations.admin.messages import forms
from registrations.documents import sign_in_sheet, speakers_sheet
from registrations.domain import (
    attendance,
    bulk_enrolment,
    event_changes,
    retention,
    signup,
)
from registrations.mailing import upcoming
from registrations.models import (
    AnonymousRegistration,
    Attendance,
    Broadcast,
    Delivery,
    Event,
    Registration,
)
from registrations.models.attendance import has_attended
from registrations.spreadsheets import newsletter
from registrations.statistics import dashboard, sign_ups
from registrations.statistics import event_figures as bilan
from tests.admin_client import EVENTS, PEOPLE
from tests.domain.dry_runs import TYPED, start
from tests.factories import answers, make_event, make_past_event, make_registration
from tests.journey import without_token

pytestmark = pytest.mark.django_db

Kind = Delivery.Kind


def pages(event: Event, person: Registration) -> dict[str, str]:
    paths = [
        "/",
        event.get_absolute_url(),
        f"{event.get_absolute_url()}inscription/",
        "/admin/",
        EVENTS,
        PEOPLE,
        f"{PEOPLE}?event__id__exact={event.pk}&q=odile",
        f"{PEOPLE}export/",
        "/admin/registrations/delivery/",
        f"{EVENTS}{event.pk}/change/",
        f"{EVENTS}{event.pk}/lists/",
        f"{EVENTS}{event.pk}/timeline/",
        f"{EVENTS}{event.pk}/figures/",
        f"{EVENTS}{event.pk}/mails/?mail=reminder_hour&person={person.pk}",
        f"{EVENTS}{event.pk}/presences/",
        f"{EVENTS}{event.pk}/write/",
        f"{EVENTS}{event.pk}/postpone/",
        f"{EVENTS}{event.pk}/duplicate/",
        f"{PEOPLE}{person.pk}/change/",
    ]
    client = _client()
    return {path: _plain(client.get(path).content.decode()) for path in paths}


def _plain(page: str) -> str:
    return re.sub(r'name="stamp" value="[^"]+"| nonce="[^"]+"', "", without_token(page))


def _client() -> Client:
    user, _is_new = User.objects.get_or_create(username="tout", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    return client


def exported(event: Event) -> dict[str, Any]:
    client = _client()
    columns = {"columns": ["email", "last_mail", "presence"], "file_format": "csv"}
    lists = {
        name: b"".join(client.post(f"{EVENTS}{event.pk}/lists/", {"document": name}))
        for name in ("questions-csv", "newsletter-csv")
    }
    return {**lists, "export": b"".join(client.post(f"{PEOPLE}export/", columns))}


def figures(event: Event) -> dict[str, Any]:
    event = Event.objects.get(pk=event.pk)
    found = dashboard.problems()
    [summary] = dashboard.summaries(found)
    people = Registration.objects.without_dry_runs()
    times = people.filter(event=event).aggregate(first=Min("created_at"), last=Max("created_at"))
    return {
        "seats": (event.seats_taken, event.has_free_seat, event.state),
        "first page": (found, summary.people, summary.present, summary.mails),
        "chart": sign_ups.over_time(event, times["first"], times["last"]),
        "timeline": upcoming.timeline(event),
        "sheets": (sign_in_sheet.people(event), list(speakers_sheet.questions(event))),
        "newsletter": list(newsletter.rows(event)),
        "told": [list(event_changes.concerned(event, reason)) for reason in ("moved", "notes")],
        "must be announced": event_changes.must_be_announced(event),
        "audiences": [
            list(Broadcast(event=event, audience=audience).recipients()) for audience in Broadcast.Audience.values
        ],
        "territories to choose": forms.MessageForm(instance=Broadcast(event=event)).fields.keys(),
        "import": (bulk_enrolment.known(event, [TYPED["email"]]), bulk_enrolment.places(event, 5)),
        "present": list(people.filter(has_attended())),
        "certified": list(people.certified()),
        "line": [person.waiting_position for person in people.on_waiting_list()],
        "to be purged": retention.purge(dry_run=True),
        "participants of the room": attendance.proposals(event, []),
        "bilan": bilan.figures(event),
        "all": list(people.order_by("pk")),
    }


def with_everything(event: Event, status: str) -> None:
    """A trial with whatever could be counted."""
    trial = start(event, territory="Ailleurs", question="Et moi ?", newsletter=True, heard_from="Autrement")
    attendance.note(trial, Attendance.Origin.JOIN)
    owed: dict[Delivery.Kind, dict[str, Any]] = {
        Kind.REMINDER_DAY: {"send_at": timezone.now() + timedelta(days=1), "not_after": event.starts_at},
        Kind.FOLLOW_UP: {"state": "failed", "error": "550"},
        Kind.UPDATED: {"send_at": timezone.now() - timedelta(hours=1)},
        Kind.CHANGED: {"state": "sent", "provider_status": "bounced"},
    }
    for kind, fields in owed.items():
        Delivery.objects.enqueue(trial, kind, **fields)
    waits = {"waiting_since": timezone.now() - timedelta(days=9)} if status == "waitlisted" else {}
    Registration.objects.filter(pk=trial.pk).update(
        status=status, created_at=timezone.now() - timedelta(days=900), **waits
    )


@pytest.mark.usefixtures("untypeset")
@pytest.mark.parametrize("status", ["confirmed", "waitlisted", "cancelled"])
@pytest.mark.parametrize("make", [make_event, make_past_event], ids=["to come", "past"])
def test_a_trial_is_in_no_list_figure_export_sheet_audience_or_seat(make: Callable[..., Event], status: str) -> None:
    event = make(report=False, capacity=2, follow_up_hours_after=24)
    person = signup.register(make_event(), **answers(language="fr")).registration
    Registration.objects.filter(pk=person.pk).update(event=event)
    person.refresh_from_db()
    Event.objects.exclude(pk=event.pk).delete()
    make_registration(event, status="waitlisted", question="Quand ?", newsletter=True)
    _client()
    pages(event, person)  # what a first visit writes into the session
    without = (figures(event), exported(event), pages(event, person))
    with_everything(event, status)
    with_one = (figures(event), exported(event), pages(event, person))
    for before, after in zip(without, with_one, strict=True):
        assert {name for name in before if before[name] != after[name]} == set()


def test_an_event_with_a_trial_alone_is_an_event_without_people() -> None:
    event = make_event(capacity=1)
    start(event)
    assert event.has_free_seat
    assert not event_changes.must_be_announced(event)
    assert signup.register(event, **answers(language="fr")).registration.is_seated


def test_the_purge_leaves_no_trace_of_a_trial() -> None:
    event = make_past_event(starts_at=timezone.now() - timedelta(days=400))
    start(event)
    Registration.objects.update(created_at=timezone.now() - timedelta(days=400))
    retention.purge()
    assert not AnonymousRegistration.objects.exists()


def test_a_trial_has_no_certificate(client: Client) -> None:
    trial = start(make_past_event())
    attendance.note(trial, Attendance.Origin.JOIN)
    trial.refresh_from_db()
    assert (trial.has_certificate, trial.certificate_number) == (False, None)
    assert client.get(f"{trial.manage_url}attestation.pdf").status_code == 404
