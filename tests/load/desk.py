"""The organiser's desk with few people and with very many: queries and time of each page, as a table.

    uv run python -m tests.load.desk [--registrations 100000] [--database postgres://user@host:port/postgres]

Each size has a database of its own, filled by `tests.load.desk_site` and thrown away afterwards (`--keep FOLDER` keeps
SQLite's). A time is CPU, the median of several requests: of the process and of its PostgreSQL server process, on the
same machine; other work does not count, nor does waiting for a disk. A query « scans » when the plan of the database
reads a table of people, mails or presences from end to end. « Rows » are those that a list shows: a comparison is fair
where both sizes show a full page. PostgreSQL works without parallel processes, so that all that it does is counted.

`--acts` goes on with what takes long at the larger size (`tests.load.desk_acts`): seconds, CPU of the process without
the database's, its peak of memory, and the longest that another writer waited meanwhile.
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

from tests.load import desk_acts
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
        _run(site, "desk_site", "fill", str(registrations))
        yield site


def measured(site: RunningSite) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _run(site, "desk_site", "measure").splitlines()]


def acts(site: RunningSite) -> Iterator[str]:
    yield ACT.format("", "seconds", "CPU", "MB", "others wait")
    for name, title in desk_acts.ACTS.items():
        if name == "purge":
            _run(site, "desk_acts", "age")
        with desk_acts.waits(site.data, site.env["DATABASE_URL"]) as waited:
            used = json.loads(_run(site, "desk_acts", name))
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
    parser = argparse.ArgumentParser(description="Queries and time of each page of the desk, at two sizes.")
    parser.add_argument("--registrations", type=int, default=100_000)
    parser.add_argument("--database", default="", help="A PostgreSQL server, where databases of its own are made.")
    parser.add_argument("--keep", type=Path, help="A folder that stays, with SQLite's databases.")
    parser.add_argument("--acts", action="store_true", help="Also what takes long, at the larger size.")
    options = parser.parse_args()
    os.chdir(ROOT)
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-")))
        with filled(folder / str(FEW), options.database, FEW) as site:
            few = measured(site)
        sys.stdout.write("PostgreSQL\n" if options.database else "SQLite\n")
        with filled(folder / str(options.registrations), options.database, options.registrations) as site:
            sys.stdout.write(table(few, measured(site), options.registrations))
            sys.stdout.flush()
            sys.stdout.writelines(acts(site) if options.acts else [])


if __name__ == "__main__":
    main()
