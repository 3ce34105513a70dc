"""The home of an event: publishing, its list of checks, its tabs, and the day itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.models import Attendance, Event, MailText, ReportSection
from tests.admin.members import member
from tests.admin_client import EVENTS, logged_in
from tests.factories import make_event, make_question, make_registration

pytestmark = pytest.mark.django_db


def test_a_draft_is_published_by_one_button() -> None:
    event = make_event(status="draft")
    page = logged_in().post(f"{EVENTS}{event.pk}/publish/", follow=True)
    event.refresh_from_db()
    assert event.status == Event.Status.PUBLISHED
    assert page.redirect_chain == [(f"{EVENTS}{event.pk}/", 302)]


def test_publishing_without_a_contact_answers_with_what_is_missing() -> None:
    event = make_event(status="draft", contact_email="")
    page = logged_in().post(f"{EVENTS}{event.pk}/publish/", follow=True)
    event.refresh_from_db()
    assert event.status == Event.Status.DRAFT
    assert 'class="missing"' in page.text


def test_a_page_that_was_read_is_ticked_until_the_event_changes() -> None:
    event, client = make_event(status="draft"), logged_in()
    client.get(f"{EVENTS}{event.pk}/preview/")
    assert "page" not in [str(check.point) for check in _done(client, event)]  # GET changes nothing
    client.post(f"{EVENTS}{event.pk}/seen/page/")
    assert [str(check.point) for check in _done(client, event)] == ["date", "contact", "room", "page"]
    Event.objects.filter(pk=event.pk).update(title="Autre titre")
    assert "page" not in [str(check.point) for check in _done(client, event)]


def test_what_was_read_is_read_again_once_a_row_of_the_page_or_of_the_mails_changes() -> None:
    event, client = make_event(status="draft"), logged_in()
    question = make_question(event)
    changes: list[Callable[[], Any]] = [
        lambda: ReportSection.objects.update(body="Autre texte"),
        lambda: type(question).objects.update(label="Autre question ?"),
        lambda: make_question(event),
        lambda: MailText.objects.create(event=event, kind="confirmation", language="fr", subject="À nous"),
    ]
    for change in changes:
        client.post(f"{EVENTS}{event.pk}/seen/page/")
        client.post(f"{EVENTS}{event.pk}/seen/mails/")
        assert {"page", "mails"} <= {str(check.point) for check in _done(client, event)}
        change()
        assert not {"page", "mails"} & {str(check.point) for check in _done(client, event)}


def test_a_draft_that_was_read_asks_a_dozen_questions_at_most() -> None:
    event, client = make_event(status="draft"), logged_in()
    client.post(f"{EVENTS}{event.pk}/seen/page/")
    client.get(f"{EVENTS}{event.pk}/")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"{EVENTS}{event.pk}/")
    assert len(captured) <= 12


def test_a_webinar_with_people_says_that_it_cannot_be_deleted() -> None:
    event, client = make_event(), logged_in()
    delete = f"{EVENTS}{event.pk}/delete/"
    assert delete in client.get(f"{EVENTS}{event.pk}/settings/").text
    make_registration(event, status="cancelled")
    page = client.get(f"{EVENTS}{event.pk}/settings/").text
    assert delete not in page
    assert "Inscriptions" in page


def _done(client: Client, event: Event) -> list[Any]:
    return [check for check in client.get(f"{EVENTS}{event.pk}/").context["checks"] if check.is_done]


def test_a_reader_is_offered_no_tab_and_no_act_that_answers_403() -> None:
    event, client = make_event(status="draft"), logged_in("view_event", "view_registration")
    page = client.get(f"{EVENTS}{event.pk}/").text
    assert "/publish/" not in page
    assert "/settings/" not in page
    assert client.get(f"{EVENTS}{event.pk}/settings/").status_code == 403


def test_the_day_counts_who_is_there() -> None:
    event = make_event(starts_in=timedelta(minutes=-5))
    people = [make_registration(event) for _ in range(3)]
    Attendance.objects.create(registration=people[0], origin="join")
    page = logged_in().get(f"{EVENTS}{event.pk}/day/")
    assert (page.context["present"], page.context["seated"]) == (1, 3)


@pytest.mark.parametrize("starts_in", [timedelta(days=7), timedelta(minutes=-5), timedelta(days=-5)])
def test_the_home_asks_twelve_questions_at_most(starts_in: timedelta) -> None:
    event = make_event(starts_in=starts_in, capacity=80)
    make_registration(event)
    client = logged_in("view_event", "view_registration", "view_delivery", "change_event")
    client.get(f"{EVENTS}{event.pk}/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"{EVENTS}{event.pk}/").status_code == 200
    assert len(captured) <= 12, "\n".join(query["sql"] for query in captured)


def test_a_reader_who_opens_the_preview_ticks_nothing_off() -> None:
    event = make_event(status="draft")
    reader = member("Lecture")
    for page in ("preview", "mails"):
        assert reader.get(f"{EVENTS}{event.pk}/{page}/").status_code == 200
    assert not event.checks.exists()
