"""Compare names as meeting rooms display them: without accents, case, order, or text in brackets."""

import re

from registrations.models.search import folded

BRACKETS = re.compile(r"[(\[](.*?)[)\]]")
SUFFIX = re.compile(r"\s[-–—|/]\s.*")  # « Zoë Durand - Ville de Nulle-Part »
FUZZY_LENGTHS = range(4, 61)  # characters: shorter names have too many similar ones, longer ones are too slow


def in_any_order(text: str) -> str:
    return " ".join(sorted(folded(text).split()))


def readings(name: str) -> list[str]:
    """Possible names in a displayed one, such as « iPhone (Zoë Durand) » or « Zoë Durand (Ville) - CAF »."""
    outside = BRACKETS.sub(" ", name)
    found = [name, outside, SUFFIX.sub("", outside), *BRACKETS.findall(name)]
    return list(dict.fromkeys(reading for reading in found if folded(reading)))


def typo_variants(text: str) -> set[str]:
    """Variants of a text: itself and with each character deleted.

    Two texts with one typing error between them (a character missing, added, wrong, or two swapped) share a variant.
    """
    if len(text) not in FUZZY_LENGTHS:
        return {text}
    return {text, *(text[:index] + text[index + 1 :] for index in range(len(text)))}
