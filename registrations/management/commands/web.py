import signal
import socket
import sys
from typing import Any

import waitress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.core.wsgi import get_wsgi_application

HOST = "127.0.0.1"
THREADS = 8
MAX_HEADER_BYTES = 32_768
CHANNEL_TIMEOUT = 60  # seconds
CONNECTIONS = 1000


class Command(BaseCommand):
    help = "Run one web server process on 127.0.0.1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fd", type=int, help="A listening socket to inherit; `manage.py up` says so.")
        parser.add_argument(
            "--demo", action="store_true", help="Open /outbox/; `manage.py demo` says so, nothing else."
        )

    def handle(self, *args: Any, port: int, fd: int | None, demo: bool, **options: Any) -> None:
        if demo and not settings.PUBLIC:
            settings.ROOT_URLCONF = "webinar.demo_urls"
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # waitress then ends what it has begun
        waitress.serve(
            get_wsgi_application(),
            threads=THREADS,
            ident=None,
            max_request_header_size=MAX_HEADER_BYTES,
            channel_timeout=CHANNEL_TIMEOUT,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=True,  # select(2) stops at 1024 connections
            **self._listener(port, fd),
            **self._proxy(),
        )

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
