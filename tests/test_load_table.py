"""The command that prints the figures of a machine works from end to end; what they are is no matter of a test."""

from pathlib import Path

from tests.load.database import database_at
from tests.load.table import Plan, Table
from tests.site import RunningSite, own_database

TINY = Plan(seconds=0.2, starts=1, mails=3, renderings=1, pause=0.05)


def test_every_line_of_the_table_is_there_and_no_visitor_meets_an_error(tmp_path: Path) -> None:
    with own_database() as url, RunningSite(tmp_path, url, TRUSTED_PROXY_COUNT="1") as site:
        table = Table(TINY, site, database_at(url, tmp_path), None)
        lines = list(table.lines())
    assert table.faults == []
    first_words = [line.split(",")[0] for line in lines]
    assert sorted(set(first_words)) == [
        "event page",
        "form page",
        "mails",
        "memory of a web process",
        "memory of a worker process",
        "queries",
        "report",
        "sign-ups",
        "up",
        "web",
    ]
    assert next(line for line in lines if line.startswith("queries, event page")).split()[3] == "1"
