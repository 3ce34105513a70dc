"""Strange bytes in headers, cookies, bodies and queries of every address: an error page at most, and never a 5xx."""

import base64
import json
import socket
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from registrations.mailing import providers
from tests.factories import make_event
from tests.mailing.test_tracking import SECRET, configure
from tests.site import TIMEOUT, RunningSite
from tests.views.test_every_address import paths, rows

__all__ = ["rows"]  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("untypeset")]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data"
QUERIES = [
    "page=\0&q=%00",
    "q=%00&o=%00",
    "q=%ED%A0%80&_changelist_filters=%FF%FE&p=99999999999999999999&o=9.9.-9&e=1",
    "&".join(f"f{number}=1" for number in range(2101)),
    f"q={'x' * 30_000}&event={'9' * 5000}&next=//%5C%00",
    "%",
]
NUL = "\\000"  # as a cookie writes it
HEADERS: list[dict[str, str]] = [
    {"HTTP_COOKIE": f'sessionid="{NUL * 9}"; csrftoken="{NUL}"; django_language="{NUL}"'},
    {"HTTP_COOKIE": "sessionid=" + "é" * 40 + "; sessionid=x; =; ;;, messages=\xff\xfe"},
    {"HTTP_COOKIE": "sessionid='; DROP TABLE--0000; csrftoken=" + "x" * 4000},
    {"HTTP_ACCEPT_LANGUAGE": "x" * 9000 + ",\xff;q=nan;q=inf,fr;q=9e999", "HTTP_ACCEPT_ENCODING": "gzip;q=\xff,,*;q="},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 99 Nov 99999 99:99:99 GMT", "HTTP_IF_NONE_MATCH": '"\xff, W/"'},
    {"HTTP_RANGE": "bytes=-", "HTTP_ACCEPT": "\xff/;q=x"},
    {"HTTP_AUTHORIZATION": "Basic \xff\xfe", "HTTP_X_FORWARDED_FOR": "\xff, [::1, %zz", "HTTP_X_REQUEST_ID": "\xff"},
    {"HTTP_AUTHORIZATION": "Bearer \xe9", "HTTP_REFERER": "http://[::1", "HTTP_ORIGIN": "http://["},
    {"HTTP_HOST": "[::1", "HTTP_X_FORWARDED_PROTO": "https, http"},
    {"HTTP_HOST": "127.0.0.1, evil.example", "HTTP_X_FORWARDED_HOST": "\xff"},
]
BODIES = [
    (b"\xff\xfe=\x00&a=%ED%A0%80&b=%00&email=%00&_selected_action=%00&action=%00&username=%00&code=%00&key=%00", FORM),
    (b"&".join(b"f%d=1" % number for number in range(2101)), FORM),
    (b'{"a":', JSON),
    (b"x" * 100, MULTIPART),
    (
        b'--b\r\nContent-Disposition: form-data; name="\0"; filename="\xff\0"\r\n\r\n\0\r\n--b--',
        f"{MULTIPART}; boundary=b",
    ),
    (b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n=\r\n--b", f"{MULTIPART}; boundary=b"),
    (b"a=1", f"{FORM}; charset=nosuch"),
    (b"a=+AGE-", "\xff\xfe; charset=\xff"),
]


def failures(client: Client, rows: dict[str, Any], *, is_admin: bool) -> list[tuple[str, int, int]]:
    """(path, index of the request, status) of each answer that is an error of the site."""
    client.raise_request_exception = False
    found = []
    for route, path in paths(rows).items():
        if route.startswith("admin/") != is_admin or "logout" in route or "jsi18n" in route:
            continue
        asked: list[Any] = [lambda path=path, query=query: client.get(path, QUERY_STRING=query) for query in QUERIES]
        if client.session.session_key is None:  # its cookie is the session
            asked += [lambda path=path, headers=headers: client.get(path, **headers) for headers in HEADERS]
        asked += [lambda path=path, body=body: client.generic("POST", path, *body) for body in BODIES]
        for number, request in enumerate(asked):
            answer = request()
            answer.getvalue()  # also of a stream, which then closes its file
            if answer.status_code >= 500:
                found.append((path, number, answer.status_code))
    return found


def test_no_visitor_gets_a_traceback_out_of_a_public_page(rows: dict[str, Any]) -> None:
    assert failures(Client(), rows, is_admin=False) == []


def test_no_visitor_gets_a_traceback_out_of_an_admin_page(rows: dict[str, Any]) -> None:
    assert failures(Client(), rows, is_admin=True) == []


def test_staff_get_no_traceback_out_of_an_admin_page(rows: dict[str, Any]) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("organisatrice"))
    assert failures(staff, rows, is_admin=True) == []


@pytest.mark.parametrize("size", ["0" * 22 + "20000000", "+20000000", " 20000000", "20_000_000", "٢٠٠٠٠٠٠٠"])
def test_a_large_body_is_not_read_because_its_length_is_written_strangely(client: Client, size: str) -> None:
    page = client.generic("POST", f"/evenements/{make_event().slug}/inscription/", b"", FORM, CONTENT_LENGTH=size)
    assert page.status_code == 413


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800") | st.just("\0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "event",
    "RecordType",
    "Metadata",
    "Payload",
    "X-Mailin-custom",
    "hard_bounce",
    "Type",
    "time",
    "ts_epoch",
    "date",
]
EVENTS = st.dictionaries(
    st.sampled_from(KEYS), ANYTHING | st.sampled_from(["hard_bounce", "bounce", "Bounce", "sent"])
)


def tell(client: Client, body: bytes, path: str) -> int:
    client.raise_request_exception = False
    authorization = f"Basic {base64.b64encode(SECRET.encode()).decode()}"
    return client.post(path, body, content_type=JSON, headers={"authorization": authorization}).status_code


@pytest.mark.parametrize("esp", sorted(providers.EVENT_VIEWS.keys() - {"amazon_ses"}))  # which needs Amazon's library
def test_who_has_the_secret_of_the_webhook_gets_no_traceback(settings: Settings, client: Client, esp: str) -> None:
    configure(settings, esp)
    path = f"/anymail/{esp}/tracking/"
    for body in (b"[]", b"", b"{", b"null", b"1", b'"x"', b"[" * 100_000, b"[1]", b"[[]]", b"\xff\xfe", b'{"a":"\0"}'):
        assert tell(client, body, path) in {200, 400}, body[:20]

    @hypothesis_settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ANYTHING | EVENTS | st.lists(EVENTS, max_size=2))
    @example({"event": "sent", "time": 6.8e16})  # the operating system has no such date
    @example({"event": "sent", "time": 1e300})
    def events(event: Any) -> None:
        assert tell(client, json.dumps(event).encode(), path) in {200, 400}

    events()


@pytest.mark.parametrize("authorization", ["Basic", "Basic \xff", "Basic ////", "Bearer x", "Basic " + "A" * 20_000])
def test_who_lacks_the_secret_of_the_webhook_gets_a_400(
    settings: Settings, client: Client, authorization: str
) -> None:
    configure(settings, "brevo")
    client.raise_request_exception = False
    answer = client.post("/anymail/brevo/tracking/", "{}", content_type=JSON, HTTP_AUTHORIZATION=authorization)
    assert answer.status_code == 400


FORM_PATH = "/evenements/x/inscription/"
CHUNK = f"{300 * 1024:x}\r\n{'a' * 300 * 1024}\r\n0\r\n\r\n"
RAW = {  # what is sent after the first line and Host, with the answer
    "a length of thirty digits": ("Content-Length: 100000000000000000000000000000\r\n\r\n", 413),
    "a large length with leading zeros": ("Content-Length: 000000000000000000000200000000\r\n\r\n", 413),
    "a length of 5000 digits": (f"Content-Length: {'9' * 5000}\r\n\r\n", 400),
    "a length that is announced": ("Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n", 413),
    "a broken length that is announced": ("Content-Length: x\r\nExpect: 100-continue\r\n\r\n", 400),
    "a megabyte that does not come": ("Content-Length: 1000000\r\n\r\n", 413),
    "two lengths": ("Content-Length: 3\r\nContent-Length: 4\r\n\r\na=1", 400),
    "a length and chunks": ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 403),
    "large chunks": (f"Transfer-Encoding: chunked\r\n\r\n{CHUNK}", 413),
    "broken chunks": ("Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", 400),
    "two hosts": ("Host: evil.example\r\nContent-Length: 0\r\n\r\n", 400),
    "huge headers": (f"X: {'x' * 40_000}\r\n\r\n", 431),
}


def test_the_web_server_refuses_strange_requests_and_goes_on(site: RunningSite) -> None:
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    answers = {}
    for name, (rest, _status) in RAW.items():
        with socket.create_connection(("127.0.0.1", site.port), timeout=TIMEOUT) as connection:
            connection.sendall(f"POST {FORM_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n{rest}".encode())
            answers[name] = int(connection.recv(4096).split()[1])
    assert answers == {name: status for name, (_rest, status) in RAW.items()}
    assert site.status("/accessibilite/") == 200
    upload = Request(f"http://127.0.0.1:{site.port}/admin/login/", data=bytes(26 * 1024 * 1024))
    with pytest.raises(HTTPError) as refused:
        urlopen(upload, timeout=TIMEOUT)
    assert refused.value.status == 413
    assert "Votre envoi est trop volumineux" in refused.value.read().decode()


def test_a_stranger_fills_no_memory_with_a_body_that_no_public_page_takes(site: RunningSite) -> None:
    """It is answered by its announced length, and nothing that follows is read or taken for a request."""
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    head = f"POST {FORM_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nContent-Length: 40000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=TIMEOUT) as connection:
        connection.sendall(f"{head}GET / HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode())
        answer = b""
        while received := connection.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert "Votre envoi est trop volumineux" in answer.decode()


@pytest.mark.parametrize("target", ["http://[/", "//[", "http://[::1"])
def test_a_broken_host_in_the_address_gets_an_answer(site: RunningSite, target: str) -> None:
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    with socket.create_connection(("127.0.0.1", site.port), timeout=TIMEOUT) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode())
        assert int(connection.recv(4096).split()[1]) in {400, 404}


@pytest.mark.parametrize("number", ["9" * 30, "-1", "\0", "1\0", "é", "", "1" * 5000, "1_0", "٣"])
def test_a_strange_link_of_an_invitation_gives_no_traceback(client: Client, number: str) -> None:
    User.objects.create_user("quelqu-une", is_staff=True)
    client.raise_request_exception = False
    encoded = base64.urlsafe_b64encode(number.encode()).decode()
    for token in ("x", "password", "zzzzzzz-" + "a" * 32, "1-\u0663", "%00", "-"):
        for uid in (encoded, encoded.rstrip("="), "é"):
            assert client.get(f"/admin/invitation/{uid or '='}/{token}/").status_code in {302, 400, 404}, token
