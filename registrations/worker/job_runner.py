"""Run background jobs in a child process of the worker: mails do not wait for them, and a crash stops one job only."""

import logging
import os
import signal
import subprocess
import sys
import time
from typing import ClassVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from registrations.models import Job, WorkerPresence
from registrations.models.job import HEARTBEAT_TIMEOUT
from registrations.worker import jobs
from registrations.worker.polling_thread import PollingThread

logger = logging.getLogger(__name__)

HEARTBEAT_EVERY = 10  # seconds
CHILD_POLL_EVERY = 0.2  # seconds
STOPPED_WITHIN = 30  # seconds: a thread that waits for the database does not keep its process from ending
NICENESS = 5  # lower priority than mails and pages
AFTER_OUTAGE = 5  # seconds before the next attempt of a job whose database was away
NOT_COUNTED = {-signal.SIGTERM, os.EX_TEMPFAIL}  # exit statuses that are no failed attempt: stopped, database away


class JobRunner(PollingThread):
    """Runs one job at a time."""

    label: ClassVar = "Operations"
    poll_every: ClassVar = 1
    stopped_within: ClassVar = STOPPED_WITHIN

    def __init__(self, worker: str) -> None:
        super().__init__(worker)
        self.next_heartbeat = self.timeouts_valid_from = 0.0

    def database_is_away(self) -> None:
        """During an outage no worker can send a heartbeat: ignore missing ones for the length of a timeout."""
        super().database_is_away()
        self.timeouts_valid_from = time.monotonic() + HEARTBEAT_TIMEOUT.total_seconds()

    def work(self) -> None:
        self.heartbeat(current=None)
        while not self.stopping.is_set() and (job := Job.objects.claim(self.worker)):
            self.run_job(job)

    def heartbeat(self, *, current: Job | None) -> None:
        """Every HEARTBEAT_EVERY seconds: record that this worker runs, and release the jobs of lost workers."""
        if time.monotonic() < self.next_heartbeat:
            return
        self.next_heartbeat = time.monotonic() + HEARTBEAT_EVERY
        WorkerPresence.objects.note(self.worker)  # here too: the main thread may be busy with thousands of mails
        for job in Job.objects.running().filter(worker=self.worker):
            if current and job.pk == current.pk:
                Job.objects.filter(pk=job.pk).update(heard_at=timezone.now())
            else:
                jobs.release(job, counts=False)  # its process has ended while the database was away
        jobs.release_lost(timeouts=time.monotonic() >= self.timeouts_valid_from)
        jobs.delete_old()

    def run_job(self, job: Job) -> None:
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
            process_group=0,  # Ctrl-C must reach only the worker, which then ends this child
        )
        while child.poll() is None and not self.stopping.wait(CHILD_POLL_EVERY):
            try:
                self.heartbeat(current=job)
            except (DatabaseError, InterfaceError):
                self.database_is_away()  # the child may have locked it; if it is really away, the child ends
        if child.poll() is None:
            child.terminate()
            child.wait()
        logger.info("Operation %s: its process ended with status %s", job.pk, child.returncode)
        if child.returncode:
            jobs.release(job, counts=child.returncode not in NOT_COUNTED)
        if child.returncode == os.EX_TEMPFAIL:
            self.stopping.wait(AFTER_OUTAGE)
