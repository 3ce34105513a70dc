"""A small run of the fault test: no mail is lost, whatever is killed. At full size: see tests/load/README.md."""

import dataclasses
import sys

import pytest

from tests.load.chaos import Chaos, Plan
from tests.load.database import database_at
from tests.site import RunningSite

SMALL = Plan(sign_ups=25, seed=7, webs=1, workers=2, kill_every=0.8, visitors=4, pause=1.0)


@pytest.mark.faults
@pytest.mark.parametrize("supervised", [False, True])
def test_no_mail_is_lost_while_processes_are_killed_and_servers_misbehave(site: RunningSite, supervised: bool) -> None:
    plan = dataclasses.replace(SMALL, supervised=supervised)
    site.env["RATE_LIMITS"] = "off"
    verdict = Chaos(plan, site, database_at(site.env["DATABASE_URL"], site.data, longest_lock=1.5)).run()
    table = "\n".join(verdict.table())
    sys.stdout.write(table)
    assert (verdict.lost, verdict.unfinished, verdict.phantom) == ([], [], []), table
    assert verdict.duplicates <= verdict.duplicates_allowed, table
    assert verdict.ended_by_themselves.total() == 0, table
    assert verdict.memory.promised, table
    assert verdict.kills.total() > 0, table
