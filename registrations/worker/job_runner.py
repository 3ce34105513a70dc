"""Runs the long acts beside a worker's mails, in a child process: no mail waits for them, and each dies alone."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from registrations.documents import study_report
from registrations.models import Job, WorkerPresence
from registrations.models.job import SILENT_AFTER
from registrations.worker import jobs

logger = logging.getLogger(__name__)

LOOK_EVERY = 1  # seconds
TEND_EVERY = 10  # seconds: say that one is alive, take over from those that are not
PREPARE_EVERY = 10  # seconds: look for reports whose text has changed
CHILD_LOOK_EVERY = 0.2  # seconds
NICENESS = 5  # mails and pages come first
AFTER_OUTAGE = 5  # seconds before a job is tried again whose database was away
IN_GOOD_ORDER = {-signal.SIGTERM, os.EX_TEMPFAIL}  # ends of a child: asked to, or without its database


class JobRunner(threading.Thread):
    """One job at a time; the worker's name stands in its row."""

    def __init__(self, worker: str) -> None:
        super().__init__(name="jobs", daemon=True)
        self.worker = worker
        self.stopping = threading.Event()
        self.next_tending = self.silence_counts_from = self.next_preparation = 0.0
        self.prepared: set[study_report.Presentation] = set()

    def stop(self) -> None:
        """The job in hand is given back, and goes on with another worker."""
        self.stopping.set()
        self.join()

    def run(self) -> None:
        while not self.stopping.wait(LOOK_EVERY):
            try:
                self.work()
                self.prepare_reports()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Operations: the database is away (%s)", type(error).__name__)
                self.database_is_away()
            except Exception:
                logger.exception("Operations: unexpected")
        connection.close()

    def database_is_away(self) -> None:
        """Nobody can say that they are alive meanwhile: who is silent may be at work."""
        connection.close()
        self.silence_counts_from = time.monotonic() + SILENT_AFTER.total_seconds()

    def work(self) -> None:
        self.tend(in_hand=None)
        while not self.stopping.is_set() and (job := Job.objects.claim(self.worker)):
            self.carry_out(job)

    def prepare_reports(self) -> None:
        """When the worker starts and when a text has changed, so that no mail waits for its report to be typeset."""
        if time.monotonic() < self.next_preparation:
            return
        self.prepared = study_report.prepare(self.prepared, wanted=lambda: not self.stopping.is_set())
        self.next_preparation = time.monotonic() + PREPARE_EVERY

    def tend(self, *, in_hand: Job | None) -> None:
        """Seldom, since each is a question to the database."""
        if time.monotonic() < self.next_tending:
            return
        self.next_tending = time.monotonic() + TEND_EVERY
        WorkerPresence.objects.note(self.worker)  # also while its other half sends thousands of mails
        for job in Job.objects.running().filter(worker=self.worker):
            if in_hand and job.pk == in_hand.pk:
                Job.objects.filter(pk=job.pk).update(heard_at=timezone.now())
            else:
                jobs.give_back(job, counts=False)  # its process has ended while the database was away
        jobs.give_back_lost(silent_too=time.monotonic() >= self.silence_counts_from)
        jobs.throw_old_away()

    def carry_out(self, job: Job) -> None:
        logger.info("Operation %s: started", job.pk)
        child = subprocess.Popen(  # noqa: S603 - our own program
            [
                sys.executable,
                str(settings.BASE_DIR / "manage.py"),
                "job",
                str(job.pk),
                f"--parent={os.getpid()}",
                "--skip-checks",
            ],
            process_group=0,  # Ctrl-C reaches the worker, which then ends this one
        )
        while child.poll() is None and not self.stopping.wait(CHILD_LOOK_EVERY):
            try:
                self.tend(in_hand=job)
            except (DatabaseError, InterfaceError):
                self.database_is_away()  # the child may have locked it, or finds out by itself
        if child.poll() is None:
            child.terminate()
            child.wait()
        logger.info("Operation %s: its process ended with status %s", job.pk, child.returncode)
        if child.returncode:
            jobs.give_back(job, counts=child.returncode not in IN_GOOD_ORDER)
        if child.returncode == os.EX_TEMPFAIL:
            self.stopping.wait(AFTER_OUTAGE)
