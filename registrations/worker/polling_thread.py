"""A thread of a worker that looks for work at regular intervals and outlives an outage of the database."""

import logging
import threading
from typing import ClassVar

from django.db import DatabaseError, InterfaceError, connection

logger = logging.getLogger(__name__)


class PollingThread(threading.Thread):
    """`worker`: the name of the worker, stored in the rows that the thread takes."""

    label: ClassVar[str]  # in the log
    poll_every: ClassVar[float]  # seconds
    stopped_within: ClassVar[float | None] = None  # seconds that `stop` waits; None: as long as it takes

    def __init__(self, worker: str) -> None:
        super().__init__(name=self.label.lower(), daemon=True)
        self.worker = worker
        self.stopping = threading.Event()

    def work(self) -> None:
        """Do what waits, and return soon after `stopping` is set."""
        raise NotImplementedError

    def database_is_away(self) -> None:
        connection.close()

    def stop(self) -> None:
        """Have the thread leave its work to another worker, and wait for it to end."""
        self.stopping.set()
        self.join(self.stopped_within)

    def run(self) -> None:
        while not self.stopping.wait(self.poll_every):
            try:
                self.work()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("%s: the database is away (%s)", self.label, type(error).__name__)
                self.database_is_away()
            except Exception:
                logger.exception("%s: unexpected", self.label)
        connection.close()
