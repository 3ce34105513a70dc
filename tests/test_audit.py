"""The gate's audit, by the real pip-audit: only the service that it asks is ours."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from typing import Any

import pytest

from tests import audit
from tests.network import free_port

type Service = Callable[[int, dict[str, Any]], list[str]]

FLAW = {
    "id": "PYSEC-2026-1",
    "affected": [
        {
            "package": {"name": "django", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


@pytest.fixture
def service() -> Iterator[Service]:
    """Start a service that answers about each version, and return the options that make pip-audit ask it."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, about: dict[str, Any]) -> list[str]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                content = json.dumps(about.get(asked["package"]["name"], {})).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                """Nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever).start()
        return asking(servers[-1].server_port)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def asking(port: int) -> list[str]:
    return ["--vulnerability-service=osv", f"--osv-url=http://127.0.0.1:{port}/"]


def test_a_known_vulnerability_of_an_installed_version_stops_the_gate(service: Service) -> None:
    passes, words = audit.audit(*service(200, {"django": {"vulns": [FLAW]}}))
    assert not passes
    assert words.startswith("django ")
    assert words.endswith(": PYSEC-2026-1, fixed in 99.1")


def test_every_version_that_is_installed_here_is_asked_about(service: Service) -> None:
    count = len({distribution.name for distribution in distributions()})
    words = f"No vulnerability is known of {count} versions, of {count}."
    assert audit.audit(*service(200, {})) == (True, words)


def test_without_a_network_the_step_is_skipped_and_says_so() -> None:
    assert audit.audit(*asking(free_port())) == (True, audit.SKIPPED)


def test_a_service_that_is_out_of_order_is_no_finding(service: Service) -> None:
    assert audit.audit(*service(503, {})) == (True, audit.SKIPPED)


def test_a_program_that_cannot_run_is_not_taken_for_a_missing_network() -> None:
    passes, words = audit.audit("--no-such-option")
    assert not passes
    assert "unrecognized arguments: --no-such-option" in words
