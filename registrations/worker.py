"""The mail worker: the library's worker, which neither retries nor survives its database, inside a loop that does."""

import logging
import signal
import time
from types import FrameType

from django.db import DatabaseError, InterfaceError, connection
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from registrations import privacy, retention, tasks, trials
from registrations.models import WorkerPresence

logger = logging.getLogger(__name__)

POLL_EVERY = 0.1  # seconds; a plain read, so that an idle worker never holds SQLite's write lock
SWEEP_EVERY = 10  # seconds
KEEP_HOUSE_EVERY = 24 * 3600  # seconds
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
        self.next_sweep = self.next_keeping_house = 0.0

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """The first signal lets the mail in hand leave; of later ones only Ctrl-C aborts it.

        An init system may signal a worker and its parent, which then signals it once more.
        """
        tasks.stopping.set()
        if self.running or signum == signal.SIGINT:
            super().shutdown(signum, frame)

    def run(self) -> None:
        """Work until a signal says stop; an absent database only makes it wait."""
        tasks.worker_name = self.worker_id
        logger.info("Worker started")
        while self.running:
            try:
                self.work()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Worker: the database is away (%s)", type(error).__name__)
                connection.close()
                time.sleep(DATABASE_AWAY)
        logger.info("Worker stopped")

    def work(self) -> None:
        now = time.monotonic()
        if now >= self.next_sweep:
            WorkerPresence.objects.note(self.worker_id)
            tasks.sweep()
            privacy.erase_due()
            self.next_sweep = now + SWEEP_EVERY
        if now >= self.next_keeping_house:
            tasks.keep_house()
            trials.end_old()
            logger.info("Purge: %s registrations made anonymous", retention.purge().total())
            self.next_keeping_house = now + KEEP_HOUSE_EVERY
        if self.has_tasks():
            self.max_tasks = self._run_tasks + 1  # one drain; then the sweep has its turn
            super().run()
        elif self.running:
            time.sleep(POLL_EVERY)

    def has_tasks(self) -> bool:
        ready = DBTaskResult.objects.ready()
        return bool(ready.filter(queue_name__in=self.queue_names, backend_name=self.backend_name).exists())
