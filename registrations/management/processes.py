"""Several processes that live and die together."""

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from django.conf import settings

PR_SET_PDEATHSIG = 1  # prctl(2)
GRACE = 30  # seconds for a worker to finish the mail in hand
POLL_EVERY = 0.2  # seconds


def start(*arguments: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Run one of our own commands; on Linux it does not outlive this process, not even after kill -9."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
        env=dict(env),
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        process_group=0,  # Ctrl-C reaches only the parent, which then ends the others in order
    )


def run_together(children: list[subprocess.Popen[bytes]]) -> int:
    """Wait until one of them ends or this process is told to stop, then end them all; the first exit status."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked_to_stop.set())
    ended: list[int] = []
    while not asked_to_stop.is_set() and not ended:
        time.sleep(POLL_EVERY)
        ended = [child.returncode for child in children if child.poll() is not None]
    _end(children)
    return 0 if asked_to_stop.is_set() else ended[0] or 1


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    deadline = time.monotonic() + GRACE
    for child in children:
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
