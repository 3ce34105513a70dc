"""People's names as rooms show them: compared without accents, case, order, or what stands in brackets."""

import re

from registrations.models.search import folded

BRACKETS = re.compile(r"[(\[](.*?)[)\]]")
ASIDE = re.compile(r"\s[-–—|/]\s.*")  # « Zoë Durand - Ville de Nulle-Part »
SLIPS_LOOKED_FOR_IN = range(4, 61)  # characters: a shorter name is near to too many, a longer one costs too much


def in_any_order(text: str) -> str:
    return " ".join(sorted(folded(text).split()))


def readings(name: str) -> list[str]:
    """The names that a displayed one may stand for: « iPhone (Zoë Durand) », « Zoë Durand (Ville) - CAF »."""
    outside = BRACKETS.sub(" ", name)
    found = [name, outside, ASIDE.sub("", outside), *BRACKETS.findall(name)]
    return list(dict.fromkeys(reading for reading in found if folded(reading)))


def slips(text: str) -> set[str]:
    """Two texts that are one slip of the keyboard apart (a sign missing, added, wrong, or two swapped) share one."""
    if len(text) not in SLIPS_LOOKED_FOR_IN:
        return {text}
    return {text, *(text[:index] + text[index + 1 :] for index in range(len(text)))}
