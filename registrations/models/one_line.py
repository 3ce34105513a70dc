"""Texts of one line: titles, names, subjects. A pasted line break becomes a space when the text is saved."""

from typing import Any

from django.db import models


def one_line(text: str) -> str:
    """The text without any line break of `str.splitlines`: U+2028, vertical tab, form feed, NEL…

    Python refuses each of them in a header of a mail.
    """
    return " ".join(filter(None, map(str.strip, text.splitlines())))


class OneLineField(models.CharField[str, str]):
    """A CharField for what people type. `to_python` is called by forms, saves, imports and look-ups alike."""

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return one_line(text) if isinstance(text, str) else text

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """The row in memory has the text that is saved."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = self.to_python(value)
            setattr(model_instance, self.attname, value)
        return value
