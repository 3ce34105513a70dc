"""The bytes of a text file as text: UTF-8, UTF-16, or the encoding of an older spreadsheet.

A file in UTF-8 with a few wrong bytes stays UTF-8: each wrong byte becomes UNREADABLE, so that the reader can name its
line, and every other character keeps its accents.
"""

import codecs
import re

import charset_normalizer

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
BYTE_ORDER_MARKS = {  # the longer ones first: that of UTF-16 begins that of UTF-32
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
SPREADSHEETS = ["cp1252", "mac_roman", "cp850"]  # Excel's "CSV" on Windows, "CSV (Macintosh)", "CSV (MS-DOS)"
REGIONAL = [
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
    "mac_roman",
    "cp850",
]  # of all others lists are too short
USUAL = frozenset(
    "àâäáãåçéèêëíîïñóôöõøúùûüÿœæßÀÂÄÁÅÇÉÈÊËÍÎÏÑÓÔÖØÚÙÛÜŒÆ’«»–—…•·°€ªº\xa0\xad"
)  # of French and its neighbours
CAPITAL_INSIDE = re.compile(r"[a-zà-ÿ][À-ÖØ-ÞŒ]")  # « PrÇnom », which is « Prénom » of MS-DOS read as Macintosh


class Undecodable(ValueError):
    """`line` is the number of the first line that no encoding reads."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def decoded(content: bytes) -> str:
    """Raises Undecodable."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "")
    if not encoding and content[1:40:2].count(0) > len(content[1:40:2]) / 2:
        encoding = "utf-16-le"  # without a byte order mark
    if encoding:
        return content.decode(encoding, errors="replace")
    text = content.decode(errors="replace")
    wrong = text.count(UNREADABLE)
    right = sum(not character.isascii() for character in text) - wrong
    return text if right >= wrong else _in_an_older_encoding(content)


def _in_an_older_encoding(content: bytes) -> str:
    """The encoding that leaves only usual characters, or else the one that charset-normalizer finds most plausible.

    It is made for long texts, and takes a list with two or three accents for Polish or Turkish.
    """
    texts = [content.decode(encoding, errors="replace") for encoding in SPREADSHEETS]
    usual = [text for text in texts if {character for character in text if not character.isascii()} <= USUAL]
    if usual:
        return min(usual, key=lambda text: len(CAPITAL_INSIDE.findall(text)))
    best = charset_normalizer.from_bytes(content, cp_isolation=REGIONAL).best()
    if best is None:
        raise Undecodable(_line_of_first_wrong_byte(content))
    return str(best)


def _line_of_first_wrong_byte(content: bytes) -> int:
    try:
        content.decode("cp1252")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1
