"""Write rows of texts as CSV or XLSX, in chunks, so that memory use does not grow with the number of rows."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from itertools import batched, chain
from typing import Any
from xml.sax.saxutils import escape

BATCH = 500  # rows per chunk
BOM = "\ufeff"  # without it, Excel reads a CSV file in an old Windows encoding
STARTS_A_FORMULA = "=+-@|%"
STARTS_A_CELL = "\t\r\n"
TELEPHONE = re.compile(r"\+[0-9][0-9 \u00a0\u202f]*")  # not computed by a spreadsheet

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
CODED_CHARACTER = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # Excel reads « _x0041_ » as « A » (ECMA-376, 22.9.2.19)
COLUMN_WIDTH = 24  # characters
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
HEADING, TEXT = 1, 2  # cell styles: bold; text that stays text even when its cell is edited
FRAME = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
    '<sheets><sheet name="{title}" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


def csv_file(headings: list[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    """CSV for Excel with French settings: UTF-8 with BOM, « ; », every cell quoted, CRLF at the end of lines."""
    yield BOM.encode()
    for some in batched(chain([headings], rows), BATCH, strict=False):
        lines = io.StringIO(newline="")
        writer = csv.writer(lines, delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writerows([neutral(cell) for cell in row] for row in some)
        yield lines.getvalue().encode()


def neutral(text: str) -> str:
    """Protect against CSV injection: add an apostrophe in front of a text that a spreadsheet could compute.

    A telephone number that begins with « + » stays as it is.
    """
    visible = text.lstrip("".join(char for char in set(text) if _is_blank(char)))
    first = unicodedata.normalize("NFKC", visible[:1])  # ＝ is =, ﹢ is +
    is_risky = text.startswith(tuple(STARTS_A_CELL)) or first in set(STARTS_A_FORMULA)
    return f"'{text}" if is_risky and not TELEPHONE.fullmatch(text) else text


def _is_blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Cc", "Cf", "Zs"}


# XLSX: written here because the libraries build the whole file before the first byte can be sent


class _ChunkBuffer(io.RawIOBase):
    """Target of the ZIP file in memory; `take` returns and removes the bytes written since the last call."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += data
        return len(data)

    def take(self) -> bytes:
        taken, self.written = bytes(self.written), bytearray()
        return taken


def workbook(title: str, headings: list[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    """XLSX with one sheet. All cells have the type text, so none is ever a formula (ECMA-376, part 1)."""
    buffer = _ChunkBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in FRAME.items():
            archive.writestr(name, DECLARATION + xml.replace("{title}", _in_xml(title[:31])))
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(_sheet_start(len(headings)))
            sheet.write(_row(headings, HEADING))
            for some in batched(rows, BATCH, strict=False):
                sheet.write(b"".join(_row(row, TEXT) for row in some))
                yield buffer.take()
            sheet.write(b"</sheetData></worksheet>")
    yield buffer.take()


def _sheet_start(columns: int) -> bytes:
    """XML up to the rows; the pane keeps the row of headings visible."""
    return (
        f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols><col min="1" max="{columns}" width="{COLUMN_WIDTH}" customWidth="1" style="{TEXT}"/></cols><sheetData>'
    ).encode()


def _row(cells: list[str], style: int) -> bytes:
    start = f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">'
    return f"<row>{''.join(f'{start}{_in_xml(cell)}</t></is></c>' for cell in cells)}</row>".encode()


def _in_xml(text: str) -> str:
    return escape(CODED_CHARACTER.sub("_x005F_", NOT_IN_XML.sub("", text)), {'"': "&quot;"})
