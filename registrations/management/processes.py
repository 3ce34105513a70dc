"""Several processes that live and die together."""

import ctypes
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # prctl(2)
GRACE = 60  # seconds for a worker to finish the mail in hand
POLL_EVERY = 0.1  # seconds
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before a process that died is started again
HEALTHY_AFTER = 10  # seconds of life after which a death is an accident again, and not a habit


@dataclass
class Child:
    """One of our own commands; on Linux it does not outlive this process, not even after kill -9."""

    arguments: list[str]
    env: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()
    wait: float = FIRST_WAIT
    started_at: float = 0.0
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *self.arguments],
            env=dict(self.env),
            pass_fds=self.pass_fds,
            preexec_fn=die_with_parent,
            process_group=0,  # Ctrl-C reaches only the parent, which then ends the others in order
        )

    @property
    def status(self) -> int | None:
        return self.process.poll()

    def start_again_when_due(self) -> None:
        """At once after an accident, more and more slowly when it dies again and again."""
        lived = time.monotonic() - self.started_at
        if lived > HEALTHY_AFTER:
            self.wait = FIRST_WAIT
        if lived >= self.wait:
            self.wait = min(self.wait * 2, LONGEST_WAIT)
            logger.warning("%s ended with status %s: started again", self.arguments[0], self.status)
            self.start()


def run_together(children: list[Child]) -> int:
    """Until one of them ends or this process is told to stop; then end them all. The first exit status."""
    stop = _stop_on_signals()
    for child in children:
        child.start()
    ended: list[int] = []
    while not stop.is_set() and not ended:
        time.sleep(POLL_EVERY)
        ended = [child.status for child in children if child.status is not None]
    _end(children)
    return 0 if stop.is_set() else ended[0] or 1


def keep_running(children: list[Child]) -> None:
    """Start again whatever dies, until this process is told to stop; then end them all."""
    stop = _stop_on_signals()
    for child in children:
        child.start()
    while not stop.wait(POLL_EVERY):
        for child in children:
            if child.status is not None:
                child.start_again_when_due()
    _end(children)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _end(children: list[Child]) -> None:
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + GRACE
    for child in children:
        try:
            child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def die_with_parent() -> None:
    """Asks the system for it, where it can do so."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
