"""Django's database sessions, read by a prepared query and written only once per request.

Django's own store costs 1.4 times the CPU of a sign-up's POST and of its thank-you page, and a second commit. A signed
cookie is cheaper, but its owner can read it: it would tell whether an address was known, and long answers do not fit.
Sessions of staff must end on the server.
"""

import secrets
from typing import Any

from django.contrib.sessions.backends import db
from django.db.models import CharField, DateTimeField, Model
from django.utils import timezone

from registrations.models.prepared import Parameter, PreparedQuery, insert

KEY_BYTES = 20  # 160 bits: 40 characters, the length of the column


class SessionStore(db.SessionStore):
    """A view can save the session in its transaction; the later save of the middleware then does nothing."""

    _LIVE: PreparedQuery[Any] = PreparedQuery(
        lambda: SessionStore.get_model_class().objects.filter(
            session_key=Parameter("key", CharField()), expire_date__gt=Parameter("now", DateTimeField())
        )
    )
    saved: tuple[str | None, dict[str, Any]] | None = None

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined] # not in the stubs
        if self.saved == (self.session_key, data):
            return
        if must_create:  # no savepoint: a key of 160 random bits is never in use
            insert(self.create_model_instance(data))
        else:
            super().save()
        self.saved = (self.session_key, dict(data))

    def _validate_session_key(self, key: str | None) -> bool:
        """A cookie may hold anything, also a NUL, which PostgreSQL refuses."""
        return bool(super()._validate_session_key(key)) and str(key).isascii() and str(key).isalnum()  # type: ignore[misc]

    def _get_session_from_db(self) -> Model | None:
        session: Model | None = self._LIVE.first(key=self.session_key, now=timezone.now())
        if session is None:
            self._session_key = None
        return session

    def _get_new_session_key(self) -> str:
        """Faster than Django's: no query whether the key is in use, and no loop over characters."""
        return secrets.token_hex(KEY_BYTES)
