"""The command that prints the figures of a machine works from end to end; what they are is no matter of a test."""

import pytest

from tests.load.database import database_at
from tests.load.table import Plan, Table
from tests.site import RunningSite

TINY = Plan(seconds=0.2, starts=1, mails=3, renderings=1, pause=0.05)


@pytest.mark.faults
def test_every_line_of_the_table_is_there_and_no_visitor_meets_an_error(site: RunningSite) -> None:
    site.env["TRUSTED_PROXY_COUNT"] = "1"
    table = Table(TINY, site, database_at(site.env["DATABASE_URL"], site.data), None)
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
