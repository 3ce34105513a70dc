"""How many threads of a web process answer requests: few, since many wait for each other; more when all of them wait.

One at a time runs in Python (its global interpreter lock), and each change from one to another costs: two answer a
rush faster than eight do. When both wait for something else, such as a lock of the database, others answer meanwhile.
"""

from time import monotonic
from typing import Any

from django.db import connections
from waitress.task import ThreadedTaskDispatcher

FEW, MANY = 2, 8
STUCK_AFTER = 0.1  # seconds in which nobody has taken the next request
CALM_AFTER = 10  # seconds


class WebThreads(ThreadedTaskDispatcher):  # type: ignore[misc] # waitress has no types
    def __init__(self) -> None:
        super().__init__()
        self.next: Any = None
        self.waits_since = self.stuck_at = monotonic()
        self.set_thread_count(FEW)

    def add_task(self, task: Any) -> None:
        """Without the library's warning for each request that waits a moment."""
        with self.lock:
            self.queue.append(task)
            self.queue_cv.notify()

    def handler_thread(self, thread_no: int) -> None:
        try:
            super().handler_thread(thread_no)
        finally:
            connections.close_all()

    def look(self) -> None:
        """Have as many threads as are needed now; called often."""
        now, before = monotonic(), self.next
        with self.lock:
            self.next = self.queue[0] if self.queue else None
        if self.next is None or self.next is not before:
            self.waits_since = now
            if now >= self.stuck_at + CALM_AFTER:
                self.set_thread_count(FEW)
        elif now >= self.waits_since + STUCK_AFTER:
            self.stuck_at = now
            self.set_thread_count(MANY)
