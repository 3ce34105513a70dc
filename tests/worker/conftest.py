"""Fixtures of the tests of background jobs."""

from pathlib import Path
from typing import Any

import pytest

from registrations.worker import jobs


@pytest.fixture(autouse=True)
def _own_media_root(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def all_jobs_are_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every job is queued for a worker, and none is short enough to run at once."""
    for kind, handler in jobs.HANDLERS.items():
        monkeypatch.setitem(jobs.HANDLERS, kind, handler._replace(short=0))
