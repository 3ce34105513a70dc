"""Measure this machine, as a table: pages, sign-ups, mails, queries, memory, the report, the start.

    uv run python -m tests.load.table [--database postgres://user@host:port/postgres | --own-cluster] [--quick]

The site is `manage.py up` with two web processes and one worker, as in production: rate limits are on, and each
visitor has another address behind one trusted proxy. The visitors are one process on the same machine (`client`). Each
line shows its share of a core and the CPU time of the site, which hardly depends on other load of the machine. The
exit status is 0 only when no visitor got an error and every mail arrived.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.load import processes
from tests.load.chaos import journal
from tests.load.client import Report
from tests.load.database import Cluster, Database, add_server, database_at, own_database
from tests.load.durations import percentile
from tests.load.fleet import MailServer, SupervisedFleet
from tests.load.scripts import IN_THE_FUTURE, QUERIES, RENDERINGS
from tests.load.throughput import SIZES, Measurement, accepting_server
from tests.site import ROOT, RunningSite, wait_for

CLIENT = ROOT / "tests" / "load" / "client.py"
EVENT_MAILS_PER_HOUR = "1000000"  # high enough never to be reached
MAIL_TIMEOUT = 600  # seconds for the last mail


@dataclass(frozen=True)
class Plan:
    seconds: float = 10.0  # of each line
    starts: int = 5
    mails: int = 500
    renderings: int = 5
    pause: float = 0.2  # seconds between two unhurried sign-ups


QUICK = Plan(seconds=1.0, starts=1, mails=20, renderings=1, pause=0.05)


class Table:
    def __init__(self, plan: Plan, site: RunningSite, database: Database, cluster: Cluster | None) -> None:
        self.plan, self.site, self.database, self.cluster = plan, site, database, cluster
        self.event = self.form = ""
        self.faults: list[str] = []

    def lines(self) -> Iterator[str]:
        self.site.run("demo", "--setup-only")
        [(slug,)] = self.database.rows("SELECT slug FROM registrations_event")
        self.event, self.form = f"/evenements/{slug}/", f"/evenements/{slug}/inscription/"
        yield from self._mails()
        self._shell(IN_THE_FUTURE)
        yield from self._report()
        yield from self._starts()
        mail_server = MailServer(self.site.data)
        self.site.env["EMAIL_URL"] = f"smtp://127.0.0.1:{mail_server.port}"
        fleet = SupervisedFleet(self.site, mail_server, workers=1)
        try:
            first_answer(fleet.ports[0], self.event)
            yield from self._memory(fleet, "after the first page")
            yield from self._pages(fleet)
            yield from self._sign_ups(fleet, mail_server.journal)
            yield from self._memory(fleet, "after all of this")
        finally:
            fleet.end()
        yield from self._queries()

    def _mails(self) -> Iterator[str]:
        with accepting_server(self.site.data) as port:
            self.site.env["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
            measurement = Measurement(self.site, self.database, mails=self.plan.mails, workers=1)
            measurement.start_workers()
            try:
                for name, size in SIZES.items():
                    mails = measurement.figures(size)
                    yield line(f"mails, {name}", f"{mails.rate:.1f} mails/s", f"{mails.cost:.2f} ms CPU", mails.mails)
            finally:
                measurement.end()

    def _report(self) -> Iterator[str]:
        times = json.loads(self._shell(RENDERINGS.format(times=self.plan.renderings)))
        for name, seconds in times.items():
            yield line(f"report, {name}", f"{1000 * statistics.median(seconds):.2f} ms", "median", len(seconds))

    def _starts(self) -> Iterator[str]:
        for command in ("up", "web"):
            seconds = [self._start(command) for _ in range(self.plan.starts)]
            yield line(
                f"{command}, start to first page", f"{statistics.median(seconds):.2f} s", "median", len(seconds)
            )

    def _start(self, command: str) -> float:
        began = time.perf_counter()
        process = self.site.start(command, "--port", str(self.site.port))
        first_answer(self.site.port, self.event)
        seconds = time.perf_counter() - began
        process.terminate()
        process.wait()
        return seconds

    def _pages(self, fleet: SupervisedFleet) -> Iterator[str]:
        for name, path in (("event page", self.event), ("form page", self.form)):
            self._visit("look", path, fleet, clients=8, seconds=min(2, self.plan.seconds))
            for clients in (1, 8, 32):
                report, site = self._visit("look", path, fleet, clients=clients)
                rate = f"{len(report.times) / report.seconds:.1f} pages/s"
                yield line(f"{name}, {people(clients)}", rate, percentiles(report.times), len(report.times), site)

    def _sign_ups(self, fleet: SupervisedFleet, kept: Path | None) -> Iterator[str]:
        for clients, pause in ((1, self.plan.pause), (1, 0), (8, 0)):
            manner = "unhurried" if pause else people(clients)
            before = mails_in(kept)
            report, site = self._visit(
                "sign_up", self.form, fleet, clients=clients, pause=pause, name=f"{manner.replace(' ', '')}."
            )
            left = mails_in(kept) - before
            rate = f"{len(report.times) / report.seconds:.1f} sign-ups/s"
            yield line(f"sign-ups, {manner}", rate, percentiles(report.times), len(report.times), site)
            yield line(f"sign-ups, {manner}: POST alone", "", percentiles(report.posts), len(report.posts))
            waits = self._waits(report, kept)
            remark = f"{left} mails left meanwhile"
            yield line(f"sign-ups, {manner}: POST to inbox", "", percentiles(waits), len(waits), remark)

    def _waits(self, report: Report, kept: Path | None) -> list[float]:
        """Wait for the last mail; ms from each POST to its mail."""
        deadline = time.monotonic() + MAIL_TIMEOUT
        while time.monotonic() < deadline:
            arrived = {mail["kept"]: mail["at"] for mail in journal(kept) if "kept" in mail}
            if report.posted_at.keys() <= arrived.keys():
                return [1000 * max(0.0, arrived[address] - at) for address, at in report.posted_at.items()]
            time.sleep(0.2)
        self.faults.append("not every mail arrived")
        return []

    def _memory(self, fleet: SupervisedFleet, when: str) -> Iterator[str]:
        for role in ("web", "worker"):
            for pid in fleet.children(role):
                pss, rss = processes.memory(pid)
                yield line(f"memory of a {role} process, {when}", f"{pss:.1f} MB PSS", f"{rss:.1f} MB RSS", 1)

    def _queries(self) -> Iterator[str]:
        for name, count in json.loads(self._shell(QUERIES)).items():
            yield line(f"queries, {name}", str(count), "without BEGIN, COMMIT, SAVEPOINT", 1)

    def _visit(self, act: str, path: str, fleet: SupervisedFleet, **options: Any) -> tuple[Report, str]:
        """Run visitors; returns their report and the CPU time of the site as text."""
        arguments = {"port": fleet.ports[0], "seconds": self.plan.seconds, **options}
        command = [sys.executable, str(CLIENT), act, path, *(f"--{name}={value}" for name, value in arguments.items())]
        before = self._cpu(fleet)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        report = Report(**json.loads(done.stdout))
        self.faults += [f"{act} {path}: {count} times {problem}" for problem, count in report.errors.items()]
        each = 1000 / max(1, len(report.times))
        used = [f"{role} {each * (after - before[role]):.2f}" for role, after in self._cpu(fleet).items()]
        return report, f"ms CPU each: {', '.join(used)}; visitors {report.cpu_seconds / report.seconds:.2f} of a core"

    def _cpu(self, fleet: SupervisedFleet) -> dict[str, float]:
        roles = {role: processes.cpu_seconds(fleet.children(role)) for role in ("web", "worker")}
        return {**roles, "database": processes.cpu_seconds(self.cluster.pids)} if self.cluster else roles

    def _shell(self, script: str) -> str:
        return self.site.run("shell", "--verbosity", "0", "-c", script)


def first_answer(port: int, path: str) -> None:
    def look() -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as page:
            return bool(page.status == 200)
        return False

    wait_for(look, f"an answer at {path}")


def mails_in(kept: Path | None) -> int:
    return sum("kept" in mail for mail in journal(kept))


def people(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


def percentiles(times: list[float]) -> str:
    return " ".join(f"p{percent} {percentile(times, percent):.1f}" for percent in (50, 95, 99)) + " ms"


def line(what: str, figure: str, detail: str, count: int, remark: str = "") -> str:
    return f"{what:<50} {figure:>18}  {detail:<34} n = {count:<6} {remark}".rstrip()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The figures of this machine.")
    parser.add_argument("--quick", action="store_true", help="Every line, in seconds, and none that means much.")
    add_server(parser)
    return parser.parse_args()


def main() -> int:
    options = arguments()
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="table-")))
        url, cluster = stack.enter_context(own_database(options))
        limits = {"TRUSTED_PROXY_COUNT": "1", "EVENT_MAILS_PER_HOUR": EVENT_MAILS_PER_HOUR}
        site = stack.enter_context(RunningSite(data, url, **limits))
        table = Table(QUICK if options.quick else Plan(), site, database_at(url, data, cluster=cluster), cluster)
        load = os.getloadavg()[0]
        sys.stdout.write(f"{'PostgreSQL' if url else 'SQLite'}, {os.cpu_count()} cores, load before: {load:.2f}\n")
        for text in table.lines():
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
    sys.stdout.writelines(f"ERROR: {fault}\n" for fault in table.faults)
    return 1 if table.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
