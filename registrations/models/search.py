"""Texts as they are looked for: without accents, capitals and signs."""

import unicodedata
from typing import Any

from django.db import models

SHORTEST_INDEXED = 3  # characters: an index of three at a time knows none that are shorter


def folded(text: str) -> str:
    """« Zoë D’Arcy » and « zoe d'arcy » are the same: small letters and digits, single spaces."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join("".join(sign if sign.isalnum() else " " for sign in bare.casefold()).split())


class SearchField(models.TextField[str, str]):
    """What a row can be found by: other fields, folded, whenever it is written."""

    def __init__(self, *, of: list[str], **options: Any) -> None:
        self.of = of
        super().__init__(**{"editable": False, "db_default": "", **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        text = folded(" ".join(getattr(model_instance, name) for name in self.of))
        setattr(model_instance, self.attname, text)
        return text
