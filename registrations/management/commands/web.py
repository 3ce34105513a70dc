import gc
import resource
import signal
import socket
import time
from typing import Any

import waitress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.wsgi import get_wsgi_application
from waitress.channel import HTTPChannel

from registrations.management import processes
from registrations.monitoring.checks import require_safe_site
from registrations.runtime import database_limit, site_lock
from registrations.web.request_parser import RequestParser

HOST = "127.0.0.1"
HOST_HELP = "Address to listen on; one that other machines can reach needs a proxy (TRUSTED_PROXY_COUNT)."
MAX_HEADER_BYTES = 32_768
CHANNEL_TIMEOUT = 60  # seconds
CONNECTIONS = 1000
OTHER_FILES = 64  # open besides connections: libraries, the database, the log, files under way
DATABASE_ANSWERS_WITHIN = 8  # seconds; then the page is a 503 that keeps what was typed
THREADS = 4  # fewer, and two sign-ups that wait for a lock stop the pages; more, and they slow each other down
GRACE = 35  # seconds for requests under way; SQLite may wait 30 for its lock
LINGER = 1  # second for the request of a connection accepted just before the stop
POLL_TIMEOUT = 0.5  # seconds


def require_proxy(host: str) -> None:
    """Raise CommandError for an address that other machines can reach when no proxy is configured.

    The site would serve plain HTTP to the network, and any client could forge the headers of a proxy.
    """
    if host not in settings.LOOPBACK_HOSTS and not settings.TRUSTED_PROXY_COUNT:
        raise CommandError(
            f"Other machines would reach this site at {host} without TLS: put a proxy in front that alone can reach"
            " it, and set TRUSTED_PROXY_COUNT."
        )


def connection_limit() -> int:
    """How many may be open at once, within what the system allows: a server that runs out of files spins and logs.

    Raises CommandError when it allows too few.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_FILES
    if hard == resource.RLIM_INFINITY or hard > soft:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, max(soft, wanted))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < 2 * OTHER_FILES:
        raise CommandError(f"Only {soft} files may be open at once: allow {wanted} (ulimit -n, or LimitNOFILE=).")
    return min(CONNECTIONS, soft - OTHER_FILES)


class Command(BaseCommand):
    help = "Run one web server process, by default on 127.0.0.1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default=HOST, help=HOST_HELP)
        parser.add_argument("--fd", type=int, help="A listening socket to inherit (used by `manage.py up`).")
        parser.add_argument("--demo", action="store_true", help="Serve /outbox/ too (used by `manage.py demo` only).")

    @site_lock.shared()
    def handle(self, *args: Any, port: int, host: str, fd: int | None, demo: bool, **options: Any) -> None:
        require_safe_site()
        require_proxy(host)
        if demo and host in settings.LOOPBACK_HOSTS and not settings.PUBLIC:
            settings.ROOT_URLCONF = "registrations.demo_urls"
        database_limit.answer_within(DATABASE_ANSWERS_WITHIN)
        HTTPChannel.parser_class = RequestParser
        server = waitress.create_server(
            get_wsgi_application(),
            threads=THREADS,
            ident=None,
            max_request_header_size=MAX_HEADER_BYTES,
            channel_timeout=CHANNEL_TIMEOUT,
            connection_limit=connection_limit(),
            **self._listener(host, port, fd),
            **self._proxy(host),
        )
        gc.collect()
        gc.freeze()  # objects that exist until the process ends need no further collection
        server.print_listen("Serving on http://{}:{}")
        stop = processes.StopSignal(signal.SIGTERM, signal.SIGINT)
        while not stop.has_come:
            self._poll(server)
        server.accepting = False  # answer the requests received, accept no new connection
        stopped_at = time.monotonic()
        while time.monotonic() < stopped_at + (GRACE if self._has_requests(server) else LINGER):
            self._poll(server)

    def _poll(self, server: Any) -> None:
        """One iteration of the server's loop. It uses poll(2), since select(2) has a limit of 1024 connections."""
        server.asyncore.loop(timeout=POLL_TIMEOUT, use_poll=True, map=server._map, count=1)

    def _has_requests(self, server: Any) -> bool:
        channels = list(server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _listener(self, host: str, port: int, fd: int | None) -> dict[str, Any]:
        return {"host": host, "port": port} if fd is None else {"sockets": [socket.socket(fileno=fd)]}

    def _proxy(self, host: str) -> dict[str, Any]:
        """Options to trust the headers of the reverse proxies, of which there are TRUSTED_PROXY_COUNT."""
        if not settings.TRUSTED_PROXY_COUNT:
            return {}
        return {
            "trusted_proxy": HOST
            if host in settings.LOOPBACK_HOSTS
            else "*",  # on another address, only the proxy can reach the site
            "trusted_proxy_count": settings.TRUSTED_PROXY_COUNT,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        }
