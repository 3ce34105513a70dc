"""What was typed is not lost when a form has no valid token, or the session of the desk has ended."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from registrations.models import Delivery, Event, Registration
from tests.admin_client import EVENTS, event_form
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
EXPIRED = "Cette page avait expiré, ou votre navigateur ne garde pas les cookies de ce site."


@pytest.fixture
def visitor() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def staff(visitor: Client) -> Client:
    visitor.force_login(User.objects.create_superuser("organisatrice"))
    return visitor


def sent_again(client: Client, path: str, page: Any, typed: dict[str, Any]) -> Any:
    [token] = set(TOKEN.findall(page.text))
    return client.post(path, {**typed, "csrfmiddlewaretoken": token})


def hidden(page: Any) -> dict[str, str]:
    return {name: value for name, value in HIDDEN.findall(page.text) if name != "csrfmiddlewaretoken"}


def test_a_sign_up_without_a_cookie_shows_the_form_with_its_answers_and_can_be_sent(visitor: Client) -> None:
    path = f"{make_event().get_absolute_url()}inscription/"
    stamp = visitor.get(path).text.partition('name="stamp" value="')[2].partition('"')[0]
    visitor.cookies.clear()
    typed = answers(question="Et les <délais> ?", stamp=stamp)
    page = visitor.post(path, typed)
    assert page.status_code == 403
    assert EXPIRED in page.text
    assert f'value="{typed["email"]}"' in page.text
    assert "Et les &lt;délais&gt; ?</textarea>" in page.text
    assert not Registration.objects.exists()
    assert sent_again(visitor, path, page, typed).status_code == 303
    assert Registration.objects.get().question == "Et les <délais> ?"


def test_in_english_too(visitor: Client) -> None:
    page = visitor.post(f"/en{make_event().get_absolute_url()}inscription/", answers(first_name="Zoë"))
    assert "This page had expired" in page.text
    assert 'value="Zoë"' in page.text


def test_a_form_sent_by_a_browser_that_hides_where_it_comes_from_was_told_to_have_expired(visitor: Client) -> None:
    page = visitor.post(f"{make_event().get_absolute_url()}inscription/", answers(), headers={"Origin": "null"})
    assert "cache de quelle page vient ce formulaire" in page.text
    assert EXPIRED not in page.text
    assert 'value="Ville de Nulle-Part"' in page.text


def test_a_sign_up_from_another_site_was_told_to_have_expired(visitor: Client) -> None:
    page = visitor.post(
        f"{make_event().get_absolute_url()}inscription/", answers(), headers={"Origin": "https://evil.example"}
    )
    assert "Ce formulaire venait d’un autre site." in page.text
    assert EXPIRED not in page.text


HIDDEN_ORIGINS = [
    pytest.param({"headers": {"Origin": "null"}}, id="null"),
    pytest.param({"secure": True}, id="no referer"),
    pytest.param({"secure": True, "headers": {"Referer": "x"}}, id="malformed referer"),
]


@pytest.mark.parametrize("sent", HIDDEN_ORIGINS)
def test_a_privacy_extension_lost_the_text_and_was_told_of_another_site_and_of_cookies(
    staff: Client, sent: dict[str, Any]
) -> None:
    event = make_event()
    page = staff.post(f"{EVENTS}{event.pk}/change/", {"title": "Un long titre", "password": "un secret"}, **sent)
    assert page.status_code == 403
    assert "<h1>Votre navigateur cache d’où vient le formulaire</h1>" in page.text
    assert "<p>Un long titre</p>" in page.text
    assert "un secret" not in page.text
    assert "<form" not in page.text
    assert "cookies" not in page.text
    assert "autre site" not in page.text


def test_the_privacy_extension_is_told_in_english_too(visitor: Client) -> None:
    registration = make_registration()
    page = visitor.post(f"/en/mon-inscription/{registration.manage_code}/annuler/", headers={"Origin": "null"})
    assert "<h1>Your browser hides where the form comes from</h1>" in page.text


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("evenements/{event}/renvoyer/", {"email": "zoe@example.com"}),
        ("mon-inscription/{code}/modifier/", answers(organisation="Une autre")),
        ("mon-inscription/{code}/adresse/", {"email": "zoe@example.com"}),
    ],
)
def test_the_other_forms_of_visitors_are_shown_again_too(visitor: Client, page: str, typed: dict[str, Any]) -> None:
    registration = make_registration()
    path = "/" + page.format(event=registration.event.slug, code=registration.manage_code)
    shown = visitor.post(path, typed)
    assert shown.status_code == 403
    assert EXPIRED in shown.text
    name = "organisation" if "organisation" in typed else "email"
    assert f'value="{typed[name]}"' in shown.text
    assert not Delivery.objects.exists()
    assert sent_again(visitor, path, shown, typed).status_code == 303


@pytest.mark.parametrize("page", ["annuler/", "supprimer/", "renvoyer/"])
def test_a_page_with_a_button_alone_can_be_sent_again(visitor: Client, page: str) -> None:
    registration = make_registration()
    path = f"/mon-inscription/{registration.manage_code}/{page}"
    shown = visitor.post(path)
    assert "<h1>La page a expiré" in shown.text
    registration.refresh_from_db()
    assert not registration.is_cancelled
    assert sent_again(visitor, path, shown, {}).status_code == 303


def test_a_form_sent_after_the_session_has_ended_is_kept(staff: Client) -> None:
    event = make_event(report=False)
    path = f"{EVENTS}{event.pk}/change/"
    typed = event_form(staff, path) | {"title": "Un titre neuf"}
    page = Client().post(path, typed)
    assert page.status_code == 403
    assert "<h1>Votre session est terminée" in page.text
    assert hidden(page)["title"] == "Un titre neuf"
    assert Event.objects.get().title != "Un titre neuf"
    assert sent_again(staff, path, staff.post(path, typed), typed).status_code == 302  # logged in once more


def test_a_form_of_another_site_is_not_offered_to_be_sent_in_the_name_of_staff(staff: Client) -> None:
    event = make_event()
    page = staff.post(f"{EVENTS}{event.pk}/change/", {"title": "Gagné"}, headers={"Origin": "https://evil.example"})
    assert page.status_code == 403
    assert "<h1>Le formulaire venait d’un autre site</h1>" in page.text
    assert "cookies" not in page.text
    assert "Gagné" not in page.text
    assert "<form" not in page.text
