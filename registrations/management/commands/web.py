import gc
import signal
import socket
import threading
import time
from typing import Any

import waitress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.wsgi import get_wsgi_application

from registrations.monitoring.checks import require_safe_site
from registrations.runtime import site_lock
from registrations.runtime.web_threads import STUCK_AFTER, WebThreads

HOST = "127.0.0.1"
HOST_HELP = "Address to listen on; one that is not of this machine alone needs a proxy (TRUSTED_PROXY_COUNT)."
MAX_HEADER_BYTES = 32_768
MAX_BODY_BYTES = 25 * 1024 * 1024  # waitress keeps a body until it is whole; the doorway refuses far less
CHANNEL_TIMEOUT = 60  # seconds
CONNECTIONS = 1000
GRACE = 35  # seconds for requests under way; SQLite may wait 30 for its lock
LINGER = 1  # second for the request of a connection that was taken just before
TURN = 0.5  # seconds


def require_proxy(host: str) -> None:
    """Raise CommandError for an address that other machines reach while no proxy stands in front.

    Plain http would be served to the network, and anyone could claim to be the proxy.
    """
    if host not in settings.LOOPBACK_HOSTS and not settings.TRUSTED_PROXY_COUNT:
        raise CommandError(
            f"Other machines would reach this site at {host} without TLS: put a proxy in front that alone can reach"
            " it, and set TRUSTED_PROXY_COUNT."
        )


class Command(BaseCommand):
    help = "Run one web server process on 127.0.0.1, or where --host says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default=HOST, help=HOST_HELP)
        parser.add_argument("--fd", type=int, help="A listening socket to inherit; `manage.py up` says so.")
        parser.add_argument(
            "--demo", action="store_true", help="Open /outbox/; `manage.py demo` says so, nothing else."
        )

    @site_lock.site()
    def handle(self, *args: Any, port: int, host: str, fd: int | None, demo: bool, **options: Any) -> None:
        require_safe_site()
        require_proxy(host)
        if demo and host in settings.LOOPBACK_HOSTS and not settings.PUBLIC:
            settings.ROOT_URLCONF = "registrations.demo_urls"
        threads = WebThreads()
        server = waitress.create_server(
            get_wsgi_application(),
            _dispatcher=threads,
            ident=None,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=MAX_BODY_BYTES,
            channel_timeout=CHANNEL_TIMEOUT,
            connection_limit=CONNECTIONS,
            **self._listener(host, port, fd),
            **self._proxy(host),
        )
        gc.collect()
        gc.freeze()  # what lives as long as the process is looked through no more
        server.print_listen("Serving on http://{}:{}")
        asked_to_stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: asked_to_stop.set())
        while not asked_to_stop.is_set():
            self._turn(server, threads)
        server.accepting = False  # what was asked is answered, and nothing new begun
        stopped_at = time.monotonic()
        while time.monotonic() < stopped_at + (GRACE if self._has_requests(server) else LINGER):
            self._turn(server, threads)

    def _turn(self, server: Any, threads: WebThreads) -> None:
        """One turn of the server's loop, which answers from its threads; poll(2), since select(2) stops at 1024."""
        timeout = STUCK_AFTER if threads.queue else TURN
        server.asyncore.loop(timeout=timeout, use_poll=True, map=server._map, count=1)
        threads.look()

    def _has_requests(self, server: Any) -> bool:
        channels = list(server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _listener(self, host: str, port: int, fd: int | None) -> dict[str, Any]:
        return {"host": host, "port": port} if fd is None else {"sockets": [socket.socket(fileno=fd)]}

    def _proxy(self, host: str) -> dict[str, Any]:
        """Believe the reverse proxy, as far as TRUSTED_PROXY_COUNT says that there is one."""
        if not settings.TRUSTED_PROXY_COUNT:
            return {}
        return {
            "trusted_proxy": HOST
            if host in settings.LOOPBACK_HOSTS
            else "*",  # elsewhere, whoever reaches us is the proxy
            "trusted_proxy_count": settings.TRUSTED_PROXY_COUNT,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        }
