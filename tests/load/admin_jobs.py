"""Long jobs with very many people: time, memory, and how long other writers wait.

    python -m tests.load.admin_jobs withdraw  # JSON: seconds, CPU of the process in seconds, peak memory in MB

It needs the environment set by tests.load.admin_pages. Each job runs in its own process, as under a worker.
"""

import contextlib
import json
import logging
import resource
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

PEOPLE = 10_000  # chosen at once
ACTS = {
    "erase": "one person erased",
    "withdraw": f"up to {PEOPLE:,} people cancelled",
    "purge": "the large event purged",
}
WRITE_EVERY = 0.05  # seconds


def carry_out(name: str) -> None:
    from registrations.domain import erasure, retention
    from registrations.models import Event, Job
    from registrations.worker import jobs

    main = Event.objects.get(pk=1)
    match name:
        case "purge":
            retention.purge()
        case "erase":
            erasure.disown(main.registrations.seated().latest("pk"))
        case _:
            people = list(main.registrations.seated().order_by("pk").values_list("pk", flat=True)[:PEOPLE])
            job = Job(
                kind="people", title=name, asked_by=1, total=len(people), parameters={"deed": name, "people": people}
            )
            job.permission, job.state, job.worker = "registrations.view_event", Job.State.RUNNING, name
            job.save()
            jobs.run(job)
            assert Job.objects.get(pk=job.pk).is_done


def age() -> None:
    """Move the large event so far into the past that its registrations expire."""
    from django.db.models import F

    from registrations.models import Event, Registration

    ago = timedelta(days=900)
    Event.objects.filter(pk=1).update(starts_at=F("starts_at") - ago, ends_at=F("ends_at") - ago)
    people = Registration.objects.filter(event=1)
    people.update(created_at=F("created_at") - ago, cancelled_at=F("cancelled_at") - ago)


@contextlib.contextmanager
def waits(data: Path, url: str) -> Iterator[list[float]]:
    """Measure repeatedly how long another writer waits (seconds): for SQLite's lock, or for the event's row."""
    found: list[float] = []
    over = threading.Event()

    def measure() -> None:
        while not over.wait(WRITE_EVERY):
            start = time.monotonic()
            _write_once(data, url)
            found.append(time.monotonic() - start)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _write_once(data: Path, url: str) -> None:
    if url:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT 1 FROM registrations_event WHERE id = 1 FOR UPDATE")
        return
    with contextlib.closing(sqlite3.connect(data / "db.sqlite3", timeout=600, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def measured(name: str) -> dict[str, Any]:
    start = time.monotonic()
    carry_out(name)
    seconds, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024}


if __name__ == "__main__":
    import django

    django.setup()
    logging.disable(logging.INFO)
    if sys.argv[1] == "age":
        age()
    else:
        sys.stdout.write(json.dumps(measured(sys.argv[1])))
