"""The mail worker: the library's worker, which neither retries nor survives its database, inside a loop that does."""

import logging
import time
from types import FrameType

from django.db import DatabaseError, InterfaceError, connection
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from registrations import tasks

logger = logging.getLogger(__name__)

POLL_EVERY = 0.1  # seconds; a plain read, so that an idle worker never holds SQLite's write lock
SWEEP_EVERY = 10  # seconds
DATABASE_AWAY = 2  # seconds before the next try


class MailWorker(Worker):
    def __init__(self) -> None:
        super().__init__(
            queue_names=["default"],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
            excluded_queue_names=[],
        )
        self.next_sweep = 0.0

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        tasks.stopping.set()
        super().shutdown(signum, frame)

    def run(self) -> None:
        """Work until a signal says stop; an absent database only makes it wait."""
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
        if time.monotonic() >= self.next_sweep:
            tasks.sweep()
            self.next_sweep = time.monotonic() + SWEEP_EVERY
        if (
            DBTaskResult.objects.ready()
            .filter(queue_name__in=self.queue_names, backend_name=self.backend_name)
            .exists()
        ):
            super().run()
        elif self.running:
            time.sleep(POLL_EVERY)
