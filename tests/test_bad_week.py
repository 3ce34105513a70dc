"""A short bad week, on the database under test: see tests/load/bad_week.py."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection

from tests.load.bad_week import BadWeek
from tests.load.database import Cluster, own_database_on
from tests.site import RunningSite


@pytest.mark.faults
@pytest.mark.django_db
def test_each_fault_is_told_and_the_site_recovers_by_itself_without_losing_a_mail(tmp_path: Path) -> None:
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster()) if connection.vendor == "postgresql" else None
        url = stack.enter_context(own_database_on(cluster.url if cluster else ""))
        week = BadWeek(stack.enter_context(RunningSite(tmp_path, url)), cluster)
        outcomes = list(week.outcomes())
    assert [str(outcome) for outcome in outcomes if not outcome.is_right] == []
    assert len(outcomes) >= 5
