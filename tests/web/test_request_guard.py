"""What is refused before anything reads it, and what every response carries."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import Settings

from registrations.models import Registration
from registrations.web import errors
from tests.factories import answers, make_event

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class NeverRead(io.BytesIO):
    def read(self, *args: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def announce(client: Client, path: str, size: int | str) -> Any:
    """A POST that says how large it is; whoever reads it fails."""
    return client.generic("POST", path, b"", FORM, **{"CONTENT_LENGTH": str(size), "wsgi.input": NeverRead()})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path",
    [
        "/rejoindre/%00/",
        "/evenements/a%00b/",
        "/?q=%00",
        "/?q=a\0b",
        "/rejoindre/%2500/",
        "/admin/?%00=1",
        "/static/%00",
    ],
)
def test_nul_is_refused_wherever_it_stands(client: Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 400
    assert "Demande non comprise" in page.text


def test_a_nul_in_the_form_is_an_answer_to_correct_not_an_error(client: Client) -> None:
    page = client.post(f"/evenements/{make_event().slug}/inscription/", answers(first_name="a\0b"))
    assert page.status_code == 200
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/evenements/x/inscription/", 256 * 1024),
        ("/rejoindre/x/", 256 * 1024),
        ("/nowhere/", 256 * 1024),
        ("/administration/", 256 * 1024),
        ("/anymail/brevo/tracking/", 1024 * 1024),
        ("/admin/login/", 25 * 1024 * 1024),
    ],
)
def test_a_large_body_is_refused_unread(client: Client, path: str, most: int) -> None:
    page = announce(client, path, most + 1)
    assert page.status_code == 413
    assert "Votre envoi est trop volumineux" in page.text
    assert page["Content-Security-Policy"] == STRICT


@pytest.mark.parametrize("size", ["9" * 5000, "1" + "0" * 30])
def test_an_absurd_size_is_large(client: Client, size: str) -> None:
    assert announce(client, "/", size).status_code == 413


@pytest.mark.parametrize("size", ["", "-1", "x", "٣"])
def test_a_size_that_is_none_is_left_to_django(client: Client, size: str) -> None:
    event = make_event()
    page = client.generic("POST", f"/evenements/{event.slug}/inscription/", b"", FORM, CONTENT_LENGTH=size)
    assert page.status_code == 200


def test_texts_that_are_too_large_for_the_settings_are_told_the_same(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    page = client.post(f"/evenements/{make_event().slug}/inscription/", answers())
    assert page.status_code == 413


@pytest.mark.parametrize("path", ["/admin/login/", "/evenements/{slug}/inscription/"])
@pytest.mark.parametrize("content_type", [f"{FORM}; charset=utf-7", f"{FORM}; charset=nosuch", "multipart/form-data"])
def test_a_body_that_cannot_be_read_is_a_400_and_no_500(client: Client, path: str, content_type: str) -> None:
    client.raise_request_exception = False
    page = client.generic("POST", path.format(slug=make_event().slug), b"a=+AGE-", content_type)
    assert page.status_code in {200, 400}
    enforced = Client(enforce_csrf_checks=True, raise_request_exception=False)
    page = enforced.generic("POST", path.format(slug=make_event().slug), b"a=+AGE-", content_type)
    assert page.status_code in {400, 403}


def test_a_charset_that_no_form_has_meets_our_own_400(client: Client) -> None:
    client.raise_request_exception = False
    page = client.generic("POST", "/admin/login/", b"a=+AGE-", f"{FORM}; charset=utf-7")
    assert page.status_code == 400
    assert "Demande non comprise" in page.text


def test_too_many_fields_meet_our_own_400(client: Client, settings: Settings) -> None:
    client.raise_request_exception = False
    fields = {f"f{number}": "" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    page = client.post(f"/evenements/{make_event().slug}/inscription/", fields)
    assert page.status_code == 400
    assert page["Content-Security-Policy"] == STRICT


def test_another_host_is_refused_and_its_name_is_nowhere(client: Client, settings: Settings) -> None:
    for secure in (False, True):
        settings.SECURE_SSL_REDIRECT = secure
        page = client.get("/accessibilite/", headers={"host": "evil.example"})
        assert page.status_code == 400
        assert "evil.example" not in page.text
        assert page["Content-Security-Policy"] == STRICT


def test_a_refusal_speaks_the_language_of_its_address(client: Client) -> None:
    client.get("/accessibilite/")
    assert "Request not understood" in client.get("/en/?q=%00").text
    client.get("/en/accessibilite/")
    assert "Demande non comprise" in client.get("/?q=%00").text


def refuse(problem: Exception) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise problem

    return view


@pytest.mark.parametrize(
    ("problem", "status", "heading"),
    [
        (PermissionDenied(), 403, "Accès refusé"),
        (ValueError(), 500, "Un problème est survenu"),
        (OperationalError(), 503, "Le site se repose un instant"),
    ],
)
def test_pages_of_errors_look_like_the_others(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, problem: Exception, status: int, heading: str
) -> None:
    settings.LEGAL_CONTACT = "donnees@example.org"
    client.raise_request_exception = False
    monkeypatch.setattr("registrations.web.context.static", refuse(problem))
    check_page(client.get("/favicon.ico"), status, heading)


def test_pages_of_refusals_look_like_the_others(client: Client, settings: Settings) -> None:
    settings.LEGAL_CONTACT = "donnees@example.org"
    check_page(client.get("/?%00"), 400, "Demande non comprise")
    check_page(client.get("/nowhere/"), 404, "Page introuvable")
    check_page(announce(client, "/", 10**6), 413, "Votre envoi est trop volumineux")
    csrf = Client(enforce_csrf_checks=True).post(f"/evenements/{make_event().slug}/inscription/")
    check_page(csrf, 403, "La page a expiré")


def check_page(page: Any, status: int, heading: str) -> None:
    assert page.status_code == status
    assert f"<h1>{heading}" in page.text
    assert 'class="site-name"' in page.text
    assert "donnees@<wbr>example.org" in page.text or "donnees@" in page.text
    assert page["Content-Security-Policy"] == STRICT
    assert page["Permissions-Policy"].startswith("camera=()")
    assert page["X-Content-Type-Options"] == "nosniff"


def test_the_page_of_too_many_tries_says_how_long_to_wait(rf: Any) -> None:
    response = errors.too_many_requests(rf.get("/admin/login/"), timedelta(seconds=61))
    assert (response.status_code, response["Retry-After"]) == (429, "61")
    assert "Attendez 2 minutes" in response.text
    assert "Attendez 1 minute," in render_to_string("429.html", {"minutes": 1})


def test_static_files_and_redirects_forbid_camera_and_microphone_too(client: Client) -> None:
    make_event()
    for path in ("/", "/admin/", "/healthz"):
        assert "microphone=()" in client.get(path)["Permissions-Policy"]


def test_a_staff_member_without_the_right_meets_our_own_403(client: Client) -> None:
    client.force_login(User.objects.create_user("lectrice", is_staff=True))
    page = client.get("/admin/registrations/event/")
    assert page.status_code == 403
    assert "Accès refusé" in page.text
