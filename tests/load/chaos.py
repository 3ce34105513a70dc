"""The fault test: real processes, kill -9, faults of the mail server and the database. No mail may be lost.

    uv run python -m tests.load.chaos --sign-ups 1000 --seed 1 [--database postgres://user@host:port/postgres]

The verdict compares what the visitors' browsers showed (`visitors`) with what the mail server has on disk
(`mail_server`). In production, a retry and the expiry of a lost worker's lease take minutes. To shorten this, the test
sets the column `due` back: for retries at any time, for leases only while no worker runs (`database`). It changes no
other column.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from registrations.management import progress_line
from registrations.runtime import progress
from tests.load import mail_server
from tests.load.database import AWAY, LEASES_OVER, RETRIES_NOW, Database, add_server, database_at, own_database
from tests.load.durations import percentile
from tests.load.fleet import Fleet, MailServer, SupervisedFleet
from tests.load.visitors import Memory, Visitors
from tests.site import RunningSite

FAULTS = {"database": 3, "deployment": 1}  # weights, compared with those of the kills in Fleet.roles
LAST_FAULTS = 3  # faults after the last sign-up, so that they concern the last mails too
FINAL_TIMEOUT = 120  # seconds for all mails to arrive once the faults have stopped
OUTBOX = """
    SELECT registration.email, delivery.message_id, delivery.state
    FROM registrations_delivery AS delivery
    JOIN registrations_registration AS registration ON registration.id = delivery.registration_id
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    sign_ups: int
    seed: int
    webs: int = 2
    workers: int = 3
    machines: int = 1  # data folders; the processes are distributed among them
    kill_every: float = 2.0  # seconds, on average
    smtp_faults: float = 0.2  # share of mails
    supervised: bool = False  # by `manage.py up`
    visitors: int = 8
    pause: float = 0.5  # seconds at most between two sign-ups of one visitor


class Chaos:
    def __init__(self, plan: Plan, site: RunningSite, database: Database) -> None:
        self.plan, self.site, self.database = plan, site, database
        self.random = Random(plan.seed)  # noqa: S311
        self.mail_server = MailServer(site.data, seed=plan.seed, rate=plan.smtp_faults)
        site.env["EMAIL_URL"] = f"smtp://127.0.0.1:{self.mail_server.port}"
        self.machines = [site, *self._other_machines()]
        self.database_faults = self.deployments = 0

    def _other_machines(self) -> Iterator[RunningSite]:
        """Further machines, which share the key and the uploads of the first, as in deploy/README.md."""
        self.site.env |= {"SECRET_KEY": f"one key for all machines, seed {self.plan.seed}"}
        self.site.env |= {"MEDIA_DIR": str(self.site.data / "media")}
        for number in range(1, self.plan.machines):
            data = self.site.data / f"machine{number + 1}"
            data.mkdir()
            yield self.site.neighbour(data)

    def run(self) -> "Verdict":
        started_at = time.time()
        for machine in self.machines:
            machine.run("demo", "--setup-only")
        [(slug,)] = self.database.rows("SELECT slug FROM registrations_event")
        fleet = self._fleet()
        try:
            visitors = self._visitors(str(slug), fleet)
            self._run_with_faults(fleet, visitors)
            self._wait_for_mails(fleet, visitors.memory)
        finally:
            fleet.end()
        return Verdict(
            memory=visitors.memory,
            journal=journal(self.mail_server.journal),
            owed=self.database.rows(OUTBOX),
            kills=fleet.kills,
            ended_by_themselves=fleet.ended_by_themselves,
            database_faults=self.database_faults,
            deployments=self.deployments,
            duration=time.time() - started_at,
        )

    def _fleet(self) -> Fleet:
        if self.plan.supervised:
            return SupervisedFleet(self.site, self.mail_server, workers=self.plan.workers)
        return Fleet(self.machines, self.mail_server, webs=self.plan.webs, workers=self.plan.workers)

    def _visitors(self, slug: str, fleet: Fleet) -> Visitors:
        plan = self.plan
        return Visitors(
            slug, fleet.addresses, sign_ups=plan.sign_ups, threads=plan.visitors, pause=plan.pause, seed=plan.seed
        )

    def _run_with_faults(self, fleet: Fleet, visitors: Visitors) -> None:
        self.mail_server.faults_while.touch()
        fleet.wait_until_it_serves()
        visitors.start()
        remaining = LAST_FAULTS
        while visitors.are_there or remaining:
            remaining -= not visitors.are_there
            time.sleep(self.random.uniform(0.4, 1) * self.plan.kill_every)
            self._cause_fault(fleet)
            time.sleep(self.random.uniform(0, 0.6) * self.plan.kill_every)
            fleet.restart_ended()
            self._set_back(RETRIES_NOW)
            progress.report(len(visitors.memory.promised), self.plan.sign_ups, "sign-ups")

    def _cause_fault(self, fleet: Fleet) -> None:
        weights = {**fleet.roles, **FAULTS}
        [fault] = self.random.choices(list(weights), list(weights.values()))
        match fault:
            case "database":
                self.database.disturb(self.random)
                self.database_faults += 1
            case "deployment":
                fleet.redeploy(lambda: self._set_back(LEASES_OVER))
                self.deployments += 1
            case role:
                fleet.kill(role, self.random)

    def _wait_for_mails(self, fleet: Fleet, memory: Memory) -> None:
        """Stop the faults and wait, up to FINAL_TIMEOUT, until every promised mail has arrived and none is pending."""
        self.mail_server.faults_while.unlink()
        fleet.restart_ended()
        fleet.redeploy(lambda: self._set_back(LEASES_OVER))
        deadline = time.monotonic() + FINAL_TIMEOUT
        while time.monotonic() < deadline and not self._all_arrived(memory):
            self._set_back(RETRIES_NOW)
            time.sleep(0.5)
            fleet.restart_ended()

    def _all_arrived(self, memory: Memory) -> bool:
        states = {state for _address, _message_id, state in self.database.rows(OUTBOX)}
        arrived = {line["kept"] for line in journal(self.mail_server.journal) if "kept" in line}
        return not states & {"pending", "sending"} and memory.promised <= arrived

    def _set_back(self, statement: str) -> None:
        with contextlib.suppress(*AWAY):  # the next iteration tries again
            self.database.execute(statement)


def journal(path: Path | None) -> list[dict[str, Any]]:
    """Entries written by the mail server. Lines that a kill has cut short are ignored."""
    lines = path.read_text().splitlines() if path and path.exists() else []
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    memory: Memory
    journal: list[dict[str, Any]]
    owed: list[tuple[Any, ...]]  # address, Message-ID, state
    kills: Counter[str]
    ended_by_themselves: Counter[str]
    database_faults: int
    deployments: int
    duration: float

    @property
    def kept(self) -> list[dict[str, Any]]:
        return [line for line in self.journal if "kept" in line]

    @property
    def smtp_faults(self) -> Counter[str]:
        return Counter(line["fault"] for line in self.journal if "fault" in line)

    @property
    def ambiguous(self) -> int:
        return sum(count for kind, count in self.smtp_faults.items() if kind in mail_server.AMBIGUOUS)

    @property
    def lost(self) -> list[str]:
        """Mails promised on the page or recorded as sent that did not arrive."""
        arrived = {(line["kept"], line["message_id"]) for line in self.kept}
        promised = self.memory.promised - {address for address, _message_id in arrived}
        recorded = [(address, message_id) for address, message_id, state in self.owed if state == "sent"]
        return sorted({*promised, *(mail[0] for mail in recorded if mail not in arrived)})

    @property
    def unfinished(self) -> list[str]:
        """Mails of the outbox that are not sent although all faults have stopped."""
        return [f"{address} {state}" for address, _message_id, state in self.owed if state != "sent"]

    @property
    def duplicates(self) -> int:
        """Mails that arrived again with the same Message-ID. The mail of a repeated sign-up has its own."""
        return len(self.kept) - len({line["message_id"] for line in self.kept})

    @property
    def duplicates_allowed(self) -> int:
        return self.kills.total() + self.ambiguous

    @property
    def phantom(self) -> list[str]:
        """Mails without a row in the outbox, to a wrong recipient, or with more rows than forms sent."""
        owed = {(address, message_id) for address, message_id, _state in self.owed}
        unasked = [line["kept"] for line in self.kept if (line["kept"], line["message_id"]) not in owed]
        misled = [line["kept"] for line in self.kept if line["to"] != line["kept"]]
        rows = Counter(address for address, _message_id, _state in self.owed)
        return [*unasked, *misled, *(rows - self.memory.posts).elements()]

    @property
    def waits(self) -> list[float]:
        """Sorted seconds from the POST that led to the thank-you page to the first mail."""
        arrivals: defaultdict[str, list[float]] = defaultdict(list)
        for line in self.kept:
            arrivals[line["kept"]].append(line["at"])
        posts = self.memory.posted_at.items()
        return sorted(max(0.0, min(arrivals[address]) - at) for address, at in posts if address in arrivals)

    @property
    def holds(self) -> bool:
        return (
            bool(self.memory.promised)
            and not (self.lost or self.unfinished or self.phantom or self.ended_by_themselves.total())
            and self.duplicates <= self.duplicates_allowed
        )

    def table(self) -> Iterator[str]:
        given_up = len(self.memory.posts) - len(self.memory.promised)
        rows: list[tuple[str, object]] = [
            ("sign-ups promised", len(self.memory.promised)),
            ("sign-ups given up by the visitor", given_up),
            ("confirmations owed", len(self.owed)),
            *((f"page: {answer}", count) for answer, count in sorted(self.memory.answers.items())),
            *((f"kill -9: {role}", self.kills[role]) for role in sorted({"web", "worker", "smtp", *self.kills})),
            *((f"ended by itself: {role}", count) for role, count in (+self.ended_by_themselves).items()),
            ("database faults", self.database_faults),
            ("deployments", self.deployments),
            *((f"smtp: {kind}", self.smtp_faults[kind]) for kind in mail_server.FAULTS),
            ("ambiguous ends", self.ambiguous),
            ("lost", len(self.lost)),
            ("owed and not sent", len(self.unfinished)),
            ("duplicates", f"{self.duplicates} (at most {self.duplicates_allowed})"),
            ("phantom", len(self.phantom)),
            ("POST to inbox, p50", f"{percentile(self.waits, 50):.1f} s"),
            ("POST to inbox, p95", f"{percentile(self.waits, 95):.1f} s"),
            ("duration", f"{self.duration:.0f} s"),
            ("verdict", "holds" if self.holds else f"BROKEN {[*self.lost, *self.unfinished, *self.phantom][:10]}"),
        ]
        return (f"{name:<40} {value}" for name, value in rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sign up under kill -9 and faults; see that no mail is lost.")
    parser.add_argument("--sign-ups", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument(
        "--machines", type=int, default=1, help="Data folders of their own; more than one: PostgreSQL."
    )
    parser.add_argument("--supervised", action="store_true", help="Run `manage.py up`, and kill that too.")
    parser.add_argument("--kill-every", type=float, default=2.0, help="Seconds between two faults, on average.")
    parser.add_argument("--smtp-faults", type=float, default=0.2, help="Share of mails that meet one.")
    parser.add_argument("--visitors", type=int, default=8, help="At the same time.")
    parser.add_argument("--longest-lock", type=float, default=4.0, help="Seconds that SQLite may be locked.")
    parser.add_argument("--keep", type=Path, help="Leave logs, journal and database in this new folder.")
    add_server(parser)
    options = parser.parse_args()
    if options.machines > 1 and (options.supervised or not (options.database or options.own_cluster)):
        parser.error("Several machines need PostgreSQL (--database or --own-cluster), and start each process singly.")
    return options


@contextlib.contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True)
        yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="chaos-") as name:
            yield Path(name)


def main() -> int:
    options = arguments()
    names = ("sign_ups", "seed", "webs", "workers", "machines", "supervised", "kill_every", "smtp_faults", "visitors")
    plan = Plan(**{name: getattr(options, name) for name in names})
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(folder(options.keep))
        url, cluster = stack.enter_context(own_database(options))
        site = stack.enter_context(RunningSite(data, url, RATE_LIMITS="off"))
        database = database_at(url, data, cluster=cluster, longest_lock=options.longest_lock)
        stack.enter_context(progress_line.shown("chaos"))
        verdict = Chaos(plan, site, database).run()
    sys.stdout.write("\n".join(verdict.table()) + "\n")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
