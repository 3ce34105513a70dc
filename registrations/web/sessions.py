"""The stock sessions in the database, read by a prepared query and written down once, when a view says so."""

import secrets
from typing import Any

from django.contrib.sessions.backends import db
from django.db.models import CharField, DateTimeField, Model
from django.utils import timezone

from registrations.models.prepared import Parameter, PreparedQuery, insert

KEY_BYTES = 20  # 160 bits, in the 40 signs that the column has


class SessionStore(db.SessionStore):
    """A view may save it in its own transaction; the middleware, which saves again, then has nothing left to do."""

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
        if must_create:  # under a key of 160 random bits: no savepoint for the case that it is taken
            insert(self.create_model_instance(data))
        else:
            super().save()
        self.saved = (self.session_key, dict(data))

    def _get_session_from_db(self) -> Model | None:
        session: Model | None = self._LIVE.first(key=self.session_key, now=timezone.now())
        if session is None:
            self._session_key = None
        return session

    def _get_new_session_key(self) -> str:
        """Not looked for beforehand; drawn at once, not letter by letter."""
        return secrets.token_hex(KEY_BYTES)
