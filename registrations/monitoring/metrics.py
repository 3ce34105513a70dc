"""Figures for Prometheus (text exposition format 0.0.4): counts and times, no personal data."""

import os
import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from registrations.backup import last_backup
from registrations.models import Delivery, Registration, WorkerPresence, late_mails
from registrations.runtime.version import version

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAILS_HELP = "Mails in the database, by kind and state, but those of trials; the purge takes old ones out."


class Sample(NamedTuple):
    labels: dict[str, str]
    value: float


def text() -> str:
    """The whole answer, in six queries."""
    return "".join(line + "\n" for line in [*_mails(), *_people(), *_operation(), *_process()])


def _gauge(name: str, words: str, samples: Iterable[Sample]) -> Iterator[str]:
    """A family of gauges: every figure here can fall as well as rise."""
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} gauge"
    for sample in samples:
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels.items())
        yield f"{name}{{{labels}}} {sample.value}" if labels else f"{name} {sample.value}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> list[Sample]:
    return [Sample({}, value)]


def _mails() -> Iterator[str]:
    mails = Delivery.objects.without_dry_runs().values_list("event", "kind", "state")  # in the order of an index
    counted = Counter[tuple[str, str]]()
    for _event, kind, state, count in mails.annotate(count=Count("*")):
        counted[kind, state] += count
    samples = [Sample({"kind": kind, "state": state}, count) for (kind, state), count in sorted(counted.items())]
    yield from _gauge("webinar_mails", MAILS_HELP, samples)
    waiting = late_mails.waiting()
    yield from _gauge("webinar_mails_due", "Mails whose moment to leave has come.", _number(waiting.due))
    yield from _gauge(
        "webinar_mails_late",
        "Mails owed for ten minutes or more, however often they were tried.",
        _number(waiting.late),
    )
    put_off = late_mails.put_off_by_mailboxes().count()
    words = "Mails put off by the mailbox of their recipient for ten minutes or more."
    yield from _gauge("webinar_mails_put_off", words, _number(put_off))
    oldest = (timezone.now() - waiting.oldest_due_at).total_seconds() if waiting.oldest_due_at else 0
    yield from _gauge(
        "webinar_oldest_mail_due_seconds", "For how long the oldest mail has been owed.", _number(oldest)
    )


def _people() -> Iterator[str]:
    counted = Registration.objects.without_dry_runs().values_list("status").annotate(count=Count("*"))
    samples = [Sample({"status": status}, count) for status, count in counted.order_by("status")]
    yield from _gauge("webinar_registrations", "Registrations in the database, by status.", samples)


def _operation() -> Iterator[str]:
    workers = len(WorkerPresence.objects.alive())
    yield from _gauge("webinar_workers", "Mail workers seen within three minutes.", _number(workers))
    backup = last_backup.last()
    moment = backup.at.timestamp() if backup else 0
    words = "When the last backup was made on this machine; 0 when none was."
    yield from _gauge("webinar_last_backup_timestamp_seconds", words, _number(moment))
    disk = shutil.disk_usage(settings.DATA_DIR)
    yield from _gauge("webinar_disk_free_bytes", "Free on the disk that holds DATA_DIR.", _number(disk.free))
    yield from _gauge("webinar_disk_size_bytes", "Size of the disk that holds DATA_DIR.", _number(disk.total))


def _process() -> Iterator[str]:
    """Figures of the process that answers; several share one port."""
    labels = {"version": version(), "python": platform.python_version(), "database": connection.vendor}
    yield from _gauge("webinar_info", "What runs.", [Sample(labels, 1)])
    memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    words = "Resident memory of the process that answers."
    yield from _gauge("process_resident_memory_bytes", words, _number(memory))
