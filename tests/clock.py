"""The clock of a test: each begins at the same moment, and time goes on from there.

`TEST_CLOCK=2026-03-29T01:30 uv run pytest` begins all of them at another moment, told in Paris time: any that is later
than the events of 2025 of which some of them tell. Tests beside real processes keep the machine's clock, which these
processes read: those that ask for a `RunningSite`, and those that are marked `real_clock`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db.models.functions import Now

A_TUESDAY = "2026-06-16T10:00"
BEGINS_AT = datetime.fromisoformat(os.environ.get("TEST_CLOCK") or A_TUESDAY).replace(tzinfo=ZoneInfo("Europe/Paris"))
RUNNING_SITES = {"set_up_site", "empty_site", "demo"}  # fixtures; the others that run a site are built upon them


def is_real(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("real_clock") is not None or not RUNNING_SITES.isdisjoint(
        request.fixturenames
    )


def _now_as_sql(_self: Now, _compiler: Any, connection: Any, **_context: Any) -> tuple[str, list[Any]]:
    return "%s", [connection.ops.adapt_datetimefield_value(datetime.now(UTC))]


@contextmanager
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For this process; and for its queries, in which `Now()` would be the database's own clock."""
    monkeypatch.setattr(Now, "as_sqlite", _now_as_sql)
    monkeypatch.setattr(Now, "as_postgresql", _now_as_sql)
    with time_machine.travel(BEGINS_AT.astimezone(UTC)):
        yield
