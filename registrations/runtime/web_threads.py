"""A thread pool for waitress that has two threads, and eight while those two are blocked.

Only one thread runs Python code at a time (the global interpreter lock) and each switch between threads costs time:
two threads answer a rush of requests faster than eight. When both wait for something else, such as a database lock,
more threads can answer meanwhile.
"""

from time import monotonic
from typing import Any

from django.db import connections
from waitress.task import ThreadedTaskDispatcher

THREADS_MIN, THREADS_MAX = 2, 8
STUCK_AFTER = 0.1  # seconds during which no thread has taken the next request
CALM_AFTER = 10  # seconds without a stuck request


class WebThreads(ThreadedTaskDispatcher):  # type: ignore[misc] # waitress has no types
    def __init__(self) -> None:
        super().__init__()
        self.next: Any = None
        self.next_since = self.stuck_at = monotonic()
        self.set_thread_count(THREADS_MIN)

    def add_task(self, task: Any) -> None:
        """Like the parent method, but without its warning for each request that is queued."""
        with self.lock:
            self.queue.append(task)
            self.queue_cv.notify()

    def handler_thread(self, thread_no: int) -> None:
        try:
            super().handler_thread(thread_no)
        finally:
            connections.close_all()

    def adjust(self) -> None:
        """Set the number of threads to what is needed now. The server loop calls it on each iteration."""
        now, previous = monotonic(), self.next
        with self.lock:
            self.next = self.queue[0] if self.queue else None
        if self.next is None or self.next is not previous:
            self.next_since = now
            if now >= self.stuck_at + CALM_AFTER:
                self.set_thread_count(THREADS_MIN)
        elif now >= self.next_since + STUCK_AFTER:
            self.stuck_at = now
            self.set_thread_count(THREADS_MAX)
