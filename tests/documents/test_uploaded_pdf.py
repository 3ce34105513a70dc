"""A PDF that is uploaded: what the child process answers, and the words that the organiser reads."""

import io
import zlib

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from registrations.documents import limited_child, pdf, uploaded_pdf
from tests.documents.pdf_files import made, put, script

MEGABYTE = 1024 * 1024


def cleaned(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    file, notes = uploaded_pdf.cleaned(SimpleUploadedFile("rapport.pdf", content))
    assert file.name == "rapport.pdf"
    return file.read(), notes


def refusal(content: bytes) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        cleaned(content)
    return str(refused.value.code), str(refused.value.message)


def packed_into(megabytes: int, filling: bytes) -> bytes:
    """A small PDF whose catalog is in an object stream with an array of so many megabytes."""
    catalog, pages = b"<< /Type /Catalog /Pages 3 0 R /Filling [", b"<< /Type /Pages /Kids [5 0 R] /Count 1 >>"
    head = b"3 0 2 %d " % len(pages)
    packing = zlib.compressobj(1)
    pieces = [packing.compress(head + pages + catalog)]
    pieces += [packing.compress(filling * (MEGABYTE // len(filling))) for _ in range(megabytes)]
    packed = b"".join(pieces) + packing.compress(b"] >>") + packing.flush()
    filtered = b"/Filter /FlateDecode /Length %d" % len(packed)
    content = b"%PDF-1.7\n"
    objects = len(content)
    content += b"1 0 obj << /Type /ObjStm /N 2 /First %d %s >> stream\n" % (len(head), filtered)
    content += packed + b"\nendstream endobj\n"
    page = len(content)
    content += b"5 0 obj << /Type /Page /Parent 3 0 R /MediaBox [0 0 9 9] >> endobj\n"
    rows = [(0, 0, 0), (1, objects, 0), (2, 1, 1), (2, 1, 0), (1, len(content), 0), (1, page, 0)]
    table = b"".join(kind.to_bytes(1) + place.to_bytes(4) + index.to_bytes(2) for kind, place, index in rows)
    place = len(content)
    content += b"4 0 obj << /Type /XRef /Size 6 /W [1 4 2] /Root 2 0 R /Length %d >> stream\n" % len(table)
    return content + table + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF\n" % place


def test_a_harmless_file_stays_byte_for_byte() -> None:
    content = made()
    assert cleaned(content) == (content, ())


@pytest.mark.typesetting
def test_a_document_typeset_here_stays_byte_for_byte() -> None:
    content = pdf.render("<html lang='fr'><title>x</title><p>Un <a href='https://example.org/'>rapport</a>.</p>")
    assert cleaned(content) == (content, ())


def test_what_is_taken_out_is_said() -> None:
    content, notes = cleaned(made(put("root.OpenAction", script()), put("root.AcroForm", {"/XFA": []})))
    [note] = (words.replace("\N{NO-BREAK SPACE}", "_") for words in notes)
    assert note == "Retiré du PDF_: formulaire à scripts (XFA), scripts. Le reste est inchangé_; relisez-le une fois."
    with pikepdf.open(io.BytesIO(content)) as document:
        assert "/OpenAction" not in document.Root


def test_a_repair_is_said() -> None:
    _content, notes = cleaned(made() + b"\0" * 5000)
    assert [note[:24] for note in notes] == ["Le PDF avait des défauts"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_pdf"),
        (b"<html>", "not_a_pdf"),
        (b" " * 1024 + b"%PDF-1.7\n%%EOF", "not_a_pdf"),
        (b"%PDF-1.7\n" + b" " * (20 * MEGABYTE), "too_large"),
        (b"%PDF-1.7\n", "damaged"),
        (b"%PDF-1.7\n1 0 obj << /S /JavaScript >> endobj\n%%EOF", "damaged"),
        (made()[:400], "damaged"),
        (made(encryption=pikepdf.Encryption(user="secret", owner="x")), "password"),
        (made().replace(b"trailer <<", b"trailer << /Encrypt << /Filter /Adobe.PubSec /V 4 >>"), "password"),
        (made(put("root.NeedsRendering", True)), "form"),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused(content: bytes, code: str) -> None:
    assert refusal(content) == (code, str(uploaded_pdf.REFUSALS[code]))


def test_a_file_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_child, "TIMEOUT", 0)
    assert refusal(made())[0] == "too_heavy"


def test_a_small_file_that_becomes_enormous_is_refused() -> None:
    assert cleaned(packed_into(1, b"    "))[1] == ()
    content = packed_into(600, b"    ")
    assert len(content) < 4 * MEGABYTE
    assert refusal(content)[0] in {"damaged", "too_heavy"}
