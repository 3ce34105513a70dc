"""Queries and time of each admin page, with few registrations and with very many, as a table.

    uv run python -m tests.load.admin_pages [--registrations 100000] [--database postgres://user@host:port/postgres]

Each size has its own database, filled by `tests.load.admin_data` and deleted afterwards (`--keep FOLDER` keeps that of
SQLite). Times are CPU times, the median of several requests: of the process and of its PostgreSQL server process, on
the same machine, without waiting for the disk. A query « scans » when its plan reads a whole table of registrations,
mails or attendances. « Rows » are the rows of a list: the comparison is fair when both sizes show a full page.
Parallel queries are off in PostgreSQL, so that all its work is counted.

`--acts` also runs long jobs at the larger size (`tests.load.admin_jobs`): seconds, CPU of the process without the
database, peak memory, and the longest time that another writer waited.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.load import admin_jobs
from tests.load.database import own_database_on
from tests.site import ROOT, RunningSite

FEW = 1000
LINE = "{:<58} {:>4} {:>4} {:>5} {:>5} {:>8} {:>8} {:>6}  {}\n"
ACT = "{:<40} {:>8} {:>8} {:>8} {:>12}\n"


@contextlib.contextmanager
def filled(data: Path, server: str, registrations: int) -> Iterator[RunningSite]:
    data.mkdir(parents=True, exist_ok=True)
    alone = {"PGOPTIONS": "-c max_parallel_workers_per_gather=0"}
    with own_database_on(server) as url, RunningSite(data, url, STAFF_OTP="off", **alone) as site:
        site.run("migrate")
        site.run("collectstatic", "--noinput")
        _run(site, "admin_data", "fill", str(registrations))
        yield site


def measured(site: RunningSite) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _run(site, "admin_data", "measure").splitlines()]


def acts(site: RunningSite) -> Iterator[str]:
    yield ACT.format("", "seconds", "CPU", "MB", "others wait")
    for name, title in admin_jobs.ACTS.items():
        if name == "purge":
            _run(site, "admin_jobs", "age")
        with admin_jobs.waits(site.data, site.env["DATABASE_URL"]) as waited:
            used = json.loads(_run(site, "admin_jobs", name))
        figures = [f"{value:.1f}" for value in (used["seconds"], used["cpu"], used["mb"], max(waited))]
        yield ACT.format(title, *figures)


def _run(site: RunningSite, module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"tests.load.{module}", *arguments]
    env = {**site.env, "DJANGO_SETTINGS_MODULE": "webinar.settings"}
    return subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def table(few: list[dict[str, Any]], many: list[dict[str, Any]], registrations: int) -> str:
    words = ["page", "q", "q", "rows", "rows", f"{FEW} ms", f"{registrations} ms", "ratio"]
    head = LINE.format(*words, "slowest query at the larger size")
    return head + "".join(
        LINE.format(
            large["page"][:58],
            small["queries"],
            large["queries"],
            small["rows"],
            large["rows"],
            f"{small['ms']:.1f}",
            f"{large['ms']:.1f}",
            f"{large['ms'] / small['ms']:.1f}",
            f"{large['slowest']:.1f} ms" + "".join(f", scans {name}" for name in large["scans"]),
        )
        for small, large in zip(few, many, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Queries and time of each admin page, at two sizes.")
    parser.add_argument("--registrations", type=int, default=100_000)
    parser.add_argument("--database", default="", help="A PostgreSQL server, where databases of its own are made.")
    parser.add_argument("--keep", type=Path, help="A folder that stays, with SQLite's databases.")
    parser.add_argument("--acts", action="store_true", help="Also what takes long, at the larger size.")
    options = parser.parse_args()
    os.chdir(ROOT)
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="admin-")))
        with filled(folder / str(FEW), options.database, FEW) as site:
            few = measured(site)
        sys.stdout.write("PostgreSQL\n" if options.database else "SQLite\n")
        with filled(folder / str(options.registrations), options.database, options.registrations) as site:
            sys.stdout.write(table(few, measured(site), options.registrations))
            sys.stdout.flush()
            sys.stdout.writelines(acts(site) if options.acts else [])


if __name__ == "__main__":
    main()
