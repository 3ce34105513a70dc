"""Measure how many mails per second the workers send, and the CPU per mail, with a mail server that accepts at once.

The report is in the cache before anything is measured. CPU is that of the worker processes alone; the time is from the
first to the last mail, as recorded in the database.
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from registrations.runtime import progress
from tests.load import processes
from tests.load.database import Database
from tests.load.fleet import MailServer, listens
from tests.site import RunningSite, wait_for

TIMEOUT = 600  # seconds
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
ENQUEUE = """
from django.db import transaction
from registrations.mailing import wakeups
from registrations.models import Delivery, Event, Registration
event = Event.objects.get()
with transaction.atomic():
    for number in range({mails}):
        registration = Registration.objects.create(
            event=event, email=f"{name}{{number}}@example.org", first_name="Zoë", last_name="D’Arcy",
            organisation="Ville de Nulle-Part", job_title="Cheffe de projet",
        )
        Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")
    for _ in range({wake_ups}):
        wakeups.send_due_mail.enqueue()
"""
UNSENT = "SELECT count(*) FROM registrations_delivery WHERE state <> 'sent'"
LAST_SENT = "SELECT sent_at FROM registrations_delivery ORDER BY sent_at DESC LIMIT {mails}"


@dataclass(frozen=True)
class Figures:
    mails: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Mails per second."""
        return (self.mails - 1) / self.seconds

    @property
    def cost(self) -> float:
        """CPU per mail, in ms."""
        return 1000 * self.cpu_seconds / self.mails


class Measurement:
    def __init__(self, site: RunningSite, database: Database, *, mails: int, workers: int) -> None:
        self.site, self.database, self.mails = site, database, mails
        self.workers: list[subprocess.Popen[str]] = []
        self.number_of_workers = workers

    def start_workers(self) -> None:
        self.workers = [self.site.start("worker") for _ in range(self.number_of_workers)]

    def end(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait()

    def figures(self, size: int) -> Figures:
        """Measure one size of report, after each worker has sent a mail with it."""
        self._shell(PUBLISH.format(size=size))
        self._send(f"warm{size}.", 10 * self.number_of_workers)
        before = self._cpu_seconds()
        self._send(f"measured{size}.", self.mails)
        cpu_seconds = self._cpu_seconds() - before
        return Figures(self.mails, self._seconds(), cpu_seconds)

    def _send(self, name: str, mails: int) -> None:
        self._shell(ENQUEUE.format(name=name, mails=mails, wake_ups=self.number_of_workers))
        deadline = time.monotonic() + TIMEOUT
        while unsent := int(self.database.rows(UNSENT)[0][0]):
            if time.monotonic() > deadline:
                raise SystemExit(f"Not all mails were sent after {TIMEOUT} s.")
            progress.report(max(mails - unsent, 0), mails, "mails")
            time.sleep(0.1)

    def _seconds(self) -> float:
        moments = [_moment(sent_at) for (sent_at,) in self.database.rows(LAST_SENT.format(mails=self.mails))]
        return (max(moments) - min(moments)).total_seconds()

    def _cpu_seconds(self) -> float:
        return processes.cpu_seconds(worker.pid for worker in self.workers)

    def _shell(self, script: str) -> None:
        self.site.run("shell", "--verbosity", "0", "-c", script)


def _moment(value: object) -> datetime:
    """SQLite returns text, PostgreSQL a datetime."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


@contextlib.contextmanager
def accepting_server(data: Path) -> Iterator[int]:
    """Run a mail server that accepts at once and stores nothing; yields its port."""
    server = MailServer(data, journal=False)
    process = server.launch()
    try:
        wait_for(lambda: listens(server.port), "the mail server")
        yield server.port
    finally:
        process.kill()
        process.wait()
