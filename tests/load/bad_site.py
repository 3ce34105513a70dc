"""A site and its mail server under faults: what visitors see, what is late, what the operator is told."""

import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.load import processes
from tests.load.chaos import journal
from tests.load.database import AWAY, RETRIES_NOW, Cluster, database_at
from tests.load.fleet import MailServer
from tests.site import TIMEOUT, RunningSite, wait_for

TOKEN = "a-token-for-the-bad-week"
READY = "ready"
OVERDUE = "minutes overdue"
FULL_LATELY = "The database had no room"  # is said for three minutes more
UNDER_WAY = "SELECT count(*) FROM registrations_delivery WHERE state IN ('pending', 'sending') AND attempts > 0"
TRIED = "SELECT count(*) FROM registrations_delivery WHERE state = 'pending' AND attempts > 0"
TWELVE_MINUTES = """
from datetime import timedelta
from django.utils import timezone
from registrations.models import Delivery
Delivery.objects.filter(owed_since__isnull=False).update(owed_since=timezone.now() - timedelta(minutes=12))
"""


@dataclass
class Outcome:
    fault: str
    expected: str  # words of what the operator is told
    seen: dict[str, list[float]] = field(default_factory=dict)  # answers to visitors, and how long each took
    late: int = 0  # promised mails that had not left when the fault ended
    told: str = ""
    recovered_by: str = "by itself"
    recovered_after: float | None = None  # seconds

    @property
    def is_right(self) -> bool:
        return self.expected in self.told and self.recovered_after is not None

    def __str__(self) -> str:
        seen = ", ".join(f"{len(times)} × {what} (≤ {max(times):.1f} s)" for what, times in self.seen.items())
        after = "never" if self.recovered_after is None else f"{self.recovered_after:.1f} s after"
        return (
            f"{'ok  ' if self.is_right else 'BAD '}{self.fault}\n      visitors: {seen or 'nobody came'}\n"
            f"      late: {self.late} mails\n      told: {self.told or 'nothing'}\n"
            f"      well and all mails: {after}, {self.recovered_by}"
        )


class SiteUnderFaults:
    def __init__(self, site: RunningSite, cluster: Cluster | None, aside: Path) -> None:
        self.site, self.cluster = site, cluster
        self.mail_server = MailServer(aside)
        self.database = database_at(site.env["DATABASE_URL"], site.data)
        self.promised: set[str] = set()
        self.number = 0
        site.env |= {"EMAIL_URL": self.email_url(), "STATUS_TOKEN": TOKEN, "RATE_LIMITS": "off"}

    def email_url(self, scheme: str = "smtp") -> str:
        return f"{scheme}://user:password@127.0.0.1:{self.mail_server.port}"

    def begin(self) -> None:
        self.site.run("demo", "--setup-only")
        self.mails = self.mail_server.launch()
        self.up = self.start()

    def end(self) -> None:
        self.stop()
        self.mails.kill()
        self.mails.wait()

    def start(self, **changes: str) -> "subprocess.Popen[str]":
        kept, self.site.env = self.site.env, {**self.site.env, **changes}
        process = self.site.start("up", "--port", str(self.site.port))
        self.site.env = kept
        self.site.wait_until_it_serves()
        return process

    def stop(self) -> None:
        self.up.terminate()
        self.up.wait(timeout=TIMEOUT)

    def restart(self, **changes: str) -> None:
        self.stop()
        self.up = self.start(**changes)

    def pids(self) -> list[int]:
        """Of `up` and of what it has started."""
        return [self.up.pid, *processes.children(self.up.pid)]

    def visit(self, outcome: Outcome) -> None:
        """One sign-up. Who was told that it is recorded has been promised a mail."""
        self.number += 1
        address = f"visitor{self.number}@example.org"

        def sign_up() -> str:
            self.site.sign_up(email=address)
            self.promised.add(address)
            return "signed up"

        self.timed(outcome, sign_up)

    def look(self, outcome: Outcome, path: str) -> None:
        self.timed(outcome, lambda: f"{path} {self.site.status(path)}")

    def timed(self, outcome: Outcome, act: Callable[[], str]) -> None:
        began = time.monotonic()
        try:
            seen = act()
        except urllib.error.HTTPError as error:
            error.close()
            seen = f"sign-up {error.code}"
        except OSError as error:
            seen = type(error).__name__
        outcome.seen.setdefault(seen, []).append(time.monotonic() - began)

    def told(self) -> str:
        """What /readyz says to the operator."""
        request = urllib.request.Request(f"{self.site.address}/readyz", headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return " ".join(answer.read().decode().split())
        except urllib.error.HTTPError as error:
            return " ".join(error.read().decode().split())

    def told_in_the_end(self, words: str) -> str:
        with contextlib.suppress(AssertionError):
            wait_for(lambda: words in self.told(), words)
        return self.told()

    def late_mails(self, outcome: Outcome) -> None:
        for _ in range(3):
            self.visit(outcome)
        wait_for(lambda: self.site.rows(TRIED)[0][0] > 0, "a try that fails")
        self.site.run("shell", "-v0", "-c", TWELVE_MINUTES)
        outcome.late, outcome.told = self.late(), self.told()

    def late(self) -> int:
        return len(self.promised - self.arrived())

    def recovered(self, outcome: Outcome, *, retries_now: bool = False) -> Outcome:
        """Wait until a sign-up works, every promised mail has left, and the site is ready.

        `retries_now`: instead of the half minute to ten minutes that such a mail waits for its next try.
        """
        outcome.recovered_by += ", retries brought forward" if retries_now else ""
        began = time.monotonic()
        outcome.late = max(outcome.late, self.late())
        before = len(self.promised)
        while len(self.promised) == before and time.monotonic() < began + TIMEOUT:
            self.visit(Outcome("", ""))
        with contextlib.suppress(AssertionError):
            wait_for(lambda: self._is_well(retries_now=retries_now), "the mails")
            outcome.recovered_after = time.monotonic() - began
        return outcome

    def _is_well(self, *, retries_now: bool) -> bool:
        if retries_now:
            self.retries_now()
        all_left = self.promised <= self.arrived() and not self.site.rows(UNDER_WAY)[0][0]
        return all_left and self.told().startswith((READY, FULL_LATELY))

    def retries_now(self) -> None:
        with contextlib.suppress(*AWAY):
            self.database.execute(RETRIES_NOW)

    def arrived(self) -> set[str]:
        return {str(mail["kept"]) for mail in journal(self.mail_server.journal) if "kept" in mail}
