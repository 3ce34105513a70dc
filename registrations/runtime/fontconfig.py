"""The fonts of this machine, as fontconfig tells them to Pango, with which it comes."""

import ctypes
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

LIBRARY = {"linux": "libfontconfig.so.1", "darwin": "libfontconfig.1.dylib"}
SYSTEM = 0  # FcSetSystem
MATCH = 0  # FcResultMatch


class FontSet(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int), ("size", ctypes.c_int), ("fonts", ctypes.POINTER(ctypes.c_void_p))]


def written(characters: Iterable[str]) -> set[str]:
    """Those of the characters that a font of this machine has. Read anew each time: fonts may just have come."""
    with _character_sets() as (library, sets):
        return {char for char in characters if any(library.FcCharSetHasChar(one, ord(char)) for one in sets)}


@contextmanager
def _character_sets() -> Iterator[tuple[Any, list[ctypes.c_void_p]]]:
    library = ctypes.CDLL(LIBRARY[sys.platform])
    library.FcInitLoadConfigAndFonts.restype = ctypes.c_void_p
    library.FcConfigGetFonts.restype = ctypes.POINTER(FontSet)
    config = ctypes.c_void_p(library.FcInitLoadConfigAndFonts())
    try:
        found = library.FcConfigGetFonts(config, SYSTEM)
        fonts = found.contents.fonts[: found.contents.count] if found else []
        yield library, [one for font in fonts if (one := _characters(library, font))]
    finally:
        library.FcConfigDestroy(config)


def _characters(library: Any, font: int) -> ctypes.c_void_p | None:
    characters = ctypes.c_void_p()
    result = library.FcPatternGetCharSet(ctypes.c_void_p(font), b"charset", 0, ctypes.byref(characters))
    return characters if result == MATCH else None
