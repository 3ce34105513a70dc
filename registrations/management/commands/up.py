import logging
import os
import socket
import time
from pathlib import Path
from typing import Any

from django.core.mail import mailers
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection

from registrations.management import processes, static_files
from registrations.management.commands import web
from registrations.management.commands.web import HOST, HOST_HELP, require_proxy
from registrations.monitoring.checks import require_safe_site
from registrations.runtime import database_file, site_lock
from registrations.worker.jobs import is_outage

logger = logging.getLogger(__name__)

WEB_PROCESSES = 2
CONNECTIONS_OF_WEB = web.THREADS + 1  # one for each thread, and one for /readyz
CONNECTIONS_OF_WORKER = 5  # mails, operations and the process of one, documents, watch
OTHER_CONNECTIONS = 2  # a command, and this process
ALLOWED_CONNECTIONS = """
    SELECT LEAST(
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
        (SELECT NULLIF(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
        (SELECT NULLIF(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
    )
"""
BACKLOG = 1024  # connections that can wait while both web processes restart
FIRST_INHERITED = 3  # file descriptor, see sd_listen_fds(3)
DATABASE_WITHIN = 30  # seconds for a database that starts together with this machine, or again
RETRY_EVERY = 1  # second


class Command(BaseCommand):
    help = "Run the site on this machine: migrations, web server and mail workers. Ended processes are restarted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default=HOST, help=HOST_HELP)
        parser.add_argument("--workers", type=int, default=1, help="Mail workers on this machine.")
        parser.add_argument("--no-worker", action="store_true", help="Only the web server.")
        parser.add_argument("--no-web", action="store_true", help="Only the mail workers.")

    @site_lock.shared()
    def handle(
        self, *args: Any, port: int, host: str, workers: int, no_worker: bool, no_web: bool, **options: Any
    ) -> None:
        require_safe_site()
        if no_worker and no_web:
            raise CommandError("Nothing to run: --no-worker and --no-web exclude each other.")
        require_proxy(host)
        listener = None if no_web else self._inherited() or self._listen(host, port)
        if not no_worker:
            mailers.default  # noqa: B018 - a wrong EMAIL_URL stops here, with its reason
        require_database_file()
        migrate()
        note_database_file()
        require_connections(webs=0 if no_web else WEB_PROCESSES, workers=0 if no_worker else workers)
        env = {"BASE_URL": f"http://{HOST}:{port}", **os.environ}
        mail_workers = [] if no_worker else [processes.Child(["worker", "--skip-checks"], env) for _ in range(workers)]
        webs = []
        if listener:
            static_files.collect()
            fd = listener.fileno()
            command = ["web", "--fd", str(fd), "--host", host, "--skip-checks"]
            webs = [processes.Child(command, env, (fd,)) for _ in range(WEB_PROCESSES)]
            self.stdout.write(f"Serving on http://{host}:{port}/")
            self.stdout.flush()
        processes.keep_running([*webs, *mail_workers])  # visitors first

    def _inherited(self) -> socket.socket | None:
        """The socket of systemd socket activation: connections wait in it while this process restarts."""
        if os.environ.get("LISTEN_PID") != str(os.getpid()):
            return None
        return socket.socket(fileno=FIRST_INHERITED)

    def _listen(self, host: str, port: int) -> socket.socket:
        """One listening socket for all web processes: while one restarts, the others answer."""
        try:
            return socket.create_server((host, port), backlog=BACKLOG)
        except OSError as error:
            raise CommandError(f"Port {port}: {error.strerror}. Choose another with --port.") from error


def _database_file() -> Path | None:
    """None with PostgreSQL."""
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None


def require_database_file() -> None:
    """Raise CommandError for a site whose SQLite file is gone: an empty site in its place would look ready."""
    file = _database_file()
    if file and database_file.is_gone(file):
        raise CommandError(
            f"{file} is gone, and this site ran on it. Restore a backup with manage.py restore, or put the file back. "
            f"To begin an empty site, remove {file.name}.in-use beside it."
        )


def note_database_file() -> None:
    if file := _database_file():
        database_file.note(file)


def require_connections(*, webs: int, workers: int) -> None:
    """Raise CommandError when PostgreSQL allows fewer connections than these processes may open."""
    if connection.vendor != "postgresql":
        return
    needed = webs * CONNECTIONS_OF_WEB + workers * CONNECTIONS_OF_WORKER + OTHER_CONNECTIONS
    with connection.cursor() as cursor:
        cursor.execute(ALLOWED_CONNECTIONS)
        (allowed,) = cursor.fetchone()
    if needed > allowed:
        raise CommandError(
            f"PostgreSQL allows this site {allowed} connections, and it may need {needed}: raise max_connections of "
            f"the server (or the limit of the role or the database) by {needed - allowed}, or start fewer workers."
        )


def migrate() -> None:
    """Apply the migrations; while the database is away, try again for DATABASE_WITHIN seconds."""
    deadline = time.monotonic() + DATABASE_WITHIN
    while True:
        try:
            call_command("migrate", verbosity=0)
            return
        except (OperationalError, InterfaceError) as error:
            if not is_outage(error) or time.monotonic() > deadline:
                raise
            logger.warning("The database is away (%s): tried again", type(error).__name__)
        connection.close()
        time.sleep(RETRY_EVERY)
