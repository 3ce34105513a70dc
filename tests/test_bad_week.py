"""A short bad week, on the database under test: see tests/load/bad_week.py."""

import os
from pathlib import Path

import pytest
from django.db import connection

from tests.load.bad_week import bad_week


@pytest.mark.faults
@pytest.mark.django_db
def test_each_fault_is_told_and_the_site_recovers_by_itself_without_losing_a_mail(tmp_path: Path) -> None:
    with bad_week(tmp_path, own_cluster=connection.vendor == "postgresql") as week:
        outcomes = list(week.outcomes(short=True))
    assert [str(outcome) for outcome in outcomes if not outcome.is_right] == []
    assert len(outcomes) >= 9
    if os.environ.get("CI"):
        assert [reason for reason in week.left_out if "faketime" in reason] == []
