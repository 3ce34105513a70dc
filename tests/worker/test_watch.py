"""What the operator is told when the site is not well, without the mail server: ALERT_URL and PING_URL."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from pytest_django import Settings

from registrations.worker import watch
from registrations.worker.watch import Watch

pytestmark = pytest.mark.django_db

LATE = "The oldest mail is 14 minutes overdue."


class Request(NamedTuple):
    method: str
    path: str
    content_type: str
    body: str


class Service(HTTPServer):
    """Keeps what it is asked; answers `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[Request] = []
        self.status = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        content_type = self.headers.get("Content-Type", "")
        self.server.requests.append(Request(self.command, self.path, content_type, body))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the name that the library looks for

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Iterator[Service]:
    settings.DATA_DIR = tmp_path
    with Service() as server:
        settings.ALERT_URL, settings.PING_URL = f"{server.address}/alerts", f"{server.address}/ping"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def reasons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Why the site is not ready; a test changes it."""
    found: list[str] = []
    monkeypatch.setattr(watch, "promptly", lambda within: ([*found], []))
    return found


def test_while_all_is_well_the_ping_comes_and_no_alert(service: Service, reasons: list[str]) -> None:
    Watch("one").look()
    assert [(request.method, request.path) for request in service.requests] == [("GET", "/ping")]


def test_when_no_mail_leaves_the_ping_stops_and_the_operator_is_told_once(
    service: Service, reasons: list[str]
) -> None:
    one, other = Watch("one"), Watch("two")
    reasons.append(LATE)
    one.look()
    assert service.requests == []  # it may be over in a minute
    for each in (one, other, other, one):
        each.look()
    (told,) = service.requests
    assert (told.method, told.path, told.content_type) == ("POST", "/alerts", "text/plain; charset=utf-8")
    assert told.body.splitlines()[:2] == ["webinaires.example.org needs attention.", LATE]


def test_the_end_of_an_incident_is_told_too(service: Service, reasons: list[str]) -> None:
    one = Watch("one")
    reasons.append(LATE)
    one.look()
    one.look()
    reasons.clear()
    one.look()
    one.look()
    assert [request.path for request in service.requests] == ["/alerts", "/ping", "/alerts", "/ping"]
    assert service.requests[2].body == "webinaires.example.org works again."


def test_an_alert_that_the_service_refused_is_told_again(service: Service, reasons: list[str]) -> None:
    one = Watch("one")
    reasons.append(LATE)
    service.status = 500
    for _ in range(3):
        one.look()
    assert len(service.requests) == 2
    service.status = 200
    one.look()
    one.look()
    assert len(service.requests) == 3


def test_a_chat_gets_json(service: Service, reasons: list[str], settings: Settings) -> None:
    settings.ALERT_URL = f"json+{service.address}/services/T0"
    one = Watch("one")
    reasons.append(LATE)
    one.look()
    one.look()
    (told,) = service.requests
    assert (told.path, told.content_type) == ("/services/T0", "application/json")
    assert LATE in json.loads(told.body)["text"]


def test_a_service_that_is_away_is_in_the_log_without_its_secret_address(
    reasons: list[str], settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA_DIR = tmp_path
    settings.PING_URL = "http://127.0.0.1:1/secret"
    Watch("one").look()
    assert "did not answer (URLError)" in caplog.text
    assert "secret" not in caplog.text


def test_a_database_that_is_away_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "promptly", lambda within: (["The database does not answer."], []))
    one = Watch("one")
    one.look()
    one.look()
    assert "The database does not answer." in service.requests[0].body


def test_a_redirect_is_no_answer_of_the_service(service: Service, reasons: list[str]) -> None:
    one = Watch("one")
    reasons.append(LATE)
    service.status = 302
    for _ in range(3):
        one.look()
    assert [request.path for request in service.requests] == ["/alerts", "/alerts"]  # told again, and to nobody else
