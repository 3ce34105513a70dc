import os
import secrets
import socket
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations.management import processes, progress_line, static_files
from registrations.models import Event
from registrations.runtime import progress, site_lock

FIRST_EVENT = settings.BASE_DIR / "registrations" / "fixtures" / "first_event.toml"
ORGANISER = "organisateur"


class Command(BaseCommand):
    help = "Show the whole site on this machine: database, first event, web server, mail worker, mailbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--setup-only", action="store_true", help="Set everything up, then stop.")

    @site_lock.shared()
    def handle(self, *args: Any, port: int, setup_only: bool, **options: Any) -> None:
        if settings.PUBLIC:
            raise CommandError("The demo never runs on a public site: unset BASE_URL.")
        if not setup_only:
            self._require_free(port)
        self._set_up()
        if not setup_only:
            raise SystemExit(self._serve(port))

    def _set_up(self) -> None:
        with progress_line.shown("demo"):
            progress.report(1, 4, "the database")
            call_command("migrate", verbosity=0)
            progress.report(2, 4, "the static files")
            static_files.collect()
            progress.report(3, 4, "the first event")
            call_command("load_event", str(FIRST_EVENT), verbosity=0)
        self._make_organiser()

    def _make_organiser(self) -> None:
        users = get_user_model().objects
        if users.filter(username=ORGANISER).exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser(ORGANISER, password=password)
        self.stdout.write(f"Organiser’s account, shown this once: {ORGANISER} / {password}")

    def _serve(self, port: int) -> int:
        address = f"http://127.0.0.1:{port}"
        contact = Event.objects.values_list("contact_email", flat=True).first() or ""
        env = {
            "LEGAL_CONTACT": contact,
            **os.environ,
            "BASE_URL": address,
            "EMAIL_URL": "",
            "DEBUG": "off",
            "STAFF_OTP": "off",
        }
        self.stdout.write(
            f"Site:      {address}/\nMailbox:   {address}/outbox/\nDesk:      {address}/admin/\nCtrl-C stops it all."
        )
        self.stdout.flush()
        web = processes.Child(["web", "--demo", "--port", str(port), "--skip-checks"], env)
        return processes.run_together([web, processes.Child(["worker", "--skip-checks"], env)])

    def _require_free(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CommandError(f"Port {port} is taken: choose another with --port.") from error
