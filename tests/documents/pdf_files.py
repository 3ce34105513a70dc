"""PDF files for tests."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

PDFS = Path(__file__).with_name("pdfs")

type Change = Callable[[pikepdf.Pdf], Any]


def made(*changes: Change, **options: Any) -> bytes:
    """A PDF of one page with one link, changed. Its words only speak of what is taken out."""
    pdf = pikepdf.new()
    page: Any = pdf.add_blank_page().obj
    page.Contents = pdf.make_stream(b"BT (Un rapport. /JavaScript et /Launch en toutes lettres.) Tj ET")
    page.Annots = Array([pdf.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9]))])
    for change in changes:
        change(pdf)
    target = io.BytesIO()
    pdf.save(target, static_id=True, **options)
    return target.getvalue()


def put(place: str, value: Any) -> Change:
    """Set a key of the catalog, the page or its link: « page.AA »."""

    def change(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        holder = {"root": pdf.Root, "page": page, "link": page.Annots[0]}[place.partition(".")[0]]
        holder[Name("/" + place.partition(".")[2])] = value

    return change


def script() -> Any:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
