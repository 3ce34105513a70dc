"""The organiser's desk with few people and with very many: queries and time of each page, as a table.

    uv run python -m tests.load.desk [--registrations 100000] [--database postgres://user@host:port/postgres]

Each size has a database of its own, filled by `tests.load.desk_site` and thrown away afterwards (`--keep FOLDER` keeps
SQLite's). A time is CPU, the median of several requests: of the process and of its PostgreSQL server process, on the
same machine; other work does not count, nor does waiting for a disk. A query « scans » when the plan of the database
reads a table of people, mails or presences from end to end.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.load.database import own_database_on
from tests.site import ROOT, RunningSite

FEW = 1000
LINE = "{:<58} {:>4} {:>4} {:>8} {:>8} {:>6}  {}\n"


def measured(data: Path, server: str, registrations: int) -> list[dict[str, Any]]:
    data.mkdir(parents=True, exist_ok=True)
    with own_database_on(server) as url, RunningSite(data, url, STAFF_OTP="off") as site:
        site.run("migrate")
        site.run("collectstatic", "--noinput")
        _run(site, "fill", str(registrations))
        return [json.loads(line) for line in _run(site, "measure").splitlines()]


def _run(site: RunningSite, *arguments: str) -> str:
    command = [sys.executable, "-m", "tests.load.desk_site", *arguments]
    env = {**site.env, "DJANGO_SETTINGS_MODULE": "webinar.settings"}
    return subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def table(few: list[dict[str, Any]], many: list[dict[str, Any]], registrations: int) -> str:
    head = LINE.format(
        "page", "q", "q", f"{FEW} ms", f"{registrations} ms", "ratio", "slowest query at the larger size"
    )
    return head + "".join(
        LINE.format(
            large["page"][:58],
            small["queries"],
            large["queries"],
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
    options = parser.parse_args()
    os.chdir(ROOT)
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="desk-")))
        few, many = (measured(folder / str(size), options.database, size) for size in (FEW, options.registrations))
        sys.stdout.write(
            f"{'PostgreSQL' if options.database else 'SQLite'}\n{table(few, many, options.registrations)}"
        )


if __name__ == "__main__":
    main()
