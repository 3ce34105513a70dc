"""What the log contains, and the personal data that it must never contain."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from waitress.proxy_headers import proxy_headers_middleware

from registrations.mailing import outbox
from registrations.models import Delivery
from registrations.runtime import log_context
from registrations.runtime.logs import MaskingFormatter, MaskingJsonFormatter, hide_visitor, one_line
from tests.factories import make_event, make_registration
from webinar import environment

pytestmark = pytest.mark.django_db
TEXT = MaskingFormatter("{message}{about}", style="{")


@pytest.fixture(autouse=True)
def _no_request() -> None:
    log_context.request_id.set("")


@contextmanager
def lines(formatter: logging.Formatter) -> Iterator[list[str]]:
    """The lines that a handler with this formatter writes, from all loggers."""
    written: list[str] = []

    class ListHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = ListHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def record(problem: Exception | None, *arguments: str) -> logging.LogRecord:
    trace = (type(problem), problem, None) if problem else None
    message = "Not Found: %s %s zoe.durand@example.org"
    return logging.LogRecord("django.request", logging.WARNING, "", 1, message, arguments, trace)


@pytest.mark.parametrize("formatter", [TEXT, MaskingJsonFormatter()])
@pytest.mark.parametrize("problem", [None, ValueError("zoe.durand+1@example.org")])
def test_no_line_of_the_log_holds_a_code_or_an_address(
    problem: Exception | None, formatter: logging.Formatter
) -> None:
    registration = make_registration()
    paths = [f"/rejoindre/{registration.join_code}/rapport.pdf", f"/en/mon-inscription/{registration.manage_code}/"]
    line = formatter.format(record(problem, *paths))
    assert "Not Found: /rejoindre/…/rapport.pdf /en/mon-inscription/…/ …@example.org" in line
    assert not {registration.join_code, registration.manage_code, "zoe"} & set(line.replace("/", " ").split())
    assert "durand" not in line
    assert ("ValueError: …@example.org" in line) is bool(problem)


def test_codes_of_a_new_address_and_numbers_of_certificates_are_masked_too() -> None:
    assert TEXT.format(record(None, "/nouvelle-adresse/abcdefghijklmnopqrstuv/", "/en/attestation/1234-5678/")) == (
        "Not Found: /nouvelle-adresse/…/ /en/attestation/…/ …@example.org"
    )


def test_the_console_uses_a_masking_formatter_in_both_formats(settings: Settings) -> None:
    formatters = {name: formatter["()"] for name, formatter in settings.LOGGING["formatters"].items()}
    assert formatters == {
        "text": "registrations.runtime.logs.MaskingFormatter",
        "json": "registrations.runtime.logs.MaskingJsonFormatter",
    }
    assert {handler["formatter"] for handler in settings.LOGGING["handlers"].values()} == {"text"}
    assert environment.choice("LOG_FORMAT", ["text", "json"]) == "text"


def test_a_request_is_one_line_with_the_name_of_its_page(client: Client) -> None:
    registration = make_registration()
    with lines(MaskingJsonFormatter()) as written:
        answer = client.get(f"/rejoindre/{registration.join_code}/")
    [line] = map(json.loads, written)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    ms = line.pop("ms")
    assert line == {
        "level": "INFO",
        "logger": "registrations.runtime.access_log",
        "message": f"GET join 200 {ms} ms",
        "request_id": answer["X-Request-ID"],
        "method": "GET",
        "page": "join",
        "status": 200,
    }


def test_a_successful_health_probe_is_not_logged(client: Client) -> None:
    with lines(TEXT) as written:
        client.get("/healthz")
    assert written == []


@pytest.mark.parametrize(
    ("proxies", "given", "is_kept"),
    [
        (1, "abcd-1234", True),
        (0, "abcd-1234", False),
        (1, "a b\tc d e f g", False),
        (1, "x" * 65, False),
        (1, "short", False),
    ],
)
def test_the_request_id_of_a_proxy_is_used_only_when_the_proxy_is_trusted(
    client: Client, settings: Settings, proxies: int, given: str, is_kept: bool
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    answered = client.get("/healthz", headers={"x-request-id": given})["X-Request-ID"]
    assert (answered == given) is is_kept
    assert is_kept or re.fullmatch("[0-9a-f]{16}", answered)


def test_the_error_page_shows_the_request_id_of_its_log_lines(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    event = make_event()

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a defect of zoe@example.org")

    monkeypatch.setattr("registrations.views.public.shown_event", broken)
    with lines(MaskingJsonFormatter()) as written:
        page = client.get(event.get_absolute_url())
    number = page["X-Request-ID"]
    assert f"<code>{number}</code>" in page.text
    found = [json.loads(line) for line in written]
    assert [(line["logger"], line["request_id"]) for line in found] == [
        ("django.request", number),
        ("registrations.runtime.access_log", number),
    ]
    assert found[0]["exception"].endswith("RuntimeError: a defect of …@example.org")


def test_the_log_lines_of_a_missing_page_have_its_request_id(client: Client) -> None:
    with lines(TEXT) as written:
        number = client.get("/nowhere/")["X-Request-ID"]
    assert [line for line in written if f"[request={number}]" not in line] == []
    assert len(written) == 2


def test_the_log_lines_of_a_delivery_have_its_id() -> None:
    owed = Delivery.objects.enqueue(make_registration(make_event(report=False)), Delivery.Kind.CONFIRMATION)
    with lines(MaskingJsonFormatter()) as written:
        outbox.drain()
    assert {json.loads(line)["delivery_id"] for line in written} == {owed.pk}
    assert log_context.current() == {}


def test_a_wrong_host_header_is_one_short_warning(client: Client) -> None:
    logger = logging.getLogger("django.security.DisallowedHost")
    logger.addFilter(one_line)
    with lines(TEXT) as written:
        answer = client.get("/", headers={"host": f"{'x' * 300}.example"})
    logger.removeFilter(one_line)
    assert answer.status_code == 400
    [refused, access] = written
    assert re.fullmatch(r"Host header refused: 'x{79} \[request=\w{16}\]", refused)
    assert re.match("GET - 400 ", access)


def test_the_filter_of_wrong_host_headers_is_in_the_settings(settings: Settings) -> None:
    assert settings.LOGGING["loggers"]["django.security.DisallowedHost"] == {"filters": ["one_line"]}
    assert settings.LOGGING["filters"]["one_line"]["()"]() is one_line


def test_a_traceback_stays_within_one_json_line() -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        trace: Any = sys.exc_info()
    whole = MaskingJsonFormatter().format(logging.LogRecord("x", logging.ERROR, "", 1, "three\nfour", (), trace))
    assert "\n" not in whole
    assert json.loads(whole)["message"] == "three\nfour"


@pytest.mark.parametrize(
    "damaged",
    [
        "/rejoindre//{code}",
        "/rejoindre/%20{code}",
        "/rejoindre/%0A{code}/",
        "/REJOINDRE/{code}/",
        "/en/Mon-Inscription/{code}/",
        "/mon-inscription/'{code}'",
        '/mon-inscription/"{code}',
        "/mon-inscription/%22{code}",
        "/mon-inscription\\{code}\\",
        "/mon-inscription/\\{code}",
        "/mon-inscription{code}",
        "/mon-inscription/{code}%3Cbr%3E{code}",
        "/mon-inscription/x/y?/{code}",
        "/rejoin%20dre/{code}/",
        "/{code}",
        "/nouvelle-adresse/%EF%BB%BF{code}",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_the_code_of_a_damaged_link_does_not_stay_in_the_log(client: Client, damaged: str, method: str) -> None:
    code = "Ab3_dEf-hIjKlMnOpQrStU"
    visitor = Client(enforce_csrf_checks=True)
    with lines(TEXT) as written:
        getattr(visitor, method)(damaged.format(code=code))
    assert len(written) >= 2
    assert not [line for line in written if code.lower()[:7] in line.lower() or "opqrstu" in line.lower()]


@pytest.mark.parametrize("damaged", ["{}/", "{}", '"{}"/', "{}/x", "%20{}/", "\\{}/", "{}%3E/"])
def test_the_link_of_an_invitation_does_not_stay_in_the_log(client: Client, damaged: str) -> None:
    token = "cz4q7f-0123456789abcdef0123456789abcdef"
    with lines(TEXT) as written:
        for method in (client.get, client.post):
            method("/admin/invitation/MQ/" + damaged.format(token))
    assert written
    assert not [line for line in written if "cz4q7f" in line or "abcdef" in line]


def test_a_missing_page_that_is_no_personal_link_is_named_in_the_log(client: Client) -> None:
    with lines(TEXT) as written:
        client.get("/evenements/evaluer-l-action-sociale-2025/programme/")
    assert "Not Found: /evenements/evaluer-l-action-sociale-2025/programme/" in written[1]


def test_a_crafted_forwarded_header_leaves_no_address_of_a_visitor_in_the_log() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("a malformed header never reaches the site")

    logger = logging.getLogger("waitress")
    assert hide_visitor in logger.filters
    served = proxy_headers_middleware(
        app, trusted_proxy="*", trusted_proxy_count=1, trusted_proxy_headers={"x-forwarded-for"}, logger=logger
    )
    with lines(TEXT) as written:
        served({"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": '203.0.113.9, "198.51.100.1'}, lambda *_: None)
    assert written == ['Malformed proxy header "X-Forwarded-For"']


def test_a_visitor_who_hangs_up_leaves_no_code_in_the_log() -> None:
    with lines(TEXT) as written:
        logging.getLogger("waitress").info("Client disconnected while serving /rejoindre//Ab3_dEf-hIjKlMnOpQrStU")
    assert written == ["Client disconnected"]
