"""Start, supervise and stop child processes."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # prctl(2)
GRACE = 60  # seconds for a worker to finish its current mail
KILLED_WITHIN = 5  # seconds for a killed process to end; one that waits for a dead disk does not
POLL_EVERY = 0.1  # seconds
WAIT_MIN, WAIT_MAX = 0.5, 30.0  # seconds before an ended process is started again
HEALTHY_AFTER = 10  # seconds: a process that ran longer is started again after WAIT_MIN


@dataclass
class Child:
    """A manage.py command in a child process. On Linux it ends when this process ends, even after kill -9."""

    arguments: list[str]
    env: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()
    wait: float = WAIT_MIN
    started_at: float = 0.0
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *self.arguments],
            env=dict(self.env),
            pass_fds=self.pass_fds,
            preexec_fn=partial(die_with_parent, os.getpid()),
            process_group=0,  # Ctrl-C reaches only the parent, which then stops the children
        )

    @property
    def status(self) -> int | None:
        return self.process.poll()

    def restart_when_due(self) -> None:
        """Start the ended process again, with exponential backoff when it ends again and again."""
        running_time = time.monotonic() - self.started_at
        if running_time > HEALTHY_AFTER:
            self.wait = WAIT_MIN
        if running_time >= self.wait:
            self.wait = min(self.wait * 2, WAIT_MAX)
            logger.warning("%s ended with status %s: started again", self.arguments[0], self.status)
            self.start()


def run_together(children: list[Child]) -> int:
    """Run the children until one ends or a signal asks to stop; then stop all. Returns the first exit status."""
    stop = StopSignal(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for child in children:
        child.start()
    ended: list[int] = []
    while not stop.has_come and not ended:
        time.sleep(POLL_EVERY)
        ended = [child.status for child in children if child.status is not None]
    _stop(children)
    return 0 if stop.has_come else ended[0] or 1


def keep_running(children: list[Child]) -> None:
    """Run the children and restart those that end, until a signal asks to stop; then stop all."""
    stop = StopSignal(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for child in children:
        child.start()
    while not stop.has_come:
        time.sleep(POLL_EVERY)
        for child in children:
            if child.status is not None:
                child.restart_when_due()
    _stop(children)


class StopSignal:
    """Remembers that one of these signals has come.

    It is a plain attribute and not a threading.Event: a second signal can interrupt the handler of the first one while
    that holds the lock of the event, and would then wait for this lock for ever.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self.has_come = False
        for number in numbers:
            signal.signal(number, self._note)

    def _note(self, *_signal: object) -> None:
        self.has_come = True


def _stop(children: list[Child]) -> None:
    for child in children:
        child.process.terminate()
    _wait_for(children, GRACE)
    for child in children:
        child.process.kill()
    _wait_for(children, KILLED_WITHIN)


def _wait_for(children: list[Child], seconds: float) -> None:
    """Wait until all have ended, `seconds` at most."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(subprocess.TimeoutExpired):
        for child in children:
            child.process.wait(timeout=max(0, deadline - time.monotonic()))


def die_with_parent(parent: int) -> None:
    """Ask the kernel to send SIGTERM to this process when its parent ends (Linux only). End if it has ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)
