"""What calamine does not tell of a workbook: error cells and hidden rows. Read from the XML of XLSX and ODS.

XLS and XLSB have no XML: of these, nothing is known.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO
from xml.etree.ElementTree import Element, iterparse, parse

TRUE = {"1", "true"}
LETTERS = re.compile(r"[A-Z]+")
RELATIONSHIPS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
STRICT_RELATIONSHIPS = "{http://purl.oclc.org/ooxml/officeDocument/relationships}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
ERROR_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
CELLS = {f"{TABLE}table-cell", f"{TABLE}covered-table-cell"}
# As Excel and LibreOffice write them, also in French: #N/A, #VALEUR!, #NOM ?, Err:502
ERROR = re.compile(r"#(N/?[AD]|REF|VALUE|VALEUR|DIV/0|NAME|NOM|NULL?|NUM|NOMBRE|SPILL|CALC)\s?[!?]?|Err\s?:\s?\d{3}")


@dataclass
class Marks:
    """Of one sheet. Rows are numbered from 1, columns from 0."""

    hidden_rows: set[int] = field(default_factory=set)
    errors: dict[int, dict[int, str]] = field(default_factory=dict)  # by row and column: the error as it is shown


def marks(content: bytes) -> dict[str, Marks]:
    """By the name of the sheet."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.namelist()
        if "content.xml" in parts:
            with archive.open("content.xml") as part:
                return _of_ods(part)
        if "xl/workbook.xml" not in parts:  # XLSB, which has no XML
            return {}
        found = {}
        for name, path in _xlsx_sheets(archive):
            if path in parts:
                with archive.open(path) as part:
                    found[name] = _of_xlsx_sheet(part)
        return found


def _xlsx_sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name and part of each sheet."""
    with archive.open("xl/_rels/workbook.xml.rels") as part:
        targets = {one.get("Id"): one.get("Target", "") for one in parse(part).getroot()}
    with archive.open("xl/workbook.xml") as part:
        for sheet in parse(part).getroot().iterfind(".//{*}sheet"):
            number = sheet.get(f"{RELATIONSHIPS}id") or sheet.get(f"{STRICT_RELATIONSHIPS}id")
            path = posixpath.join("/xl", targets.get(number, ""))
            yield sheet.get("name", ""), posixpath.normpath(path).lstrip("/")


def _of_xlsx_sheet(part: IO[bytes]) -> Marks:
    found, number = Marks(), 0
    for _event, row in iterparse(part):
        if not row.tag.endswith("}row"):
            continue
        number = int(row.get("r", number + 1))
        if row.get("hidden") in TRUE:
            found.hidden_rows.add(number)
        for index, cell in enumerate(row):
            if cell.get("t") == "e":
                column = _column(cell.get("r", ""), index)
                found.errors.setdefault(number, {})[column] = cell.findtext("{*}v") or "#N/A"
        row.clear()
    return found


def _column(reference: str, otherwise: int) -> int:
    """0 for A1, 26 for AA1."""
    letters = LETTERS.match(reference)
    if letters is None:
        return otherwise
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _of_ods(part: IO[bytes]) -> dict[str, Marks]:
    found: dict[str, Marks] = {}
    current, next_row = Marks(), 1
    for event, element in iterparse(part, ("start", "end")):
        if event == "start" and element.tag == f"{TABLE}table":
            current, next_row = found.setdefault(element.get(f"{TABLE}name", ""), Marks()), 1
        elif event == "end" and element.tag == f"{TABLE}table-row":
            repeated = int(element.get(f"{TABLE}number-rows-repeated", "1"))
            if len(element.findall("*//{*}p")) and element.get(f"{TABLE}visibility", "visible") != "visible":
                current.hidden_rows.update(range(next_row, next_row + repeated))
            if errors := dict(_ods_errors(element)):
                current.errors.update(dict.fromkeys(range(next_row, next_row + repeated), errors))
            next_row += repeated
            element.clear()
    return found


def _ods_errors(row: Element) -> Iterator[tuple[int, str]]:
    column = 0
    for cell in row:
        if cell.tag not in CELLS:
            continue
        text = "".join(cell.itertext()).strip()
        is_error = cell.get(ERROR_TYPE) == "error" or (cell.get(f"{TABLE}formula") and ERROR.fullmatch(text))
        if is_error:
            yield column, text
        column += int(cell.get(f"{TABLE}number-columns-repeated", "1"))
