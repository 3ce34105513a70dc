"""A condition on the answers to an event's own questions, for both databases."""

from typing import Any

from django.db.models import BooleanField, F, Func, Value


class GaveAnswer(Func):
    """Whether a person chose this answer to the question with this key: as the only one, or among several.

    Django's own lookups read a key made of digits as a place in a list.
    """

    output_field = BooleanField()

    def __init__(self, key: str, answer: str, *, own_answers: str = "own_answers") -> None:
        super().__init__(F(own_answers), Value(key), Value(answer))

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        return self._filled("EXISTS (SELECT 1 FROM json_each(%s, '$.\"' || %s || '\"') WHERE value = %s)", compiler)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        """A list contains a text, and a text contains itself."""
        return self._filled("COALESCE((%s -> %s::text) @> to_jsonb(%s::text), false)", compiler)

    def _filled(self, shape: str, compiler: Any) -> tuple[str, tuple[Any, ...]]:
        compiled = [compiler.compile(part) for part in self.get_source_expressions()]
        values = tuple(value for _sql, part in compiled for value in part)
        return shape % tuple(sql for sql, _part in compiled), values
