"""The processes of one site and its mail server, each of which may be killed and comes back.

The harness asks for `kill`, `tend` and `renew_workers` alone: what restarts the dead is the fleet's own business. A
fleet that runs one supervisor instead finds its victims among the supervisor's children, and has only the mail server
to tend.
"""

import contextlib
import functools
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.network import free_port
from tests.site import ROOT, RunningSite, wait_for

MAIL_SERVER = ROOT / "tests" / "load" / "mail_server.py"
GRACE = 60  # seconds for a worker to finish the mail in hand
ASKED_TO_END = {0, -signal.SIGTERM}  # the latter while it was still starting


@dataclass
class Place:
    """Where one process must always run."""

    role: str
    launch: Callable[[], subprocess.Popen[str]]
    process: subprocess.Popen[str]
    killed: bool = False

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.killed = True
        self.process.kill()
        self.process.wait()

    def revive(self) -> None:
        self.process, self.killed = self.launch(), False


class MailServer:
    """Starts the SMTP server process, each time with other dice."""

    def __init__(self, data: Path, *, seed: int = 1, rate: float = 0.0, journal: bool = True) -> None:
        self.port, self.seed, self.rate = free_port(), seed * 1000, rate
        self.journal = data / "journal" if journal else None
        self.faults_while = data / "faults"

    def launch(self) -> subprocess.Popen[str]:
        self.seed += 1
        command: list[str | Path] = [sys.executable, MAIL_SERVER, "--port", str(self.port), "--seed", str(self.seed)]
        command += ["--faults-while", self.faults_while, "--rate", str(self.rate)]
        command += ["--journal", self.journal] if self.journal else []
        return subprocess.Popen(command, env={}, text=True)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Fleet:
    def __init__(self, site: RunningSite, mail_server: MailServer, *, webs: int, workers: int) -> None:
        self.site, self.ports, self.mail_port = site, [free_port() for _ in range(webs)], mail_server.port
        launches: list[tuple[str, Callable[[], subprocess.Popen[str]]]] = [("smtp", mail_server.launch)]
        launches += [("web", functools.partial(site.start, "web", "--port", str(port))) for port in self.ports]
        launches += [("worker", functools.partial(site.start, "worker"))] * workers
        self.places = [Place(role, launch, launch()) for role, launch in launches]
        self.kills: Counter[str] = Counter()
        self.ended_by_themselves: Counter[str] = Counter()

    @property
    def addresses(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def wait_until_it_serves(self) -> None:
        for port in [self.mail_port, *self.ports]:
            wait_for(functools.partial(listens, port), "the first answer")

    def kill(self, role: str, dice: random.Random) -> None:
        """kill -9 of one process of this role, if one lives."""
        if victims := [place for place in self.places if place.role == role and place.lives]:
            dice.choice(victims).kill()
            self.kills[role] += 1

    def tend(self) -> None:
        """Start again what is dead; a process that nobody killed should not have died."""
        for place in self.places:
            if not place.lives:
                self.ended_by_themselves[place.role] += not place.killed
                place.revive()

    def renew_workers(self, meanwhile: Callable[[], None]) -> None:
        """As a deployment does: ask every worker to finish the mail in hand and end, then start new ones."""
        workers = [place for place in self.places if place.role == "worker"]
        for place in workers:
            place.process.terminate()
        deadline = time.monotonic() + GRACE
        for place in workers:
            self._see_off(place, deadline)
        meanwhile()
        for place in workers:
            place.revive()

    def _see_off(self, place: Place, deadline: float) -> None:
        try:
            status = place.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kills["worker, slow to end"] += 1
            place.kill()
        else:
            self.ended_by_themselves["worker"] += status not in ASKED_TO_END and not place.killed

    def end(self) -> None:
        for place in self.places:
            place.process.kill()
            place.process.wait()
