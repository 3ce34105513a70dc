"""The webhook of the mail provider: a class of anymail's, or of mail_events, that answers strange bytes with a 400."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.module_loading import import_string

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)


class RefusesUnreadable:
    """Mixin: only what anymail cannot read is a 400. An error of ours is a 500, so that the provider tries again."""

    def run_validators(self, request: HttpRequest) -> None:
        with _bad_request():
            super().run_validators(request)  # type: ignore[misc] # anymail's

    def parse_events(self, request: HttpRequest) -> list[Any]:
        with _bad_request():
            return list(super().parse_events(request))  # type: ignore[misc] # anymail's


@contextmanager
def _bad_request() -> Iterator[None]:
    try:
        yield
    except (*UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EOVERFLOW:  # that one: a date beyond all calendars
            raise
        raise BadRequest("This is no event of a mail provider.") from error


def webhook(path: str) -> Any:
    view = import_string(path)
    return type(view.__name__, (RefusesUnreadable, view), {}).as_view()  # type: ignore[attr-defined] # anymail's
