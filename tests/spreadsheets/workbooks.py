"""Workbooks for tests: XLSX written by openpyxl, ODS in the XML of LibreOffice."""

import io
import zipfile
from collections.abc import Collection, Mapping
from html import escape
from typing import Any

import openpyxl

ODS_XML = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content
  xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
  xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
  xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
  xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3">
<office:body><office:spreadsheet><table:table table:name="Inscrits">{rows}</table:table></office:spreadsheet>
</office:body></office:document-content>"""
ODS_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
</manifest:manifest>"""
ODS_CELL = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
ODS_ERROR = (
    '<table:table-cell table:formula="of:=[.Z1]" office:value-type="string" office:string-value=""'
    ' calcext:value-type="error"><text:p>{}</text:p></table:table-cell>'
)


def xlsx(
    sheets: Mapping[str, list[list[Any]]],
    *,
    hidden_sheets: Collection[str] = (),
    hidden_rows: Collection[int] = (),
    at: tuple[int, int] = (1, 1),
) -> bytes:
    """Rows are hidden in all sheets; each table begins at this row and column."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for down, row in enumerate(rows):
            for right, value in enumerate(row):
                sheet.cell(at[0] + down, at[1] + right, value)
        for number in hidden_rows:
            sheet.row_dimensions[number].hidden = True
        sheet.sheet_state = "hidden" if name in hidden_sheets else "visible"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def ods(rows: list[list[str]], *, filtered: Collection[int] = ()) -> bytes:
    """One sheet. A cell that begins with # is an error; a filter hides the rows with these numbers."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join((ODS_ERROR if cell.startswith("#") else ODS_CELL).format(escape(cell)) for cell in row)
        visibility = ' table:visibility="filter"' if number in filtered else ""
        lines.append(f"<table:table-row{visibility}>{cells}</table:table-row>")
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": ODS_MANIFEST,
            "content.xml": ODS_XML.format(rows="".join(lines)),
        }
    )


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def with_far_cells() -> bytes:
    """A small file of which all is legal: A1, and the last cell of the last row."""
    content = xlsx({"Liste": [["Nom"]]})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    far = b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>'
    return zipped({**parts, sheet: parts[sheet].replace(b"</sheetData>", far)})
