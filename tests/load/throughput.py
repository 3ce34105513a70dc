"""How many mails a second the workers send, and what CPU each costs, beside a mail server that accepts at once.

    uv run python -m tests.load.throughput [--mails 500] [--workers 1] [--database postgres://user@host:port/postgres]

The report is in the cache before anything is measured. CPU is that of the worker processes alone, as the system counts
it (proc_pid_stat(5)); the time is from the first to the last mail, as recorded in the database.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from registrations import progress
from registrations.management import progress_line
from tests.load.database import Database, database_at, own_database_on
from tests.load.fleet import MailServer, listens
from tests.site import RunningSite, wait_for

TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, in one second
PATIENCE = 600  # seconds
SIZES = {"report of 200 kB": 200_000, "report of 1.3 MB": 1_300_000, "typeset presentation": 0}
PUBLISH = """
import os
from django.core.files.base import ContentFile
from registrations.models import Event
event = Event.objects.get()
event.report_file.delete(save=True)
if {size}:
    event.report_file.save("rapport.pdf", ContentFile(b"%PDF-1.7" + os.urandom({size} - 8)))
"""
OWE = """
from django.db import transaction
from registrations import tasks
from registrations.models import Delivery, Event, Registration
event = Event.objects.get()
with transaction.atomic():
    for number in range({mails}):
        registration = Registration.objects.create(
            event=event, email=f"{name}{{number}}@example.org", first_name="Zoë", last_name="D’Arcy",
            organisation="Ville de Nulle-Part", job_title="Cheffe de projet",
        )
        Delivery.objects.owe(registration, Delivery.Kind.CONFIRMATION, reason="new")
    for _ in range({wake_ups}):
        tasks.send_due_mail.enqueue()
"""
UNSENT = "SELECT count(*) FROM registrations_delivery WHERE state <> 'sent'"
LAST_SENT = "SELECT sent_at FROM registrations_delivery ORDER BY sent_at DESC LIMIT {mails}"


@dataclass(frozen=True)
class Figures:
    mails: int
    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        rate, cost = (self.mails - 1) / self.seconds, 1000 * self.cpu_seconds / self.mails
        return f"{rate:6.1f} mails/s  {cost:6.2f} ms CPU per mail"


class Measurement:
    def __init__(self, site: RunningSite, database: Database, *, mails: int, workers: int) -> None:
        self.site, self.database, self.mails = site, database, mails
        self.workers: list[subprocess.Popen[str]] = []
        self.number_of_workers = workers

    def start_workers(self) -> None:
        self.workers = [self.site.start("worker") for _ in range(self.number_of_workers)]

    def figures(self, size: int) -> Figures:
        """Of one kind of report; each worker has sent mails with it before."""
        self._shell(PUBLISH.format(size=size))
        self._send(f"warm{size}.", 10 * self.number_of_workers)
        before = self._cpu_seconds()
        self._send(f"measured{size}.", self.mails)
        cpu_seconds = self._cpu_seconds() - before
        return Figures(self.mails, self._seconds(), cpu_seconds)

    def _send(self, name: str, mails: int) -> None:
        self._shell(OWE.format(name=name, mails=mails, wake_ups=self.number_of_workers))
        deadline = time.monotonic() + PATIENCE
        while unsent := int(self.database.rows(UNSENT)[0][0]):
            if time.monotonic() > deadline:
                raise SystemExit(f"Not all mails were sent after {PATIENCE} s.")
            progress.report(max(mails - unsent, 0), mails, "mails")
            time.sleep(0.1)

    def _seconds(self) -> float:
        moments = [_moment(sent_at) for (sent_at,) in self.database.rows(LAST_SENT.format(mails=self.mails))]
        return (max(moments) - min(moments)).total_seconds()

    def _cpu_seconds(self) -> float:
        return sum(_cpu_seconds(worker.pid) for worker in self.workers)

    def _shell(self, script: str) -> None:
        self.site.run("shell", "--verbosity", "0", "-c", script)


def _moment(value: object) -> datetime:
    """SQLite gives text, PostgreSQL a moment."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _cpu_seconds(pid: int) -> float:
    """In user and system mode; children, such as the renderer of documents, are not in it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def accepting_server(data: Path) -> Iterator[int]:
    """The port of a mail server that accepts at once and keeps nothing."""
    server = MailServer(data, journal=False)
    process = server.launch()
    try:
        wait_for(lambda: listens(server.port), "the mail server")
        yield server.port
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Mails a second, and CPU per mail.")
    parser.add_argument("--mails", type=int, default=500)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database", default="", help="A PostgreSQL server, where an own database is made.")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="throughput-")))
        url = stack.enter_context(own_database_on(options.database))
        port = stack.enter_context(accepting_server(data))
        site = stack.enter_context(RunningSite(data, url, EMAIL_URL=f"smtp://127.0.0.1:{port}", RATE_LIMITS="off"))
        site.run("demo", "--setup-only")
        measurement = Measurement(site, database_at(url, data), mails=options.mails, workers=options.workers)
        measurement.start_workers()
        sys.stdout.write(f"{'PostgreSQL' if url else 'SQLite'}, {options.workers} worker(s), {options.mails} mails\n")
        for name, size in SIZES.items():
            with progress_line.shown(name):
                figures = measurement.figures(size)
            sys.stdout.write(f"{name:<22} {figures}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
