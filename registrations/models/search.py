"""Texts as they are looked for: without accents, capitals and signs."""

import unicodedata
from typing import Any

from django.db import models

START = "  "  # before each word: with it, a word of one sign has the three that an index is made of
SHORTEST = 3  # signs


def folded(text: str) -> str:
    """« Zoë D’Arcy » and « zoe d'arcy » are the same: small letters and digits, single spaces."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join("".join(sign if sign.isalnum() else " " for sign in bare.casefold()).split())


def looked_for(words: str) -> list[str]:
    """What a `SearchField` must hold, for each of the words typed: one of three signs or more, anywhere; a shorter one
    where a word begins. Letters and digits alone: nothing in it means anything to a database."""
    typed = filter(None, (START.join(folded(word).split()) for word in words.split()))
    return [word if len(word) >= SHORTEST else START + word for word in typed]


class SearchField(models.TextField[str, str]):
    """What a row can be found by: the words of other fields, folded, whenever it is written."""

    def __init__(self, *, of: list[str], **options: Any) -> None:
        self.of = of
        super().__init__(**{"editable": False, "db_default": "", **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        words = folded(" ".join(getattr(model_instance, name) for name in self.of)).split()
        text = "".join(START + word for word in words)
        setattr(model_instance, self.attname, text)
        return text
