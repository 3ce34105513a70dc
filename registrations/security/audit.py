"""The audit log: who did what to which thing, by numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

from registrations.models import AuditEntry

Action = AuditEntry.Action

_actor: ContextVar[int | None] = ContextVar("actor", default=None)


@contextmanager
def acting(account: Any) -> Iterator[None]:
    """Whatever is recorded inside was done by this account; outside, by the operator or by a program."""
    token = _actor.set(account.pk)
    try:
        yield
    finally:
        _actor.reset(token)


def record(action: Action, *, about: models.Model | None = None, by: Any = None, **detail: Any) -> None:
    """Details are counts, kinds and numbers: nothing that names a person."""
    AuditEntry.objects.create(
        action=action,
        actor=by.pk if by is not None else _actor.get(),
        about=f"{about._meta.label_lower} {about.pk}" if about is not None else "",
        detail=detail,
    )
