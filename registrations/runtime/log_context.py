"""The request and the delivery that are being processed, added to each log line. Ids only, no personal data."""

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
    """The ids that are set at the moment, by name."""
    ids = {"request_id": request_id.get() or None, "delivery_id": delivery_id.get()}
    return {name: value for name, value in ids.items() if value is not None}
