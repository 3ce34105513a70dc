"""A form of the desk without a valid token comes back as the form itself, filled in; nothing is done."""

import re
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from registrations.models import Broadcast, Event, Registration
from registrations.models.rate_limit import RateLimitHit
from tests.admin_client import EVENTS, PEOPLE, event_form, with_fresh_password
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
TOO_LONG = "Cette page était restée ouverte trop longtemps."
ACCOUNTS = "/admin/auth/user/"


@pytest.fixture
def staff() -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("organisatrice", password="un bien long secret"))
    return with_fresh_password(client)


def shown(client: Client, path: str, typed: dict[str, Any]) -> Any:
    page = client.post(path, typed)
    assert page.status_code == 403
    assert TOO_LONG in page.text
    assert page["Cache-Control"] == "no-store, private"
    return page


def sent_again(client: Client, path: str, page: Any, typed: dict[str, Any]) -> Any:
    return client.post(path, {**typed, "csrfmiddlewaretoken": TOKEN.findall(page.text)[0]})


def test_the_form_of_an_event_comes_back_whole_and_can_be_saved(staff: Client) -> None:
    event = make_event(report=False)
    path = f"{EVENTS}{event.pk}/change/"
    typed = event_form(staff, path) | {"title": "Un titre long & neuf", "description": "Deux\nlignes"}
    page = shown(staff, path, {**typed, "csrfmiddlewaretoken": "x" * 64})
    assert "Un titre long &amp; neuf</textarea>" in page.text
    assert "Deux\nlignes</textarea>" in page.text
    assert page.text.count(TOO_LONG) == 1
    event.refresh_from_db()
    assert event.title != "Un titre long & neuf"
    assert sent_again(staff, path, page, typed).status_code == 302
    event.refresh_from_db()
    assert event.title == "Un titre long & neuf"


def test_a_question_that_was_added_to_the_form_comes_back_too(staff: Client) -> None:
    event = make_event(report=False)
    path = f"{EVENTS}{event.pk}/change/"
    row = {
        "own_questions-TOTAL_FORMS": "1",
        "own_questions-0-label": "Et le <budget> ?",
        "own_questions-0-kind": "text",
    }
    page = shown(staff, path, event_form(staff, path) | row)
    assert escape("Et le <budget> ?") in page.text
    assert not event.own_questions.exists()


FORMS = [
    pytest.param(f"{EVENTS}add/", {"title": "Un titre neuf"}, id="new event"),
    pytest.param(f"{PEOPLE}add/", {"first_name": "Un titre neuf"}, id="new person"),
    pytest.param(f"{PEOPLE}{{person}}/change/", {"organisation": "Un titre neuf"}, id="person"),
    pytest.param(f"{EVENTS}{{event}}/write/", {"subject": "Un titre neuf", "body": "Bonjour"}, id="message"),
    pytest.param(f"{EVENTS}{{event}}/postpone/", {"words": "Un titre neuf"}, id="postpone"),
    pytest.param(f"{EVENTS}{{event}}/cancel/", {"words": "Un titre neuf"}, id="cancel"),
    pytest.param(f"{EVENTS}{{event}}/reschedule/", {"words": "Un titre neuf"}, id="reschedule"),
    pytest.param(f"{EVENTS}{{event}}/trial/", {"first_name": "Un titre neuf"}, id="dry run"),
    pytest.param(f"{ACCOUNTS}add/", {"username": "Un titre neuf"}, id="new account"),
]


@pytest.mark.parametrize(("path", "typed"), FORMS)
def test_every_form_in_which_one_types_comes_back_filled_in(staff: Client, path: str, typed: dict[str, str]) -> None:
    person = make_registration()
    page = shown(staff, path.format(person=person.pk, event=person.event.pk), typed)
    assert re.search(r'value="Un titre neuf"|Un titre neuf</textarea>', page.text)
    assert (Event.objects.count(), Registration.objects.count(), User.objects.count()) == (1, 1, 1)
    assert not Broadcast.objects.exists()


def test_a_login_without_a_cookie_tries_no_password_and_counts_nothing() -> None:
    User.objects.create_superuser("ada", password="un bien long secret")
    visitor = Client(enforce_csrf_checks=True)
    with mock.patch("django.contrib.auth.forms.authenticate") as authenticate:
        page = shown(visitor, "/admin/login/", {"username": "ada", "password": "un bien long secret"})
    assert not authenticate.called
    assert "_auth_user_id" not in visitor.session
    assert not RateLimitHit.objects.exists()
    assert 'value="ada"' in page.text
    assert "un bien long secret" not in page.text


def test_a_password_is_asked_for_again_beside_its_field() -> None:
    page = shown(Client(enforce_csrf_checks=True), "/admin/login/", {"username": "ada", "password": "x"})
    assert "À saisir à nouveau : il n’est pas conservé." in page.text


def test_a_new_password_is_not_set(staff: Client) -> None:
    typed = {"old_password": "un bien long secret", "new_password1": "autre secret", "new_password2": "autre secret"}
    shown(staff, "/admin/password_change/", typed)
    assert User.objects.get().check_password("un bien long secret")


def test_a_file_cannot_come_back_and_its_field_says_so(staff: Client) -> None:
    event = make_event(report=False)
    path = f"{EVENTS}{event.pk}/change/"
    upload = {"report_file": SimpleUploadedFile("rapport.pdf", b"%PDF-1.7")}
    page = shown(staff, path, event_form(staff, path) | upload)
    assert "Choisissez à nouveau ce fichier : il n’a pas pu être conservé." in page.text
    event.refresh_from_db()
    assert not event.report_file


@pytest.mark.parametrize("path", [f"{EVENTS}{{event}}/duplicate/", f"{PEOPLE}{{person}}/delete/"])
def test_a_lone_button_does_nothing_and_can_be_pressed_again(staff: Client, path: str) -> None:
    person = make_registration()
    page = staff.post(path.format(person=person.pk, event=person.event.pk), {"confirmed": "yes", "post": "yes"})
    assert page.status_code == 403
    assert "<h1>La page a expiré" in page.text
    assert (Event.objects.count(), Registration.objects.count()) == (1, 1)


def test_who_may_not_open_the_page_is_not_shown_its_form() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("equipe", is_staff=True))
    page = client.post(f"{EVENTS}{make_event().pk}/change/", {"title": "x"})
    assert page.status_code == 403
    assert "<form" not in page.text


def test_a_form_is_accepted_as_before_by_the_request_that_follows(staff: Client) -> None:
    event = make_event(report=False)
    path = f"{EVENTS}{event.pk}/change/"
    typed = event_form(staff, path) | {"title": "Un titre neuf"}
    page = shown(staff, path, typed)
    assert sent_again(staff, path, page, typed | {"title": ""}).status_code == 200
    assert sent_again(staff, path, page, typed).status_code == 302
