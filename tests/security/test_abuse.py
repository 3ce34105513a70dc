"""Attacks by visitors. See also test_rate_limits, test_request_guard, test_login, test_upload, test_every_address."""

import http.client
import re
import secrets
import socket
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registrations.mailing import wakeups
from registrations.models import Delivery, Registration
from registrations.models.person_fields import PERSON_FIELDS, Kind
from registrations.security import rate_limits
from tests import mailbox
from tests.factories import ROOM, answers, make_event, make_registration
from tests.journey import Journey, shown_stamp, without_token
from tests.site import TIMEOUT, RunningSite
from tests.test_settings import SAFE, start

pytestmark = pytest.mark.django_db

ADVERTS = [
    "Ваш профиль победил http://asuspeci.tk",
    "GET BITCOIN NOW www.example.tk",
    "asuspeci.tk",
    "Click <a href=x>",
    "win@example.org",
    "a/b",
    "{event}",
    "$$$",
    "x" * 101,
    "Zo\u0308" + "\u0301" * 9,
    "Zoë\r\nBcc: victim@example.org",
    "Zoë\u2028Bcc: victim@example.org",
    "\x00",
    "\ue000",
]


def full_text(mail: EmailMessage) -> str:
    """All text of a mail, with its calendar object."""
    leaves = [
        leaf for leaf in mail.walk() if leaf.get_content_maintype() == "text" or "ics" in leaf.get_content_type()
    ]
    payloads = [leaf.get_payload(decode=True) for leaf in leaves]
    bodies = [payload.decode() for payload in payloads if isinstance(payload, bytes)]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *bodies]).replace("\r\n ", "")


@pytest.mark.parametrize("advert", ADVERTS)
@pytest.mark.parametrize("name", ["first_name", "last_name"])
def test_a_name_with_an_advert_is_refused_and_not_mailed(journey: Journey, name: str, advert: str) -> None:
    typed: dict[str, Any] = {name: advert}
    page = journey.sign_up(make_event(report=False), **typed)
    assert page.status_code == 200
    assert name in page.context["form"].errors
    assert journey.mails() == []


def test_of_the_form_only_the_name_is_in_the_mail(journey: Journey) -> None:
    texts = [one.name for one in PERSON_FIELDS if one.asked and one.asked.kind in {Kind.TEXT, Kind.LONG_TEXT}]
    marks: dict[str, Any] = {name: f"ADVERT-{name}" for name in texts}
    journey.sign_up(make_event(report=False), first_name="Zoë", **marks)
    [mail] = journey.mails()
    assert "ADVERT" not in full_text(mail)
    assert "Zoë" not in str(mail["Subject"])


@pytest.mark.parametrize(
    "address",
    [
        '"a,b"@example.org',
        "a@example.org,b@example.org",
        "a@example.org;b@example.org",
        "Zoë <a@example.org> <b@example.org>",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org%0aBcc:b@example.org",
        "a@[127.0.0.1",
        "a b@example.org",
        "a@example.org\0",
        "a@exa\u2024mple.org b",
    ],
)
def test_a_form_with_several_addresses_sends_no_mail_to_a_second_one(journey: Journey, address: str) -> None:
    page = journey.sign_up(make_event(report=False), email=address)
    assert "email" in page.context["form"].errors
    assert journey.mails() == []


def test_a_name_cannot_inject_headers_or_calendar_lines(journey: Journey) -> None:
    journey.sign_up(make_event(report=False))
    Registration.objects.update(first_name="Zoë, Marie: l’« une »", last_name='O\'Neil\u00a0"Z"')  # before the rule
    [mail] = journey.mails()
    lines = mailbox.calendar_lines(mailbox.part(mail, "application/ics"))
    assert len([line for line in lines if line.startswith("ATTENDEE")]) == 1
    assert not [line for line in lines if line.startswith(("Marie", "Z"))]
    assert len(mail.get_all("To") or []) == 1


def test_bytes_that_are_not_utf_8_are_no_server_error(client: Client) -> None:
    path = f"/evenements/{make_event().slug}/inscription/"
    for body in (b"first_name=%ff%fe&email=%ed%a0%80", b"\xff\xfe\x00", b"%" * 500, b"&" * 300):
        page = client.generic("POST", path, body, "application/x-www-form-urlencoded")
        assert page.status_code in {200, 400}


@pytest.mark.parametrize("query", ["?q=%ff", "?%ff=%fe", "?a[]=b&a=%ed%a0%80", "?" + "a=1&" * 500, "?q=" + "x" * 8000])
def test_unusual_queries_are_no_server_error(client: Client, query: str) -> None:
    event = make_event()
    for path in ("/", f"/evenements/{event.slug}/", f"/evenements/{event.slug}/inscription/", "/admin/login/"):
        assert client.get(path + query).status_code in {200, 302, 400}


def test_a_known_and_an_unknown_address_get_the_same_answer_and_cost_the_same(client: Client) -> None:
    event = make_event(report=False)
    make_registration(event, email="known@example.org", first_name="Anne")
    wakeups.wake_up()  # one waiting wake-up is enough for both mails
    told: dict[str, dict[str, Any]] = {}
    for address in ("known@example.org", "other@example.org"):
        visitor = Client()
        path = f"/evenements/{event.slug}/inscription/"
        stamp = shown_stamp(visitor, path)
        with CaptureQueriesContext(connection) as queries:
            answer = visitor.post(path, {**answers(email=address, first_name="Zoë"), "stamp": stamp})
        written = [match[1] for query in queries if (match := re.match(r"\s*INSERT INTO \"?(\w+)", query["sql"]))]
        thanks = visitor.get(answer["Location"])
        told[address] = {
            "status": answer.status_code,
            "headers": {name: len(value) for name, value in answer.items()},
            "cookies": {name: cookie["max-age"] for name, cookie in visitor.cookies.items()},
            "body": answer.content,
            "thanks": without_token(thanks.text).replace(address, ""),
            "writes": sorted(table for table in written if table != "registrations_registration"),
        }
    assert told["known@example.org"] == told["other@example.org"]
    assert "registrations_delivery" in told["known@example.org"]["writes"]


def test_above_the_limit_a_known_and_an_unknown_address_get_the_same_answer(client: Client) -> None:
    event = make_event(report=False)
    make_registration(event, email="known@example.org")
    for address in ("known@example.org", "other@example.org"):
        for _ in range(3):
            rate_limits.take((rate_limits.MAILS_TO_MAILBOX, address))
    pages = []
    for address in ("known@example.org", "other@example.org"):
        visitor = Client()
        path = f"/evenements/{event.slug}/inscription/"
        stamp = shown_stamp(visitor, path)
        answer = visitor.post(path, {**answers(email=address, first_name="Zoë"), "stamp": stamp}, follow=True)
        pages.append(
            (
                answer.status_code,
                answer.redirect_chain,
                without_token(answer.text).replace(address, ""),
                set(visitor.cookies),
            )
        )
    assert pages[0] == pages[1]
    owed = Delivery.objects.filter(kind="confirmation").values_list("registration__email", flat=True)
    assert list(owed) == ["other@example.org"]


def test_the_two_codes_are_random_and_independent() -> None:
    event = make_event(report=False)
    codes = [
        code for row in (make_registration(event) for _ in range(50)) for code in (row.join_code, row.manage_code)
    ]
    assert len(set(codes)) == 100
    assert {len(code) for code in codes} == {len(secrets.token_urlsafe(16))}
    assert len({code[:4] for code in codes}) > 95


def test_mailed_links_work_after_a_change_of_the_secret_key(client: Client, settings: Settings) -> None:
    registration = make_registration(make_event(report=False))
    settings.SECRET_KEY = "another " * 10
    assert client.get(f"/rejoindre/{registration.join_code}/").status_code == 200
    assert client.get(f"/mon-inscription/{registration.manage_code}/").status_code == 200


def test_the_room_comes_from_the_event_whatever_the_visitor_sends(client: Client) -> None:
    registration = make_registration(make_event(report=False, starts_in=timedelta(minutes=5)))
    path = f"/rejoindre/{registration.join_code}/?next=https://evil.example/"
    typed = {
        "next": "https://evil.example/",
        "url": "https://evil.example/",
        "connection_url": "https://evil.example/",
    }
    assert client.post(path, typed, headers={"referer": "https://evil.example/"})["Location"] == ROOM


def test_links_to_other_sites_send_no_referrer(client: Client) -> None:
    event = make_event(report=False, starts_in=timedelta(days=-9), replay_url="https://video.example.net/1")
    registration = make_registration(event)
    for path in (f"/evenements/{event.slug}/", f"/rejoindre/{registration.join_code}/"):
        outward = re.findall(r'<a [^>]*href="https://[^>]*>', client.get(path).text)
        assert [link for link in outward if "noreferrer" not in link and "webinaires.example.org" not in link] == []
        assert "https://video.example.net/1" in str(outward)


def test_forwarded_host_headers_are_ignored(client: Client, settings: Settings) -> None:
    assert settings.USE_X_FORWARDED_HOST is False
    event = make_event(report=False)
    forged = {
        "x-forwarded-host": "evil.example",
        "x-forwarded-server": "evil.example",
        "forwarded": "host=evil.example",
    }
    for path in (
        "/",
        f"/evenements/{event.slug}/",
        f"/evenements/{event.slug}/merci/",
        f"/evenements/{event.slug}/evenement.ics",
    ):
        answer = client.get(path, headers=forged)
        assert "evil.example" not in answer.content.decode() + str(answer.headers)


@pytest.mark.parametrize("field", ["title", "short_title", "summary", "description", "organiser_name", "contact_name"])
def test_html_typed_by_an_organiser_is_escaped_everywhere(journey: Journey, field: str) -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1))"
    words: dict[str, Any] = {field: hostile[: 80 if field == "short_title" else 100]}
    event = make_event(report=False, **words)
    registration = make_registration(event)
    paths = [
        f"/evenements/{event.slug}/",
        f"/evenements/{event.slug}/inscription/",
        f"/rejoindre/{registration.join_code}/",
    ]
    texts = [journey.client.get(path).text for path in paths]
    journey.sign_up(event)
    texts += [mailbox.html(mail) for mail in journey.mails()]
    assert len(texts) == 4
    for text in texts:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert 'href="javascript' not in text


def test_extra_fields_in_a_form_are_ignored(journey: Journey) -> None:
    journey.sign_up(make_event(report=False), status="cancelled", join_code="x" * 22, uid="x", event_id="7", id="7")
    registration = Registration.objects.get()
    assert registration.status == "confirmed"
    assert registration.join_code != "x" * 22


def test_cookies_and_headers_of_a_public_site_require_https(tmp_path: Any) -> None:
    script = (
        "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME,"
        "s.KNOWN_BROWSER_COOKIE_NAME,"
        "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY,"
        "s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS, s.SESSION_COOKIE_AGE, s.SESSION_COOKIE_SAMESITE)"
    )
    told = start(tmp_path, "shell", "--verbosity", "0", "-c", script, **SAFE).stdout.split()
    assert told == [
        *["__Host-session", "__Host-csrf", "__Host-known"],
        *["True"] * 5,
        *["31536000", "28800", "Lax"],
    ]


def test_a_real_server_refuses_large_bodies_and_headers_at_once(demo: RunningSite) -> None:
    def answer(head: str) -> str:
        with socket.create_connection(("127.0.0.1", demo.port), timeout=TIMEOUT) as client:
            client.sendall(head.encode())
            return client.recv(100).decode()

    host = f"Host: 127.0.0.1:{demo.port}\r\nContent-Type: text/plain\r\n"
    assert " 413 " in answer(f"POST /admin/login/ HTTP/1.1\r\n{host}Content-Length: {51 * 1024 * 1024}\r\n\r\n")
    assert " 431 " in answer(f"GET / HTTP/1.1\r\n{host}X: {'x' * 40_000}\r\n\r\n")
    connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=TIMEOUT)
    connection.request("POST", "/accessibilite/", b"x" * 300_000, {"Content-Type": "text/plain"})
    response = connection.getresponse()
    assert response.status == 413
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    connection.close()


def test_behind_a_proxy_the_origin_is_what_the_proxy_saw(site: RunningSite) -> None:
    """With the real server: forged hops at the left of the header do not change the origin."""
    site.env |= {"TRUSTED_PROXY_COUNT": "1"}
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    statuses = []
    for number in range(62):
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=TIMEOUT)
        forged = {"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.9", "X-Forwarded-Proto": "http"}
        body = b"username=organisateur&password=wrong"
        connection.request("GET", "/admin/login/", headers=forged)
        page = connection.getresponse()
        cookie = (page.headers["Set-Cookie"] or "").partition(";")[0]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        assert token is not None
        fields = body + b"&csrfmiddlewaretoken=" + token[1].encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        connection.request("POST", "/admin/login/", fields, forged | kind)
        answer = connection.getresponse()
        statuses.append(answer.status)
        answer.read()
        connection.close()
        if answer.status == 429:
            break
    assert statuses == [200] * 10 + [429]
