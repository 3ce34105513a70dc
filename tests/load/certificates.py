"""Measure the event page while many people fetch their certificate at once, and when each of them has it.

    uv run python -m tests.load.certificates [--database postgres://user@host:port/postgres | --own-cluster]

The site is `manage.py up` with two web processes and one worker. One visitor at a time reads the event page: first
alone, then while everyone asks for a certificate that nobody has made yet, and follows the waiting page as a browser
does. The exit status is 0 only when everyone got a PDF and no page answered an error. It asserts no time.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.client import Report
from tests.load.database import add_server, own_database
from tests.load.durations import percentile
from tests.load.table import CLIENT, first_answer, line, percentiles
from tests.site import RunningSite

GIVEN_UP_AFTER = 300  # seconds
PRESENT = """
import json
from datetime import timedelta
from django.utils import timezone
from registrations.domain import attendance
from registrations.models import Attendance, Event, Registration
event = Event.objects.get()
event.starts_at, event.ends_at = (timezone.now() - timedelta(hours=hours) for hours in (3, 1))
event.save()
def path(number):
    registration = Registration.objects.create(
        event=event, email=f"present{{number}}@example.org", first_name="Zoë", last_name=f"N{{number}}",
        organisation="Ville de Nulle-Part", job_title="Cheffe de projet",
    )
    attendance.note(registration, Attendance.Origin.JOIN)
    return f"/mon-inscription/{{registration.manage_code}}/attestation.pdf"
print(json.dumps([path(number) for number in range({people})]))
"""


@dataclass
class Fetches:
    """What everyone got who fetched a certificate."""

    address: str
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # until the PDF was there, of each person
    errors: Counter[str] = field(default_factory=Counter)

    def start(self, paths: list[str]) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._fetch, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        return threads

    def _fetch(self, path: str) -> None:
        began = time.monotonic()
        try:
            while time.monotonic() < began + GIVEN_UP_AFTER:
                with urllib.request.urlopen(self.address + path, timeout=GIVEN_UP_AFTER) as answer:
                    self.statuses[answer.status] += 1
                    if answer.read().startswith(b"%PDF-"):
                        self.seconds.append(time.monotonic() - began)
                        return
                    time.sleep(int(answer.headers["Refresh"]))
        except (OSError, TypeError) as error:  # TypeError: a page that is not followed
            self.errors[str(error)] += 1


def look(site: RunningSite, path: str, seconds: float) -> Report:
    """Read the event page for some seconds, in a process of its own."""
    command = [sys.executable, str(CLIENT), "look", path, f"--port={site.port}", f"--seconds={seconds}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Report(**json.loads(done.stdout))


def measure(site: RunningSite, *, people: int, seconds: float) -> int:
    site.run("demo", "--setup-only")
    paths = json.loads(site.run("shell", "--verbosity", "0", "-c", PRESENT.format(people=people)))
    [(slug,)] = site.rows("SELECT slug FROM registrations_event")
    page = f"/evenements/{slug}/"
    site.start("up", "--port", str(site.port), "--workers", "1")
    first_answer(site.port, page)
    look(site, page, 2)  # both processes have the page in their cache
    quiet = look(site, page, seconds)
    fetches = Fetches(site.address)
    threads = fetches.start(paths)
    busy = look(site, page, seconds)
    for thread in threads:
        thread.join()
    sys.stdout.write(line("event page, quiet", "", percentiles(quiet.times), len(quiet.times)) + "\n")
    sys.stdout.write(line("event page, everyone fetches", "", percentiles(busy.times), len(busy.times)) + "\n")
    ratios = [percentile(busy.times, percent) / percentile(quiet.times, percent) for percent in (50, 95)]
    sys.stdout.write(line("ratio", "p50 × {:.2f}  p95 × {:.2f}".format(*ratios), "", 1) + "\n")
    waits = f"half {percentile(fetches.seconds, 50):.1f} s, last {max(fetches.seconds, default=0):.1f} s"
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(fetches.statuses.items()))
    sys.stdout.write(line("until the PDF", waits, answers, len(fetches.seconds)) + "\n")
    errors = quiet.errors | busy.errors | fetches.errors
    sys.stdout.writelines(f"ERROR: {count} × {problem}\n" for problem, count in errors.items())
    return 0 if len(fetches.seconds) == people and not errors else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20, help="How long the event page is read, quiet and busy.")
    add_server(parser)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="certificates-")))
        url, _cluster = stack.enter_context(own_database(options))
        site = stack.enter_context(RunningSite(data, url, TRUSTED_PROXY_COUNT="1"))
        load = os.getloadavg()[0]
        sys.stdout.write(f"{'PostgreSQL' if url else 'SQLite'}, {os.cpu_count()} cores, load before: {load:.2f}\n")
        return measure(site, people=options.people, seconds=options.seconds)


if __name__ == "__main__":
    raise SystemExit(main())
