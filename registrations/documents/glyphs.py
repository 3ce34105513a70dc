"""Characters that no font can write, neither one of the site nor one of the machine: boxes would be printed."""

import unicodedata
from collections.abc import Iterable
from functools import cache

from django.conf import settings
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from registrations.documents import pdf
from registrations.runtime import fontconfig, pango

ALL_FONTS = (*pdf.FONTS, *pdf.NAME_FONTS)
SHOWN = 20  # characters, in a warning
PACKAGES = "fonts-noto-core fonts-noto-cjk"  # of Debian and Ubuntu: almost every script
USUAL = {*map(chr, range(0x20, 0x7F)), *map(chr, range(0xA0, 0x100))}  # the site's fonts have them
UNUSUAL = "[^ -\u00ff]"  # a regular expression for databases: what may have to be looked for
FORMATS = "Cf"  # general category of characters without a glyph
SELECTORS = {*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}  # of variants: without a glyph


def missing(text: str, fonts: Iterable[pdf.Font] = ALL_FONTS) -> str:
    """The characters of a text that no font has, in their order. Empty where no document is made at all.

    `fonts`: those of the site that the document embeds.
    """
    unusual = [char for char in dict.fromkeys(text) if _needs_a_glyph(char) and char not in USUAL]
    if not unusual or not pango.is_installed():
        return ""
    parts = {part for char in unusual for part in unicodedata.normalize("NFD", char)}
    embedded = _embedded(tuple(fonts))
    has = embedded | fontconfig.written({*unusual, *parts} - embedded)
    return "".join(char for char in unusual if not (char in has or _is_put_together(char, has)))


def warning(text: str, fonts: Iterable[pdf.Font] = ALL_FONTS) -> str:
    """For the organiser, before a document with this text is made. Empty when a font has each character."""
    if not (boxes := missing(text, fonts)):
        return ""
    sentence = _(
        "No font of the server can write “%(characters)s”: the document shows boxes instead. Have fonts installed "
        "(Debian, Ubuntu: %(packages)s), or correct the text."
    )
    return sentence % {"characters": Truncator(boxes).chars(SHOWN), "packages": PACKAGES}


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
def _embedded(fonts: tuple[pdf.Font, ...]) -> set[str]:
    """The characters of these fonts of the site."""
    from fontTools.ttLib import TTFont  # here: few names need it, and it is large

    characters: set[str] = set()
    for _family, _style, _weight, file in fonts:
        with TTFont(settings.BASE_DIR / "static" / "fonts" / file, lazy=True) as font:
            characters.update(map(chr, font.getBestCmap()))
    return characters
