"""Write the audit log: which account did what to which object. Ids only, no names."""

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
    """Entries recorded in the block are attributed to `account`. Without this, they are attributed to the operator."""
    token = _actor.set(account.pk)
    try:
        yield
    finally:
        _actor.reset(token)


def record(action: Action, *, about: models.Model | None = None, by: Any = None, **detail: Any) -> None:
    """Add an entry. `about`: the object concerned; `by`: the account, if it is not the one of `acting`.

    `detail` may contain counts, kinds and ids, and nothing that names a person.
    """
    AuditEntry.objects.create(
        action=action,
        actor=by.pk if by is not None else _actor.get(),
        about=f"{about._meta.label_lower} {about.pk}" if about is not None else "",
        detail=detail,
    )
