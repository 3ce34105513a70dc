"""Few threads answer; when all of them wait for something, others come to help, and go again."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from registrations.runtime.web_threads import CALM_AFTER, FEW, MANY, STUCK_AFTER, WebThreads
from tests.site import PATIENCE, wait_for


class Request:
    """Waits in its thread until it is let go."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def service(self) -> None:
        self.has_begun.set()
        self.may_end.wait(PATIENCE)

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


def test_others_help_when_nobody_takes_the_next_request(threads: WebThreads, clock: Callable[[float], None]) -> None:
    requests = [Request() for _ in range(FEW + 2)]
    for request in requests:
        threads.add_task(request)
    assert all(request.has_begun.wait(PATIENCE) for request in requests[:FEW])
    threads.look()
    clock(STUCK_AFTER / 2)
    threads.look()
    assert len(threads.threads) == FEW
    clock(STUCK_AFTER)
    threads.look()
    assert len(threads.threads) == MANY
    assert all(request.has_begun.wait(PATIENCE) for request in requests)

    for request in requests:
        request.may_end.set()
    threads.look()
    assert len(threads.threads) == MANY
    clock(CALM_AFTER)
    threads.look()
    wait_for(lambda: len(threads.threads) == FEW, "the end of the helpers")


def test_a_long_queue_that_moves_needs_nobody(threads: WebThreads, clock: Callable[[float], None]) -> None:
    requests = [Request() for _ in range(20)]
    for request in requests:
        threads.add_task(request)
    for done, request in enumerate(requests[: 20 - FEW]):
        assert request.has_begun.wait(PATIENCE)
        request.may_end.set()
        assert requests[done + FEW].has_begun.wait(PATIENCE)
        clock(STUCK_AFTER)
        threads.look()
    assert len(threads.threads) == FEW
    for request in requests:
        request.may_end.set()
