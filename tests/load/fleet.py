"""The processes of one site and its mail server, which a test can kill and restart.

A `Fleet` restarts ended processes itself; a `SupervisedFleet` leaves that to `manage.py up` and kills the children of
that process.
"""

import contextlib
import functools
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar

from tests.load import processes
from tests.network import free_port
from tests.site import ROOT, RunningSite, wait_for

MAIL_SERVER = ROOT / "tests" / "load" / "mail_server.py"
GRACE = 60  # seconds for a worker to finish its current mail
EXPECTED_STATUSES = {0, -signal.SIGTERM}  # -SIGTERM: stopped while it was still starting

type Launch = Callable[[], subprocess.Popen[str]]


@dataclass
class Slot:
    """A place of the fleet in which a process must always run."""

    role: str
    launch: Launch
    process: subprocess.Popen[str]
    killed: bool = False

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.killed = True
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process, self.killed = self.launch(), False


class MailServer:
    """Starts the SMTP server process, each time with another random seed."""

    def __init__(self, data: Path, *, seed: int = 1, rate: float = 0.0, journal: bool = True) -> None:
        self.port, self.seed, self.rate = free_port(), seed * 1000, rate
        self.journal = data / "journal" if journal else None
        self.faults_while, self.mood_file = data / "faults", data / "mood"

    def launch(self) -> subprocess.Popen[str]:
        self.seed += 1
        command: list[str | Path] = [sys.executable, MAIL_SERVER, "--port", str(self.port), "--seed", str(self.seed)]
        command += ["--faults-while", self.faults_while, "--rate", str(self.rate)]
        command += ["--mood-file", self.mood_file]
        command += ["--journal", self.journal] if self.journal else []
        return subprocess.Popen(command, env={}, text=True)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Fleet:
    redeployed_role: ClassVar[str] = "worker"  # role of the processes that a deployment restarts
    roles: ClassVar[dict[str, int]] = {"worker": 5, "web": 3, "smtp": 3}  # weights of the roles for kills

    def __init__(self, machines: list[RunningSite], mail_server: MailServer, *, webs: int, workers: int) -> None:
        self.machines, self.mail_port = machines, mail_server.port
        self.ports = [free_port() for _ in range(webs)]
        launches = {"smtp": [mail_server.launch], **self._launches(workers)}
        self.slots = [Slot(role, launch, launch()) for role in launches for launch in launches[role]]
        self.kills: Counter[str] = Counter()
        self.ended_by_themselves: Counter[str] = Counter()

    def _launches(self, workers: int) -> dict[str, list[Launch]]:
        """Functions that start the processes, distributed among the machines in turn."""
        start, machines = functools.partial, itertools.cycle(self.machines)
        return {
            "web": [start(next(machines).start, "web", "--port", str(port)) for port in self.ports],
            "worker": [start(next(machines).start, "worker") for _ in range(workers)],
        }

    @property
    def addresses(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def wait_until_it_serves(self) -> None:
        for port in [self.mail_port, *self.ports]:
            wait_for(functools.partial(listens, port), "the first answer")

    def kill(self, role: str, random: Random) -> None:
        """kill -9 of a running process of this role, if there is one."""
        if running := [slot for slot in self.slots if slot.role == role and slot.is_running]:
            random.choice(running).kill()
            self.kills[role] += 1

    def restart_ended(self) -> None:
        """Restart ended processes, and count those that ended without having been killed."""
        for slot in self.slots:
            if not slot.is_running:
                self.ended_by_themselves[slot.role] += not slot.killed
                slot.restart()

    def redeploy(self, meanwhile: Callable[[], None]) -> None:
        """Like a deployment: ask every worker to finish its current mail and end, then start new ones."""
        slots = [slot for slot in self.slots if slot.role == self.redeployed_role]
        for slot in slots:
            slot.process.terminate()
        deadline = time.monotonic() + GRACE
        for slot in slots:
            self._wait_for_end(slot, deadline)
        meanwhile()
        for slot in slots:
            slot.restart()

    def _wait_for_end(self, slot: Slot, deadline: float) -> None:
        try:
            status = slot.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kills[f"{slot.role}, slow to end"] += 1
            slot.kill()
        else:
            self.ended_by_themselves[slot.role] += status not in EXPECTED_STATUSES and not slot.killed

    def end(self) -> None:
        for slot in self.slots:
            slot.process.kill()
            slot.process.wait()


class SupervisedFleet(Fleet):
    """A fleet run by `manage.py up`, which can be killed too: then its children must end."""

    redeployed_role = "up"
    roles: ClassVar[dict[str, int]] = {**Fleet.roles, "up": 1}

    def __init__(self, site: RunningSite, mail_server: MailServer, *, workers: int) -> None:
        super().__init__([site], mail_server, webs=1, workers=workers)
        self.orphans: list[int] = []

    def _launches(self, workers: int) -> dict[str, list[Launch]]:
        command = ("up", "--port", str(self.ports[0]), "--workers", str(workers))
        return {"up": [functools.partial(self.machines[0].start, *command)]}

    def kill(self, role: str, random: Random) -> None:
        if role in {"web", "worker"}:
            self._kill_child(role, random)
            return
        if role == "up":
            self.orphans = self.children()
        super().kill(role, random)

    def _kill_child(self, role: str, random: Random) -> None:
        if running := self.children(role):
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(running), signal.SIGKILL)
                self.kills[role] += 1

    def children(self, role: str = "") -> list[int]:
        """pids of the processes started by `manage.py up`, of one role or of all."""
        [up] = [slot.process.pid for slot in self.slots if slot.role == "up"]
        return [pid for pid in processes.children(up) if not role or processes.is_command(pid, role)]

    def restart_ended(self) -> None:
        wait_for(lambda: not any(map(processes.runs, self.orphans)), "the end of the orphans")
        super().restart_ended()

    def end(self) -> None:
        self.orphans = self.children()
        super().end()
        wait_for(lambda: not any(map(processes.runs, self.orphans)), "the end of the orphans")
