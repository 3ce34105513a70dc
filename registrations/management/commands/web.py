import signal
import socket
import threading
import time
from typing import Any

import waitress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.core.wsgi import get_wsgi_application

from registrations import running

HOST = "127.0.0.1"
THREADS = 8
MAX_HEADER_BYTES = 32_768
MAX_BODY_BYTES = 25 * 1024 * 1024  # waitress keeps a body until it is whole; the doorway refuses far less
CHANNEL_TIMEOUT = 60  # seconds
CONNECTIONS = 1000
GRACE = 35  # seconds for requests under way; SQLite may wait 30 for its lock
TURN = 0.5  # seconds


class Command(BaseCommand):
    help = "Run one web server process on 127.0.0.1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fd", type=int, help="A listening socket to inherit; `manage.py up` says so.")
        parser.add_argument(
            "--demo", action="store_true", help="Open /outbox/; `manage.py demo` says so, nothing else."
        )

    @running.site()
    def handle(self, *args: Any, port: int, fd: int | None, demo: bool, **options: Any) -> None:
        if demo and not settings.PUBLIC:
            settings.ROOT_URLCONF = "webinar.demo_urls"
        server = waitress.create_server(
            get_wsgi_application(),
            threads=THREADS,
            ident=None,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=MAX_BODY_BYTES,
            channel_timeout=CHANNEL_TIMEOUT,
            connection_limit=CONNECTIONS,
            **self._listener(port, fd),
            **self._proxy(),
        )
        server.print_listen("Serving on http://{}:{}")
        asked_to_stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: asked_to_stop.set())
        while not asked_to_stop.is_set():
            self._turn(server)
        server.accepting = False  # what was asked is answered, and nothing new begun
        deadline = time.monotonic() + GRACE
        while self._has_requests(server) and time.monotonic() < deadline:
            self._turn(server)

    def _turn(self, server: Any) -> None:
        """One turn of the server's loop, which answers from its threads; poll(2), since select(2) stops at 1024."""
        server.asyncore.loop(timeout=TURN, use_poll=True, map=server._map, count=1)

    def _has_requests(self, server: Any) -> bool:
        channels = list(server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _listener(self, port: int, fd: int | None) -> dict[str, Any]:
        return {"host": HOST, "port": port} if fd is None else {"sockets": [socket.socket(fileno=fd)]}

    def _proxy(self) -> dict[str, Any]:
        """Believe the reverse proxy on this machine, as far as TRUSTED_PROXY_COUNT says that there is one."""
        if not settings.TRUSTED_PROXY_COUNT:
            return {}
        return {
            "trusted_proxy": HOST,
            "trusted_proxy_count": settings.TRUSTED_PROXY_COUNT,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        }
