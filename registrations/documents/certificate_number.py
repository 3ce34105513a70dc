"""The number of a certificate: generated, formatted in groups, and parsed as people type it."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no two characters that look alike
GROUPS, GROUP_LENGTH = 3, 4


def new() -> str:
    """A random number such as 7KQ2-M9XD-4HTR. Its 59 bits make it impossible to guess."""
    return _grouped("".join(secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP_LENGTH)))


def parse(typed: str) -> str:
    """7KQ2-M9XD-4HTR for « 7kq2 m9xd 4htr »; empty for a text that is no number."""
    characters = [character for character in typed.upper() if character.isalnum()]
    if len(characters) != GROUPS * GROUP_LENGTH or not set(characters) <= set(ALPHABET):
        return ""
    return _grouped("".join(characters))


def _grouped(characters: str) -> str:
    return "-".join(characters[start : start + GROUP_LENGTH] for start in range(0, len(characters), GROUP_LENGTH))
