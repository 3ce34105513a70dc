"""The child process that reads a workbook (XLSX, XLS or ODS) on its standard input.

It answers on its standard output with one JSON object: {"sheets": […]} or {"refused": why}. A sheet has a "name",
"is_hidden", "rows" as [number, cells], the numbers of the "hidden_rows", and "is_marked" when hidden rows and errors
are known. Empty rows are left out; of the others, one more than the limit in its first argument is kept.

It runs without Django, under limits on CPU time and memory: calamine lays a sheet out as a rectangle, so two far cells
in a file of 2 kB ask for 500 GB, which ends the whole process. calamine leaves error cells empty and does not say
which rows are hidden: `workbook_marks` reads both.
"""

import io
import json
import sys
from datetime import date, time
from typing import Any

import python_calamine
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from registrations.runtime.process_limits import limit_cpu, limit_memory
from registrations.spreadsheets import workbook_marks
from registrations.spreadsheets.workbook_marks import Marks

CPU_SECONDS = 8
MEMORY_BYTES = 500_000_000
MAX_CELLS = 100  # of one row
MAX_SHEETS = 50


def sheets(content: bytes, row_limit: int) -> list[dict[str, Any]]:
    marks = workbook_marks.marks(content)
    found = []
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        for sheet in [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet][:MAX_SHEETS]:
            marked = marks.get(sheet.name, Marks())
            rows = filled_rows(book, sheet.name, marked, row_limit)
            numbers = {number for number, _cells in rows}
            found.append(
                {
                    "name": sheet.name,
                    "is_hidden": sheet.visible != SheetVisibleEnum.Visible,
                    "rows": rows,
                    "hidden_rows": sorted(marked.hidden_rows & numbers),
                    "is_marked": sheet.name in marks,
                }
            )
    return found


def filled_rows(book: CalamineWorkbook, name: str, marked: Marks, row_limit: int) -> list[tuple[int, list[str]]]:
    sheet = book.get_sheet_by_name(name)
    top, left = sheet.start or (0, 0)
    rows = []
    for number, values in enumerate(sheet.to_python(skip_empty_area=True), top + 1):
        cells = [*[""] * left, *map(as_text, values)][:MAX_CELLS]
        for column, error in marked.errors.get(number, {}).items():
            if column < len(cells):
                cells[column] = error
        if any(cell.strip() for cell in cells):
            rows.append((number, cells))
        if len(rows) > row_limit:
            break
    return rows


def as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def main() -> None:
    limit_memory(MEMORY_BYTES)
    limit_cpu(CPU_SECONDS)
    answer: dict[str, Any]
    try:
        answer = {"sheets": sheets(sys.stdin.buffer.read(), int(sys.argv[1]))}
    except python_calamine.PasswordError:
        answer = {"refused": "password"}
    except MemoryError:
        answer = {"refused": "too_large"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
