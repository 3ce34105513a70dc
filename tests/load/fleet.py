"""The processes of one site and its mail server, each of which may be killed and comes back.

A `Fleet` restarts the dead itself; a `SupervisedFleet` leaves that to `manage.py up`, and looks for its victims among
the children of that process.
"""

import contextlib
import functools
import itertools
import os
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
from typing import ClassVar

from tests.load import processes
from tests.network import free_port
from tests.site import ROOT, RunningSite, wait_for

MAIL_SERVER = ROOT / "tests" / "load" / "mail_server.py"
GRACE = 60  # seconds for a worker to finish the mail in hand
ASKED_TO_END = {0, -signal.SIGTERM}  # the latter while it was still starting

type Launch = Callable[[], subprocess.Popen[str]]


@dataclass
class Place:
    """Where one process must always run."""

    role: str
    launch: Launch
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
    renewed: ClassVar[str] = "worker"  # the role of the processes that a deployment ends and starts again
    roles: ClassVar[dict[str, int]] = {"worker": 5, "web": 3, "smtp": 3}  # to be killed, and how often, in proportion

    def __init__(self, machines: list[RunningSite], mail_server: MailServer, *, webs: int, workers: int) -> None:
        self.machines, self.mail_port = machines, mail_server.port
        self.ports = [free_port() for _ in range(webs)]
        launches = {"smtp": [mail_server.launch], **self._launches(workers)}
        self.places = [Place(role, launch, launch()) for role in launches for launch in launches[role]]
        self.kills: Counter[str] = Counter()
        self.ended_by_themselves: Counter[str] = Counter()

    def _launches(self, workers: int) -> dict[str, list[Launch]]:
        """Each machine in turn gets one."""
        start, turns = functools.partial, itertools.cycle(self.machines)
        return {
            "web": [start(next(turns).start, "web", "--port", str(port)) for port in self.ports],
            "worker": [start(next(turns).start, "worker") for _ in range(workers)],
        }

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

    def renew(self, meanwhile: Callable[[], None]) -> None:
        """As a deployment does: ask every worker to finish the mail in hand and end, then start new ones."""
        places = [place for place in self.places if place.role == self.renewed]
        for place in places:
            place.process.terminate()
        deadline = time.monotonic() + GRACE
        for place in places:
            self._see_off(place, deadline)
        meanwhile()
        for place in places:
            place.revive()

    def _see_off(self, place: Place, deadline: float) -> None:
        try:
            status = place.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kills[f"{place.role}, slow to end"] += 1
            place.kill()
        else:
            self.ended_by_themselves[place.role] += status not in ASKED_TO_END and not place.killed

    def end(self) -> None:
        for place in self.places:
            place.process.kill()
            place.process.wait()


class SupervisedFleet(Fleet):
    """`manage.py up`: it may be killed too, and then its children end by themselves."""

    renewed = "up"
    roles: ClassVar[dict[str, int]] = {**Fleet.roles, "up": 1}

    def __init__(self, site: RunningSite, mail_server: MailServer, *, workers: int) -> None:
        super().__init__([site], mail_server, webs=1, workers=workers)
        self.orphans: list[int] = []

    def _launches(self, workers: int) -> dict[str, list[Launch]]:
        command = ("up", "--port", str(self.ports[0]), "--workers", str(workers))
        return {"up": [functools.partial(self.machines[0].start, *command)]}

    def kill(self, role: str, dice: random.Random) -> None:
        if role in {"web", "worker"}:
            self._kill_child(role, dice)
            return
        if role == "up":
            self.orphans = self.children()
        super().kill(role, dice)

    def _kill_child(self, role: str, dice: random.Random) -> None:
        if victims := self.children(role):
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(victims), signal.SIGKILL)
                self.kills[role] += 1

    def children(self, role: str = "") -> list[int]:
        """Process numbers of what `manage.py up` has started, of one role or of all."""
        [up] = [place.process.pid for place in self.places if place.role == "up"]
        return [pid for pid in processes.children(up) if not role or processes.is_command(pid, role)]

    def tend(self) -> None:
        wait_for(lambda: not any(map(processes.runs, self.orphans)), "the end of the orphans")
        super().tend()

    def end(self) -> None:
        self.orphans = self.children()
        super().end()
        wait_for(lambda: not any(map(processes.runs, self.orphans)), "the end of the orphans")
