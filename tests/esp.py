"""A local mail provider: an HTTP API that accepts, refuses or fails, as a test configures."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCEPTED = {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817"}
SILENCE, CUT = "no answer for longer than anyone waits", "the connection is cut once the request has been read"


class Provider:
    """The API of Postmark. `body`: an object, any text, SILENCE or CUT."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body: Any = ACCEPTED
        self.received: list[dict[str, Any]] = []
        self.over = threading.Event()

    def header(self, name: str) -> list[str]:
        """The values of one header in all mails received."""
        return [one["Value"] for mail in self.received for one in mail["Headers"] if one["Name"] == name]

    def answer(self, to: str) -> bytes:
        if self.body is ACCEPTED:
            return json.dumps({**ACCEPTED, "To": to}).encode()
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            provider.received.append(mail)
            if provider.body == SILENCE:
                provider.over.wait(30)
            if provider.body in (SILENCE, CUT):
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            content = provider.answer(mail.get("To", ""))
            self.send_response(provider.status)
            for name, value in {"Content-Type": "application/json", **provider.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
            pass

    return Handler


@contextmanager
def provider_api() -> Iterator[tuple[Provider, str]]:
    """Run the provider; yields it and the URL of its API."""
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(provider))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider, f"http://127.0.0.1:{server.server_port}/"
    finally:
        provider.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
