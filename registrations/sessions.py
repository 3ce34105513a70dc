"""The stock sessions in the database, written down once, when and where a view says so."""

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.utils.crypto import get_random_string

KEY_LENGTH = 32


class SessionStore(db.SessionStore):
    """A view may save it in its own transaction; the middleware, which saves again, then has nothing left to do."""

    saved: tuple[str | None, dict[str, Any]] | None = None

    def save(self, must_create: bool = False) -> None:
        if self.session_key and self.saved == (self.session_key, dict(self.items())):
            return
        super().save(must_create)
        self.saved = (self.session_key, dict(self.items()))

    def _get_new_session_key(self) -> str:
        """Not looked for beforehand: the row of a key that is taken cannot be created, and `create` tries another."""
        return get_random_string(KEY_LENGTH, VALID_KEY_CHARS)
