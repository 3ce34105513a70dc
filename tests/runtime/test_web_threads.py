"""The pool has few threads, gets more while all of them are blocked, and shrinks again afterwards."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from registrations.runtime.web_threads import CALM_AFTER, STUCK_AFTER, THREADS_MAX, THREADS_MIN, WebThreads
from tests.site import TIMEOUT, wait_for


class Request:
    """Blocks its thread until `may_end` is set."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def service(self) -> None:
        self.has_begun.set()
        self.may_end.wait(TIMEOUT)

    def cancel(self) -> None: ...


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [time.monotonic()]

    def forward(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr("registrations.runtime.web_threads.monotonic", lambda: now[0])
    return forward


@pytest.fixture
def threads(clock: Callable[[float], None]) -> Iterator[WebThreads]:
    threads = WebThreads()
    yield threads
    threads.shutdown()


def test_threads_are_added_while_no_thread_takes_the_next_request(
    threads: WebThreads, clock: Callable[[float], None]
) -> None:
    requests = [Request() for _ in range(THREADS_MIN + 2)]
    for request in requests:
        threads.add_task(request)
    assert all(request.has_begun.wait(TIMEOUT) for request in requests[:THREADS_MIN])
    threads.adjust()
    clock(STUCK_AFTER / 2)
    threads.adjust()
    assert len(threads.threads) == THREADS_MIN
    clock(STUCK_AFTER)
    threads.adjust()
    assert len(threads.threads) == THREADS_MAX
    assert all(request.has_begun.wait(TIMEOUT) for request in requests)

    for request in requests:
        request.may_end.set()
    threads.adjust()
    assert len(threads.threads) == THREADS_MAX
    clock(CALM_AFTER)
    threads.adjust()
    wait_for(lambda: len(threads.threads) == THREADS_MIN, "the end of the added threads")


def test_no_thread_is_added_while_a_long_queue_moves(threads: WebThreads, clock: Callable[[float], None]) -> None:
    requests = [Request() for _ in range(20)]
    for request in requests:
        threads.add_task(request)
    for done, request in enumerate(requests[: 20 - THREADS_MIN]):
        assert request.has_begun.wait(TIMEOUT)
        request.may_end.set()
        assert requests[done + THREADS_MIN].has_begun.wait(TIMEOUT)
        clock(STUCK_AFTER)
        threads.adjust()
    assert len(threads.threads) == THREADS_MIN
    for request in requests:
        request.may_end.set()
