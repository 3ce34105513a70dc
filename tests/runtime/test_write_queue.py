"""SQLite has one writer: long acts leave it to the others between two people."""

from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from registrations.runtime import progress, write_queue


@pytest.mark.django_db(transaction=True)
def test_a_long_act_pauses_between_its_transactions_on_sqlite_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    moments = iter([10.0, 10.5, 20.0, 24.0, 30.0] if connection.vendor == "sqlite" else [10.0, 20.0, 30.0])
    clock = SimpleNamespace(sleep=pauses.append, monotonic=moments.__next__)
    for module in ("turns", "progress"):
        monkeypatch.setattr(f"registrations.{module}.time", clock)
    assert list(progress.batches("abc", 1)) == ["a", "b", "c"]
    assert pauses == ([0.25, write_queue.BREATH_MAX] if connection.vendor == "sqlite" else [])


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_nobody_would_gain_by_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("registrations.runtime.write_queue.time", SimpleNamespace(sleep=pauses.append))
    with transaction.atomic():
        write_queue.let_others_write(since=0)
    assert pauses == []
