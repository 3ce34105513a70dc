"""A bad week: one fault after another under a running site, and what became of it.

    uv run python -m tests.load.bad_week [--own-cluster]

For each fault: what visitors saw meanwhile, how many mails were late, what the operator was told, and how long after
its end the site was well and every promised mail had left. The status is 0 only when each fault was told in the words
expected, nothing was lost and the site recovered. What takes ten minutes to be late is aged by setting `owed_since`
back.

Full disks are small file systems, which needs the right to mount: without it, the files of the site can no longer be
written (`small_disk`), and a line says which fault is left out. The clock is set with libfaketime (Debian: faketime).
"""

import argparse
import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.load import mail_server, processes
from tests.load.bad_site import FULL_LATELY, OVERDUE, READY, Outcome, SiteUnderFaults
from tests.load.database import Cluster, own_database_on
from tests.load.small_disk import SmallDisk, small_disk
from tests.site import TIMEOUT, RunningSite, wait_for

LASTS = 12.0  # seconds that the database is away
STOPS_WITHIN = 60  # seconds for a worker, see GRACE of the supervisor
SITE_MEGABYTES, TEMP_MEGABYTES, CLUSTER_MEGABYTES = 160, 96, 320
LARGE = 3_000_000  # bytes of an upload
UNTIL_REFUSED = 60  # sign-ups at most, until the full disk is noticed
LIBFAKETIME = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu" / "faketime" / "libfaketime.so.1"
IN_2038 = {"FAKETIME": "+4200d", "FAKETIME_FORCE_MONOTONIC_FIX": "0", "NO_FAKE_STAT": "1"}
KEPT = "SELECT count(*) FROM registrations_registration WHERE email <> ''"
LONG_PAUSE = """
from datetime import timedelta
from django.utils import timezone
from registrations.models import ClockMark
ClockMark.objects.update(at=timezone.now() - timedelta(days=400))
"""
SENT_AGAIN = """
from registrations.admin.people.actions import BULK_ACTIONS
from registrations.models import Registration
for registration in Registration.objects.filter(deliveries__state="failed").distinct():
    BULK_ACTIONS["send_again"].do(registration)
"""
MOODS = {  # of the mail server: what the operator is told
    mail_server.SLOWLY: READY,
    mail_server.REFUSES_FOR_NOW: OVERDUE,
    mail_server.REFUSES_SENDER: OVERDUE,
    mail_server.REFUSES_ALL: "Mails that failed within a week",
    mail_server.CLOSES_BEFORE_MAIL: OVERDUE,
    mail_server.CLOSES_AFTER_DATA: OVERDUE,
    mail_server.WRONG_PASSWORD: OVERDUE,
    mail_server.DROPS_TLS: OVERDUE,
    mail_server.GREYLISTS: READY,  # over after half a minute
}
SHORT = [mail_server.WRONG_PASSWORD, mail_server.REFUSES_ALL]  # of the tests, which leave out what takes longest


class BadWeek(SiteUnderFaults):
    def __init__(self, site: RunningSite, cluster: Cluster | None, aside: Path, disks: list[SmallDisk]) -> None:
        super().__init__(site, cluster, aside)
        self.site_disk, self.temp_disk, *self.cluster_disks = disks
        self.left_out: list[str] = []
        site.env["TMPDIR"] = str(self.temp_disk.folder)

    def outcomes(self, *, short: bool = False) -> Iterator[Outcome]:
        self.begin()
        try:
            yield self._mail_server_away()
            for mood in SHORT if short else MOODS:
                yield self._mail_server_drops_tls() if mood == mail_server.DROPS_TLS else self._mail_server_in(mood)
            yield self._renderer_broken()
            yield self._database_hangs(short=short)
            yield from self._postgresql_faults() if self.cluster else self._sqlite_faults()
            yield self._disk_full()
            if not short:
                yield self._static_files_empty()
            yield self._long_pause()
            yield from self._clock_in_2038()
            yield self._temporary_folder_full()
        finally:
            self.end()

    def _mail_server_away(self) -> Outcome:
        outcome = Outcome("the mail server is down", OVERDUE)
        self.mails.kill()
        self.mails.wait()
        self.late_mails(outcome)
        self.mails = self.mail_server.launch()
        return self.recovered(outcome)

    def _mail_server_in(self, mood: str) -> Outcome:
        outcome = Outcome(f"the mail server: {mood}", MOODS[mood])
        self.mail_server.mood_file.write_text(mood)
        if MOODS[mood] == READY:
            self._slow_mails(outcome)
        elif mood == mail_server.REFUSES_ALL:
            self._failed_mails(outcome)
        else:
            self.late_mails(outcome)
        self.mail_server.mood_file.unlink()
        if mood == mail_server.REFUSES_ALL:
            outcome.recovered_by = "sent again in the desk"
            self.site.run("shell", "-v0", "-c", SENT_AGAIN)
        waits = {mail_server.CLOSES_AFTER_DATA, mail_server.GREYLISTS, mail_server.REFUSES_FOR_NOW}
        return self.recovered(outcome, retries_now=mood in waits)

    def _slow_mails(self, outcome: Outcome) -> None:
        for _ in range(3):
            self.visit(outcome)
        outcome.told = self.told()

    def _failed_mails(self, outcome: Outcome) -> None:
        for _ in range(3):
            self.visit(outcome)
        failed = "SELECT count(*) FROM registrations_delivery WHERE state = 'failed'"
        wait_for(lambda: self.site.rows(failed)[0][0] >= 3, "the refusals")
        outcome.late, outcome.told = self.late(), self.told()

    def _mail_server_drops_tls(self) -> Outcome:
        outcome = Outcome(f"the mail server: {mail_server.DROPS_TLS}", MOODS[mail_server.DROPS_TLS])
        self.mail_server.mood_file.write_text(mail_server.DROPS_TLS)
        self.restart(EMAIL_URL=self.email_url("smtp+tls"))
        self.late_mails(outcome)
        self.mail_server.mood_file.unlink()
        self.restart()
        outcome.recovered_by = "another EMAIL_URL"
        return self.recovered(outcome)

    def _renderer_broken(self) -> Outcome:
        """Each of its processes is killed, as by the kernel when memory runs out."""
        outcome = Outcome("the renderer is killed each time", "A report cannot be made")
        mended = threading.Event()
        killer = threading.Thread(target=self._kill_renderers, args=[mended])
        self.stop()
        for path in (self.site.data / "reports").glob("*"):
            path.unlink()
        self.up = self.site.start("up", "--port", str(self.site.port))
        killer.start()  # before its worker makes the report in advance
        self.site.wait_until_it_serves()
        for _ in range(3):
            self.visit(outcome)
        wait_for(self._all_have_left_by_retries, "mails without a report")
        outcome.told = self.told_in_the_end(outcome.expected)
        mended.set()
        killer.join()
        return self.recovered(outcome)

    def _all_have_left_by_retries(self) -> bool:
        self.retries_now()
        return self.promised <= self.arrived()

    def _kill_renderers(self, mended: threading.Event) -> None:
        while not mended.wait(0.05):
            for process in self.pids():
                for child in processes.children(process):
                    if "pdf_renderer" in processes.read_file(child, "cmdline"):
                        _signal([child], signal.SIGKILL)

    def _database_hangs(self, *, short: bool) -> Outcome:
        outcome = Outcome(
            "PostgreSQL is frozen" if self.cluster else "the SQLite file is locked",
            "The database does not answer" if self.cluster else READY,
        )
        worker = None if short else self._second_worker()
        with self._frozen() as ends:
            if worker:
                worker.terminate()
            outcome.told = self.told()
            while time.monotonic() < ends:
                self.visit(outcome)
                self.look(outcome, "/healthz")
                self.look(outcome, "/readyz")
            began = ends - LASTS
            if worker and self.cluster:  # it ends while the database is still away
                worker.wait(timeout=STOPS_WITHIN - LASTS)
        if worker:
            worker.wait(timeout=STOPS_WITHIN)
            outcome.seen["a worker that was asked to stop has ended"] = [time.monotonic() - began]
        return self.recovered(outcome)

    def _second_worker(self) -> subprocess.Popen[str]:
        worker = self.site.start("worker")
        wait_for(lambda: "Worker started" in (self.site.data / "worker.log").read_text(), "a second worker")
        return worker

    @contextlib.contextmanager
    def _frozen(self) -> Iterator[float]:
        """PostgreSQL stopped as a virtual machine can be; SQLite's write lock held, as by a backup tool."""
        ends = time.monotonic() + LASTS
        if not self.cluster:
            holder = threading.Thread(target=self._hold_the_lock)
            holder.start()
            yield ends
            holder.join()
            return
        pids = self.cluster.pids
        _signal(pids, signal.SIGSTOP)
        try:
            yield ends
        finally:
            _signal(pids, signal.SIGCONT)

    def _hold_the_lock(self) -> None:
        with contextlib.closing(sqlite3.connect(self.site.data / "db.sqlite3", timeout=60)) as file:
            file.execute("BEGIN EXCLUSIVE")
            time.sleep(LASTS)
            file.rollback()

    def _sqlite_faults(self) -> Iterator[Outcome]:
        outcome = Outcome("the database file is moved away", "The database file has been")
        file = self.site.data / "db.sqlite3"
        file.rename(aside := file.with_suffix(".aside"))
        outcome.told = self.told()
        self.look(outcome, "/")
        self.stop()
        refused = self.site.start("up", "--port", str(self.site.port))
        if refused.wait(timeout=TIMEOUT) == 0:
            outcome.told = "an empty site was begun"
        aside.rename(file)
        self.up = self.start()
        outcome.recovered_by = "the file is put back"
        yield self.recovered(outcome)

    def _postgresql_faults(self) -> Iterator[Outcome]:
        yield self._tables_locked()
        yield self._read_only()
        [disk] = self.cluster_disks
        if disk.is_mounted:
            yield self._postgresql_full(disk)
        else:
            self.left_out.append("a full disk of PostgreSQL: this machine may not mount one")

    def _tables_locked(self) -> Outcome:
        """As by a VACUUM FULL, or a migration by hand that somebody has left open."""
        outcome = Outcome("PostgreSQL: the table of registrations is locked", "The database does not answer")
        with psycopg.connect(self.site.env["DATABASE_URL"]) as connection:
            connection.execute("LOCK TABLE registrations_registration IN ACCESS EXCLUSIVE MODE")
            self.visit(outcome)
            self.look(outcome, "/accessibilite/")
            outcome.told = self.told()
        return self.recovered(outcome)

    def _read_only(self) -> Outcome:
        """What managed servers do when their disk is full."""
        outcome = Outcome("PostgreSQL is read-only", "The database is read-only")
        with psycopg.connect(self.site.env["DATABASE_URL"], autocommit=True) as connection:
            for state in ("on", "off"):
                connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {state}".encode())
                connection.execute("SELECT pg_reload_conf()")
                if state == "on":
                    outcome.told = self.told_in_the_end(outcome.expected)
                    self.visit(outcome)
                    self.look(outcome, "/")
        return self.recovered(outcome)

    def _postgresql_full(self, disk: SmallDisk) -> Outcome:
        outcome = Outcome("the disk of PostgreSQL is full", FULL_LATELY)
        with disk.full(list):
            self._visit_until_refused(outcome)
            outcome.told = self.told()
        return self.recovered(outcome, retries_now=True)

    def _visit_until_refused(self, outcome: Outcome) -> None:
        for _ in range(UNTIL_REFUSED):
            self.visit(outcome)
            if set(outcome.seen) - {"signed up"}:
                return

    def _disk_full(self) -> Outcome:
        """That of DATA_DIR: with SQLite, of the database too."""
        outcome = Outcome("the disk of DATA_DIR is full", "DATA_DIR cannot be written")
        with self.site_disk.full(self.pids):
            if self.cluster:
                self.visit(outcome)
            else:
                self._visit_until_refused(outcome)
            self.look(outcome, "/")
            outcome.told = self.told()
        return self.recovered(outcome, retries_now=True)

    def _static_files_empty(self) -> Outcome:
        outcome = Outcome("the static files are empty after a power cut", "made anew")
        self.stop()
        for path in (self.site.data / "static").rglob("*.css"):
            path.write_bytes(b"")
        self.up = self.start()
        sizes = [path.stat().st_size for path in (self.site.data / "static").rglob("*.css")]
        outcome.told = "made anew" if all(sizes) else ""
        return self.recovered(outcome)

    def _long_pause(self) -> Outcome:
        outcome = Outcome("the site was off for a year", "The purge waits.")
        self.site.run("shell", "-v0", "-c", LONG_PAUSE)
        outcome.told = self.told()
        self.visit(outcome)
        self.site.run("purge", "--confirm")
        outcome.recovered_by = "purge --confirm"
        return self.recovered(outcome)

    def _clock_in_2038(self) -> Iterator[Outcome]:
        if not LIBFAKETIME.exists():
            self.left_out.append("a wrong clock: libfaketime is missing (apt-get install faketime)")
            return
        outcome = Outcome("the clock says 2038", "The purge waits. The clock of this machine says 2038")
        [(before,)] = self.site.rows(KEPT)
        self.restart(LD_PRELOAD=str(LIBFAKETIME), **IN_2038)
        self.look(outcome, "/")
        self.visit(outcome)
        log = self.site.data / "up.log"
        wait_for(lambda: re.search(r"^2038-.* Purge", log.read_text(), re.MULTILINE), "the purge")
        outcome.told = self.told()
        if self.site.rows(KEPT)[0][0] < before:
            outcome.told = "people were erased"
        self.restart()
        outcome.recovered_by = "a restart with the right clock"
        yield self.recovered(outcome)

    def _temporary_folder_full(self) -> Outcome:
        outcome = Outcome("the folder for temporary files is full", "The folder for temporary files")
        for _ in range(8):  # both processes have chosen this folder
            self.told()
        with self.temp_disk.full(self.pids):
            outcome.told = self.told()
            for _ in range(3):
                self.visit(outcome)
            self._upload(outcome)
        return self.recovered(outcome, retries_now=True)

    def _upload(self, outcome: Outcome) -> None:
        request = urllib.request.Request(f"{self.site.address}/admin/", b"x" * LARGE)

        def send() -> str:
            try:
                urllib.request.urlopen(request, timeout=TIMEOUT).close()
            except urllib.error.HTTPError as error:
                return f"upload {error.code}"
            return "uploaded"

        self.timed(outcome, send)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # of a connection that has just been closed
            os.kill(pid, number)


@contextlib.contextmanager
def bad_week(folder: Path, *, own_cluster: bool) -> Iterator[BadWeek]:
    """A site in `folder` with disks of its own."""
    with contextlib.ExitStack() as stack:
        (aside := folder / "aside").mkdir()
        sizes = {"site": SITE_MEGABYTES, "temp": TEMP_MEGABYTES}
        disks = [stack.enter_context(small_disk(folder / name, size)) for name, size in sizes.items()]
        if own_cluster:
            disks.append(stack.enter_context(small_disk(Path(tempfile.mkdtemp(prefix="cluster-")), CLUSTER_MEGABYTES)))
        cluster = stack.enter_context(Cluster(disks[-1].folder)) if own_cluster else None
        url = stack.enter_context(own_database_on(cluster.url if cluster else ""))
        yield BadWeek(stack.enter_context(RunningSite(folder / "site", url)), cluster, aside, disks)


def main() -> int:
    parser = argparse.ArgumentParser(description="One fault after another, and what became of each.")
    parser.add_argument("--own-cluster", action="store_true", help="On a PostgreSQL server of our own; else SQLite.")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bad-week-") as folder,
        bad_week(Path(folder), own_cluster=options.own_cluster) as week,
    ):
        outcomes = []
        for outcome in week.outcomes():
            sys.stdout.write(f"{outcome}\n")
            sys.stdout.flush()
            outcomes.append(outcome)
    sys.stdout.writelines(f"left out: {reason}\n" for reason in week.left_out)
    return 0 if all(outcome.is_right for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
