"""Search text: lower case, without accents and punctuation."""

import unicodedata
from typing import Any

from django.db import models

START = "  "  # before each word: so a word of one character has the three characters that a trigram index needs
SHORTEST = 3  # characters


def folded(text: str) -> str:
    """Lower case letters and digits, words separated by single spaces: « Zoë D’Arcy » becomes « zoe d arcy »."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in bare.casefold()).split())


def search_terms(words: str) -> list[str]:
    """Substrings that a `SearchField` must contain, one for each word typed.

    A word of three characters or more matches anywhere, a shorter one only at the beginning of a word. Terms contain
    letters, digits and spaces only, so they need no escaping in a LIKE pattern.
    """
    typed = filter(None, (START.join(folded(word).split()) for word in words.split()))
    return [word if len(word) >= SHORTEST else START + word for word in typed]


class SearchField(models.TextField[str, str]):
    """Search text of a row, computed from the fields named in `of` on each save."""

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
