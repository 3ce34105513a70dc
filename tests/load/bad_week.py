"""A bad week: one fault after another under a running site, and what became of it.

    uv run python -m tests.load.bad_week [--own-cluster]

For each fault: what visitors saw meanwhile, what the operator was told, and how long after its end the site was well
and every promised mail had left. The status is 0 only when each fault was told in the words expected, nothing was lost
and the site recovered by itself. What takes ten minutes to be late is aged by setting `owed_since` back. Faults of
disks mount small file systems, which needs root: without it they are left out, and a line says so.
"""

import argparse
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.chaos import journal
from tests.load.database import Cluster, add_server, own_database
from tests.load.fleet import MailServer
from tests.site import TIMEOUT, RunningSite, wait_for

TOKEN = "a-token-for-the-bad-week"
LASTS = 12.0  # seconds that the database is away
UNDER_WAY = "SELECT count(*) FROM registrations_delivery WHERE state IN ('pending', 'sending') AND attempts > 0"
TWELVE_MINUTES = """
from datetime import timedelta
from django.utils import timezone
from registrations.models import Delivery
Delivery.objects.filter(owed_since__isnull=False).update(owed_since=timezone.now() - timedelta(minutes=12))
"""
LONG_PAUSE = """
from datetime import timedelta
from django.utils import timezone
from registrations.models import ClockMark
ClockMark.objects.update(at=timezone.now() - timedelta(days=400))
"""


@dataclass
class Outcome:
    fault: str
    expected: str  # words of what the operator is told
    seen: dict[str, list[float]] = field(default_factory=dict)  # answers to visitors, and how long each took
    told: str = ""
    recovered_after: float | None = None  # seconds

    @property
    def is_right(self) -> bool:
        return self.expected in self.told and self.recovered_after is not None

    def __str__(self) -> str:
        seen = ", ".join(f"{len(times)} × {what} (≤ {max(times):.1f} s)" for what, times in self.seen.items())
        after = "never" if self.recovered_after is None else f"{self.recovered_after:.1f} s after"
        return (
            f"{'ok  ' if self.is_right else 'BAD '}{self.fault}\n      visitors: {seen or 'nobody came'}\n"
            f"      told: {self.told or 'nothing'}\n      well and all mails: {after}"
        )


class BadWeek:
    def __init__(self, site: RunningSite, cluster: Cluster | None) -> None:
        self.site, self.cluster = site, cluster
        self.mail_server = MailServer(site.data)
        self.promised: set[str] = set()
        self.number = 0
        site.env |= {
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_server.port}",
            "STATUS_TOKEN": TOKEN,
            "RATE_LIMITS": "off",
        }

    def outcomes(self) -> Iterator[Outcome]:
        self.site.run("demo", "--setup-only")
        self.mails = self.mail_server.launch()
        self.up = self._start()
        try:
            yield self._mail_server_away()
            yield self._wrong_password()
            yield self._database_hangs()
            if not self.cluster:
                yield self._database_file_moved()
            yield self._static_files_empty()
            yield self._long_pause()
            if (folder := self._small_folder()) is not None:
                yield self._temporary_folder_full(folder)
        finally:
            self._stop()
            self.mails.kill()
            self.mails.wait()

    def _mail_server_away(self) -> Outcome:
        outcome = Outcome("the mail server is down", "minutes overdue")
        self.mails.kill()
        self.mails.wait()
        self._late_mails(outcome)
        self.mails = self.mail_server.launch()
        return self._recovered(outcome)

    def _wrong_password(self) -> Outcome:
        outcome = Outcome("the mail account has another password", "minutes overdue")
        self._restart(EMAIL_URL=f"smtp://user:wrong@127.0.0.1:{self.mail_server.port}")
        self._late_mails(outcome)
        self._restart()
        return self._recovered(outcome)

    def _late_mails(self, outcome: Outcome) -> None:
        for _ in range(3):
            self._visit(outcome)
        tried = "SELECT count(*) FROM registrations_delivery WHERE state = 'pending' AND attempts > 0"
        wait_for(lambda: self.site.rows(tried)[0][0] > 0, "a try that fails")
        self.site.run("shell", "-v0", "-c", TWELVE_MINUTES)
        outcome.told = self._told()

    def _database_hangs(self) -> Outcome:
        outcome = Outcome("the database hangs", "The database does not answer" if self.cluster else "ready")
        with self._frozen():
            ends = time.monotonic() + LASTS
            outcome.told = self._told()
            while time.monotonic() < ends:
                self._visit(outcome)
                self._look(outcome, "/healthz")
        return self._recovered(outcome)

    @contextlib.contextmanager
    def _frozen(self) -> Iterator[None]:
        """PostgreSQL stopped as a virtual machine can be; SQLite's write lock held, as by a backup tool."""
        if not self.cluster:
            holder = threading.Thread(target=self._hold_the_lock)
            holder.start()
            yield
            holder.join()
            return
        pids = self.cluster.pids
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def _hold_the_lock(self) -> None:
        with contextlib.closing(sqlite3.connect(self.site.data / "db.sqlite3", timeout=60)) as file:
            file.execute("BEGIN EXCLUSIVE")
            time.sleep(LASTS)
            file.rollback()

    def _database_file_moved(self) -> Outcome:
        outcome = Outcome("the database file is moved away", "The database file has been")
        file = self.site.data / "db.sqlite3"
        file.rename(aside := file.with_suffix(".aside"))
        outcome.told = self._told()
        self._look(outcome, "/")
        self._stop()
        refused = self.site.start("up", "--port", str(self.site.port))
        if refused.wait(timeout=TIMEOUT) == 0:
            outcome.told = "an empty site was begun"
        aside.rename(file)
        self.up = self._start()
        return self._recovered(outcome)

    def _static_files_empty(self) -> Outcome:
        outcome = Outcome("the static files are empty after a power cut", "")
        self._stop()
        for path in (self.site.data / "static").rglob("*.css"):
            path.write_bytes(b"")
        self.up = self._start()
        sizes = [path.stat().st_size for path in (self.site.data / "static").rglob("*.css")]
        outcome.told = "made anew" if all(sizes) else ""
        outcome.expected = "made anew"
        return self._recovered(outcome)

    def _long_pause(self) -> Outcome:
        outcome = Outcome("the site was off for a year, or its clock is wrong", "The purge waits.")
        self.site.run("shell", "-v0", "-c", LONG_PAUSE)
        outcome.told = self._told()
        self._visit(outcome)
        self.site.run("purge", "--confirm")
        return self._recovered(outcome)

    def _small_folder(self) -> Path | None:
        folder = self.site.data / "small"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
        done = subprocess.run(mount, capture_output=True, check=False)
        return None if done.returncode else folder

    def _temporary_folder_full(self, folder: Path) -> Outcome:
        outcome = Outcome("the folder for temporary files is full", "The folder for temporary files")
        try:
            self._restart(TMPDIR=str(folder))
            for _ in range(8):  # both processes have chosen this folder
                self._told()
            with contextlib.suppress(OSError):
                (folder / "full").write_bytes(b"x" * 2_000_000)
            outcome.told = self._told()
            for _ in range(3):
                self._visit(outcome)
            self._restart()
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return self._recovered(outcome)

    def _start(self, **changes: str) -> "subprocess.Popen[str]":
        kept, self.site.env = self.site.env, {**self.site.env, **changes}
        process = self.site.start("up", "--port", str(self.site.port))
        self.site.env = kept
        self.site.wait_until_it_serves()
        return process

    def _stop(self) -> None:
        self.up.terminate()
        self.up.wait(timeout=TIMEOUT)

    def _restart(self, **changes: str) -> None:
        self._stop()
        self.up = self._start(**changes)

    def _visit(self, outcome: Outcome) -> None:
        """One sign-up. Who was told that it is recorded has been promised a mail."""
        self.number += 1
        address = f"visitor{self.number}@example.org"

        def sign_up() -> str:
            self.site.sign_up(email=address)
            self.promised.add(address)
            return "signed up"

        self._time(outcome, sign_up)

    def _look(self, outcome: Outcome, path: str) -> None:
        self._time(outcome, lambda: f"{path} {self.site.status(path)}")

    def _time(self, outcome: Outcome, act: Callable[[], str]) -> None:
        began = time.monotonic()
        try:
            seen = act()
        except urllib.error.HTTPError as error:
            error.close()
            seen = f"sign-up {error.code}"
        except OSError as error:
            seen = type(error).__name__
        outcome.seen.setdefault(seen, []).append(time.monotonic() - began)

    def _told(self) -> str:
        """What /readyz says to the operator."""
        request = urllib.request.Request(f"{self.site.address}/readyz", headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return " ".join(answer.read().decode().split())
        except urllib.error.HTTPError as error:
            return " ".join(error.read().decode().split())

    def _recovered(self, outcome: Outcome) -> Outcome:
        """Wait until a sign-up works and every promised mail has left."""
        began = time.monotonic()
        before = len(self.promised)
        while len(self.promised) == before and time.monotonic() < began + TIMEOUT:
            self._visit(Outcome("", ""))
        with contextlib.suppress(AssertionError):
            wait_for(lambda: self.promised <= self._arrived() and not self.site.rows(UNDER_WAY)[0][0], "the mails")
            outcome.recovered_after = time.monotonic() - began
        return outcome

    def _arrived(self) -> set[str]:
        return {str(mail["kept"]) for mail in journal(self.mail_server.journal) if "kept" in mail}


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # of a connection that has just been closed
            os.kill(pid, number)


def main() -> int:
    parser = argparse.ArgumentParser(description="One fault after another, and what became of each.")
    add_server(parser)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bad-week-")))
        url, cluster = stack.enter_context(own_database(options))
        week = BadWeek(stack.enter_context(RunningSite(data, url)), cluster)
        outcomes = []
        for outcome in week.outcomes():
            sys.stdout.write(f"{outcome}\n")
            sys.stdout.flush()
            outcomes.append(outcome)
    return 0 if all(outcome.is_right for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
