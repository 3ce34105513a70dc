"""The supervisor of `up` and `demo` ends within its limit, whatever is signalled and in whatever order."""

import os
import signal
import subprocess
import sys

import pytest

from tests.management.child_processes import children_of
from tests.site import ROOT, TIMEOUT, RunningSite, wait_for

INTERRUPTED = """
import signal, sys
import django
django.setup()
from registrations.management import processes

def again(frame, event, argument):
    if event == "call" and callable(signal.getsignal(signal.SIGHUP)):  # the last one that gets its handler
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.raise_signal(number)

sys.setprofile(again)
processes.keep_running([])
sys.setprofile(None)
"""
STUBBORN = """
import os, django
django.setup()
from registrations.management import processes
processes.GRACE = 0.5
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
processes.keep_running([processes.Child(["shell", "--verbosity", "0", "-c", deaf], os.environ)])
"""


def started(script: str) -> subprocess.Popen[str]:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "webinar.settings"}
    return subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)


def test_signals_that_interrupt_the_handler_of_another_do_not_hang_the_supervisor() -> None:
    """A signal in each function call: `uv run` and an init system both signal it, so that two come at once."""
    with started(INTERRUPTED) as supervisor:
        try:
            assert supervisor.wait(timeout=TIMEOUT) == 0
        finally:
            supervisor.kill()


def test_a_child_that_ignores_the_signal_does_not_keep_the_supervisor_from_ending() -> None:
    with started(STUBBORN) as supervisor:
        try:
            assert supervisor.stdout is not None
            assert supervisor.stdout.readline() == "deaf\n"
            supervisor.terminate()
            assert supervisor.wait(timeout=TIMEOUT) == 0
        finally:
            supervisor.kill()


@pytest.mark.parametrize("first", ["up", "children"])
def test_up_and_its_children_end_when_all_of_them_are_signalled_several_times(site: RunningSite, first: str) -> None:
    up = site.start("up", "--port", str(site.port))
    site.wait_until_it_serves()
    children = children_of(up.pid, "web", "web", "worker")
    order = [up.pid, *children] if first == "up" else [*children, up.pid]
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
        for pid in order:
            if number == signal.SIGTERM or pid == up.pid:
                send(pid, number)
    assert up.wait(timeout=TIMEOUT) in {0, -signal.SIGTERM}
    wait_for(lambda: site.status("/healthz") is None, "the end of the children")


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
