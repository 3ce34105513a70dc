"""The number of a certificate: made, written in groups, and recognised as people type it."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no two characters that look alike
GROUPS, GROUP = 3, 4


def new() -> str:
    """Like 7KQ2-M9XD-4HTR: 59 random bits, so that nobody finds another's by trying."""
    return _grouped("".join(secrets.choice(ALPHABET) for _character in range(GROUPS * GROUP)))


def parse(typed: str) -> str:
    """7KQ2-M9XD-4HTR for « 7kq2 m9xd 4htr »; empty for what cannot be a number."""
    characters = [character for character in typed.upper() if character.isalnum()]
    if len(characters) != GROUPS * GROUP or not set(characters) <= set(ALPHABET):
        return ""
    return _grouped("".join(characters))


def _grouped(characters: str) -> str:
    return "-".join(characters[start : start + GROUP] for start in range(0, len(characters), GROUP))
