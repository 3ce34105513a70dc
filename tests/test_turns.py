"""SQLite has one writer: long acts leave it to the others between two people."""

from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from registrations import progress, turns


@pytest.mark.django_db(transaction=True)
def test_a_long_act_pauses_between_its_transactions_on_sqlite_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    clock = SimpleNamespace(sleep=pauses.append, monotonic=iter([10.0, 10.0, 14.0, 15.0, 15.5, 16.0]).__next__)
    monkeypatch.setattr("registrations.turns.time", clock)
    turns._breath.__dict__.clear()
    assert list(progress.batches("abc", 1)) == ["a", "b", "c"]
    assert pauses == ([0, turns.BREATH_MAX, 0.25] if connection.vendor == "sqlite" else [])


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_nobody_would_gain_by_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("registrations.turns.time", SimpleNamespace(sleep=pauses.append))
    with transaction.atomic():
        turns.let_others_write()
    assert pauses == []
