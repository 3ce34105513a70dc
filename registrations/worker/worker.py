"""The mail worker: the worker of django-tasks-db in a loop that also survives a database outage and sweeps."""

import logging
import signal
import time
from datetime import UTC, datetime
from types import FrameType

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from registrations.domain import broadcasts, erasure
from registrations.mailing import claims, clock_set_back, wakeups
from registrations.models import Delivery, WorkerPresence
from registrations.runtime import full_disk
from registrations.worker import housekeeping

logger = logging.getLogger(__name__)

POLL_EVERY = 0.1  # seconds; only a read, so that an idle worker does not hold SQLite's write lock
SWEEP_EVERY = 10  # seconds
HOUSEKEEPING_EVERY = 24 * 3600  # seconds
HOUSEKEEPING_AGAIN = 600  # seconds, when it has failed: a database on another clock may refuse what seems old here
HOUSEKEEPING_PUT_OFF = 3600  # seconds at most, while there are mails: those of a killed worker wait for its successor
DATABASE_AWAY = 2  # seconds before the next try


class MailWorker(Worker):
    def __init__(self, name: str) -> None:
        super().__init__(
            queue_names=["default"],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=name,
            excluded_queue_names=[],
        )
        self.next_sweep = 0.0
        self.looked_at = datetime.max.replace(tzinfo=UTC)
        self.next_housekeeping = time.monotonic()
        self.asked_to_stop = False

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Stop after the current mail. Only a second Ctrl-C aborts it.

        A second SIGTERM is ignored, since an init system may signal the worker and its parent, which signals it again.
        """
        self.asked_to_stop = True
        if self.running or signum == signal.SIGINT:
            super().shutdown(signum, frame)

    def run(self) -> None:
        """Work until a signal stops it. While the database is away, retry every DATABASE_AWAY seconds."""
        logger.info("Worker started")
        while self.running:
            try:
                self.work()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Worker: the database is away (%s)", type(error).__name__)
                full_disk.note(error)
                connection.close()
                time.sleep(DATABASE_AWAY)
        logger.info("Worker stopped")

    def work(self) -> None:
        now = time.monotonic()
        if now >= self.next_sweep:
            self._follow_the_clock()
            WorkerPresence.objects.note(self.worker_id)
            if not self.next_sweep:
                # a new release or other settings may have mended what stopped them
                Delivery.objects.broken().try_again()
                claims.resume_blocked()
            broadcasts.send_planned()
            wakeups.sweep()
            erasure.erase_due()
            self.next_sweep = now + SWEEP_EVERY
        has_tasks = self.has_tasks()
        if now >= self.next_housekeeping + (HOUSEKEEPING_PUT_OFF if has_tasks else 0):
            self.next_housekeeping = now + HOUSEKEEPING_AGAIN  # unless it ends well: mails do not wait for it
            housekeeping.run()
            self.next_housekeeping = now + HOUSEKEEPING_EVERY
        if has_tasks:
            self.max_tasks = self._run_tasks + 1  # one task; then this method is called again and may sweep
            with wakeups.stopping_when(lambda: self.asked_to_stop):
                super().run()
        elif self.running:
            time.sleep(POLL_EVERY)

    def _follow_the_clock(self) -> None:
        """When it has been set back since the last look, and at the start."""
        if timezone.now() < self.looked_at:
            clock_set_back.put_right()
        self.looked_at = timezone.now()

    def has_tasks(self) -> bool:
        ready = DBTaskResult.objects.ready()
        return bool(ready.filter(queue_name__in=self.queue_names, backend_name=self.backend_name).exists())
