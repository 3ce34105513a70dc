"""On SQLite, a long operation pauses between its transactions so that other writers get the lock."""

from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from registrations.runtime import progress, write_queue


@pytest.mark.django_db(transaction=True)
def test_a_long_operation_pauses_between_its_transactions_on_sqlite_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    moments = iter([10.0, 10.5, 20.0, 24.0, 30.0] if connection.vendor == "sqlite" else [10.0, 20.0, 30.0])
    clock = SimpleNamespace(sleep=pauses.append, monotonic=moments.__next__)
    for module in ("write_queue", "progress"):
        monkeypatch.setattr(f"registrations.runtime.{module}.time", clock)
    assert list(progress.batches("abc", 1)) == ["a", "b", "c"]
    assert pauses == ([0.25, write_queue.PAUSE_MAX] if connection.vendor == "sqlite" else [])


@pytest.mark.django_db(transaction=True)
def test_there_is_no_pause_within_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("registrations.runtime.write_queue.time", SimpleNamespace(sleep=pauses.append))
    with transaction.atomic():
        write_queue.pause_for_other_writers(since=0)
    assert pauses == []
