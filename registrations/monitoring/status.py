"""The state of the site, for /readyz and `manage.py status`."""

import shutil
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Q
from django.utils import timezone, translation

from registrations.backup import dumps, last_backup
from registrations.backup.last_backup import LastBackup
from registrations.documents import given_up
from registrations.models import Delivery, Event, WorkerPresence, clock_mark, late_mails, unresolved_mails
from registrations.monitoring import folders
from registrations.runtime.version import version

State = Delivery.State
NO_ANSWER = "The database does not answer."
FAILURES_TOLD_FOR = timedelta(days=7)  # since the first try


@dataclass
class Status:
    attention: list[str]
    version: str = field(default_factory=version)
    machine: str = field(default_factory=socket.gethostname)
    database: str = field(default_factory=lambda: connection.vendor)
    database_bytes: int | None = None
    mails: dict[str, int] = field(default_factory=dict)  # by state
    due: int = 0
    late: int = 0
    oldest_due_at: datetime | None = None
    workers: dict[str, int] = field(default_factory=dict)  # alive, by machine
    last_backup: LastBackup | None = field(default_factory=last_backup.last)
    disk_free: int = field(default_factory=lambda: shutil.disk_usage(settings.DATA_DIR).free)  # bytes
    disk_total: int = field(default_factory=lambda: shutil.disk_usage(settings.DATA_DIR).total)
    next_event: str = ""
    next_event_at: datetime | None = None


def not_ready() -> list[str]:
    """Why the site does not work as it should, in sentences. Empty: it is ready."""
    reasons = list(folders.problems())
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return [*reasons, "Migrations are missing: run manage.py migrate."]
        if _is_read_only():
            reasons.append("The database is read-only, as a server can be whose disk is full.")
        if oldest := late_mails.oldest_overdue():
            minutes = int((timezone.now() - oldest).total_seconds() // 60)
            reasons.append(f"The oldest mail is {minutes} minutes overdue.")
        if not WorkerPresence.objects.alive():
            reasons.append("No mail worker has been seen lately.")
        if problem := folders.database_problem():
            reasons.append(problem)
    except Error:
        reasons.append(folders.database_problem() or NO_ANSWER)
    return reasons


def _is_read_only() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only')")
        return bool(cursor.fetchone()[0] == "on")


def waits_for_somebody() -> list[str]:
    """What a person has to decide or to mend, in sentences. The site is ready all the same."""
    sentences = {
        State.HELD: "Mails held back since a restore: {}. The desk's first page lets them leave, or gives them up.",
        State.BROKEN: "Mails that cannot be composed: {}. The log and the desk's list of mails say why.",
        State.FAILED: "Mails that failed within a week: {}. The desk's list of mails says why.",
        State.PENDING: "Mails put off by the mailbox of their recipient for ten minutes or more: {}.",
    }
    failed_lately = Q(state=State.FAILED, trying_since__gt=timezone.now() - FAILURES_TOLD_FOR)
    with suppress(Error):  # `not_ready` says why
        mails = Delivery.objects.without_dry_runs().order_by()
        counted = mails.filter(state__in=[State.HELD, State.BROKEN]).values_list("state").annotate(count=Count("*"))
        failed = unresolved_mails.unresolved(mails, what=failed_lately).count()
        put_off = late_mails.put_off_by_mailboxes().count()
        numbers = Counter({**dict(counted), State.FAILED: failed, State.PENDING: put_off})
        waiting = [sentence.format(numbers[state]) for state, sentence in sentences.items() if numbers[state]]
        return [*waiting, *_purge_waits(), *_documents_given_up()]
    return []


def _documents_given_up() -> list[str]:
    told = "A report cannot be made, and mails leave without it. The log says why."
    return [told] if given_up.is_any() else []


def _purge_waits() -> list[str]:
    with translation.override("en"):
        reason = clock_mark.stopped_purge()
    return [f"The purge waits. {reason} See manage.py purge."] if reason else []


def promptly(*, within: float) -> tuple[list[str], list[str]]:
    """`not_ready` and `waits_for_somebody`, however long the database takes: `within` is in seconds.

    One thread asks, with a connection of its own. While it waits for an answer, nobody else asks.
    """
    if connection.in_atomic_block:  # another connection would not see its rows
        return not_ready(), waits_for_somebody()
    answer = _ASKING.submit(_ask)
    try:
        return answer.result(timeout=within)
    except TimeoutError:
        answer.cancel()
        return [*folders.problems(), folders.database_problem() or NO_ANSWER], []


_ASKING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="status")


def _ask() -> tuple[list[str], list[str]]:
    try:
        return not_ready(), waits_for_somebody()
    finally:
        connection.close()


def status() -> Status:
    """As much as is known while the database is away or older than this version."""
    found = Status([*not_ready(), *waits_for_somebody()])
    with suppress(Error):  # `attention` says why
        _ask_the_database(found)
    return found


def _ask_the_database(found: Status) -> None:
    found.database_bytes = dumps.database_bytes()
    by_state = Delivery.objects.without_dry_runs().values_list("state").annotate(count=Count("*"))
    found.mails = dict(by_state.order_by("state"))
    waiting = late_mails.waiting()
    found.due, found.late, found.oldest_due_at = waiting.due, waiting.late, waiting.oldest_due_at
    found.workers = dict(Counter(worker.host for worker in WorkerPresence.objects.alive()))
    if (
        event := Event.objects.filter(status=Event.Status.PUBLISHED, ends_at__gt=timezone.now())
        .order_by("starts_at")
        .first()
    ):
        found.next_event, found.next_event_at = event.slug, event.starts_at
