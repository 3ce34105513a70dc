"""What the lines of the log are about: the request under way, the mail in hand. Numbers, and nothing of a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
delivery_id: ContextVar[int | None] = ContextVar("delivery_id", default=None)


@contextmanager
def about_delivery(pk: int) -> Iterator[None]:
    token = delivery_id.set(pk)
    try:
        yield
    finally:
        delivery_id.reset(token)


def current() -> dict[str, str | int]:
    """Only what there is."""
    known = {"request_id": request_id.get() or None, "delivery_id": delivery_id.get()}
    return {name: value for name, value in known.items() if value is not None}
