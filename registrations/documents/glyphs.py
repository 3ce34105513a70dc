"""Characters that no font can write, neither one of the site nor one of the machine: boxes would be printed."""

import unicodedata
from collections.abc import Iterable
from functools import cache

from django.conf import settings

from registrations.documents import pdf
from registrations.runtime import fontconfig, pango

PACKAGES = "fonts-noto-core fonts-noto-cjk"  # of Debian and Ubuntu: almost every script
USUAL = {*map(chr, range(0x20, 0x7F)), *map(chr, range(0xA0, 0x100))}  # the site's fonts have them
UNUSUAL = "[^ -\u00ff]"  # a regular expression for databases: what may have to be looked for
FORMATS = "Cf"  # general category of characters without a glyph
SELECTORS = {*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}  # of variants: without a glyph


def missing(text: str) -> str:
    """The characters of a text that no font has, in their order. Empty where no document is made at all."""
    unusual = [char for char in dict.fromkeys(text) if _needs_a_glyph(char) and char not in USUAL]
    if not unusual or not pango.is_installed():
        return ""
    parts = {part for char in unusual for part in unicodedata.normalize("NFD", char)}
    has = _of_the_site() | fontconfig.written({*unusual, *parts} - _of_the_site())
    return "".join(char for char in unusual if not (char in has or _is_put_together(char, has)))


def without_glyphs(texts: Iterable[str]) -> list[str]:
    """Those of the texts with a character that no font has."""
    texts = list(texts)
    boxes = set(missing("".join(texts)))
    return [text for text in texts if boxes.intersection(text)] if boxes else []


def _needs_a_glyph(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) != FORMATS and char not in SELECTORS


def _is_put_together(char: str, has: set[str]) -> bool:
    """Whether it is drawn as a letter and its marks."""
    parts = unicodedata.normalize("NFD", char)
    return len(parts) > 1 and has.issuperset(parts)


@cache
def _of_the_site() -> set[str]:
    """The characters of the fonts that certificates embed."""
    from fontTools.ttLib import TTFont  # here: few names need it, and it is large

    characters: set[str] = set()
    for _family, _style, _weight, file in [*pdf.FONTS, *pdf.NAME_FONTS]:
        with TTFont(settings.BASE_DIR / "static" / "fonts" / file, lazy=True) as font:
            characters.update(map(chr, font.getBestCmap()))
    return characters
