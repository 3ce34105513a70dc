"""Names in tables: compared as meeting rooms display them, and divided where both are in one column."""

import re

from registrations.models.search import folded

BRACKETS = re.compile(r"[(\[](.*?)[)\]]")
SUFFIX = re.compile(r"\s[-–—|/]\s.*")  # « Zoë Durand - Ville de Nulle-Part »
FUZZY_LENGTHS = range(4, 61)  # characters: shorter names have too many similar ones, longer ones are too slow
TITLES = {"m", "mr", "mme", "mlle", "madame", "monsieur", "dr", "me", "mrs", "ms"}
PARTICLES = {
    *["de", "du", "des", "d", "le", "la", "les", "el", "al", "ben", "bin", "ibn", "abd", "van", "von", "der", "den"],
    *["dos", "da", "di", "del", "della", "ter", "zu", "mc", "mac", "saint", "sainte", "st"],
}


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


def divided(name: str, *, last_first: bool) -> tuple[str, str, bool]:
    """(last name, first name, whether it may be divided in another way) of a whole name.

    Words in capitals are the last name, and so is what stands before a comma. Otherwise the order decides, and for
    more than two words it is in doubt.
    """
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma:
        return last, first, False
    words = name.split()
    while len(words) > 1 and folded(words[0]) in TITLES:
        words = words[1:]
    capitals = [word for word in words if len(word) > 1 and word.isupper()]
    others = [word for word in words if word not in capitals]
    if capitals and others and words in ([*capitals, *others], [*others, *capitals]):
        return " ".join(capitals), " ".join(others), False
    length = _words_of_last_name(words) if last_first else len(words) - _words_of_first_name(words)
    last_words = words[:length] if last_first else words[len(words) - length :]
    first_words = words[length:] if last_first else words[: len(words) - length]
    return " ".join(last_words), " ".join(first_words), len(words) > 2


def _words_of_last_name(words: list[str]) -> int:
    """At the beginning: particles and the word after them."""
    particles = next((at for at, word in enumerate(words) if folded(word) not in PARTICLES), len(words))
    return min(particles + 1, len(words))


def _words_of_first_name(words: list[str]) -> int:
    """At the beginning: all before a particle, or one; none when there is only one word."""
    particle = next((at for at, word in enumerate(words) if at and folded(word) in PARTICLES), 1)
    return particle if len(words) > 1 else 0
