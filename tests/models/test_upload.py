"""An uploaded report: which files are accepted, which are refused, and with what message."""

import io
import zlib
from collections.abc import Callable
from typing import Any

import pypdf
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject
from pytest_django import Settings

from registrations.documents import pdf
from registrations.models import Event, pdf_file
from tests.admin_client import NO_PARTS
from tests.factories import make_event, make_registration


def harmless() -> bytes:
    """A page whose words only speak of what is refused."""
    writer = pypdf.PdfWriter()
    words = DecodedStreamObject()
    words.set_data(b"BT (Un rapport. /JavaScript et /Launch en toutes lettres.) Tj ET")
    writer.add_blank_page(200, 200)[NameObject("/Contents")] = words.flate_encode()
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


HARMLESS = harmless()


def refusal(content: bytes) -> str:
    """The code of the refusal; empty when the file is accepted."""
    try:
        pdf_file.validate(SimpleUploadedFile("rapport.pdf", content))
    except ValidationError as error:
        return str(error.code)
    return ""


def written(change: Callable[[pypdf.PdfWriter], Any] = lambda writer: None) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(HARMLESS))
    change(writer)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def with_action(kind: str) -> Callable[[pypdf.PdfWriter], Any]:
    def change(writer: pypdf.PdfWriter) -> None:
        action = {NameObject("/S"): NameObject(f"/{kind}"), NameObject("/F"): TextStringObject("calc.exe")}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)

    return change


def packed(
    objects: bytes, *, filtered: bytes = b"/FlateDecode", pack: Callable[[bytes], bytes] = zlib.compress
) -> bytes:
    """A PDF with an object stream (ISO 32000-1, 7.5.7) that holds these objects."""
    stream = pack(b"12 0 " + objects)
    head = b"<< /Type /ObjStm /N 1 /First 5 /Filter %s /Length %d >>" % (filtered, len(stream))
    return b"%%PDF-1.7\n7 0 obj\n%s\nstream\r\n%s\nendstream\nendobj\n%%%%EOF\n" % (head, stream)


@pytest.mark.typesetting
def test_a_document_typeset_here_is_accepted() -> None:
    page = "<html lang='fr'><title>x</title><p>Un rapport. /JavaScript et /Launch en toutes lettres.</p>"
    assert refusal(pdf.render(page)) == ""


def test_reports_of_several_programs_are_accepted() -> None:
    assert refusal(HARMLESS) == ""
    assert refusal(written()) == ""
    destination = written(lambda writer: setattr(writer, "open_destination", "/XYZ"))
    assert refusal(destination) == ""
    assert refusal(packed(b"<< /Type /Catalog /OpenAction [3 0 R /Fit] /JS_count 1 >>")) == ""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_pdf"),
        (b"<html>%PDF-1.7 %%EOF", "not_a_pdf"),
        (b" %PDF-1.7\n%%EOF", "not_a_pdf"),
        (b"%PDF-1.7\n", "incomplete"),
        (b"%PDF-1.7\n%%EOF" + b" " * 1025, "incomplete"),
        (b"%PDF-1.7\n" + b" " * (20 * 1024 * 1024) + b"%%EOF", "too_large"),
    ],
)
def test_a_file_that_is_no_complete_pdf_is_refused(content: bytes, code: str) -> None:
    assert refusal(content) == code


@pytest.mark.parametrize("kind", ["JavaScript", "Launch", "SubmitForm", "ImportData", "RichMedia", "Rendition"])
def test_a_pdf_with_an_action_is_refused(kind: str) -> None:
    assert refusal(written(with_action(kind))) == "active"
    assert refusal(packed(b"<< /S /%s >>" % kind.encode())) == "active"
    assert refusal(b"%%PDF-1.7\n1 0 obj << /S/%s>> endobj\n%%%%EOF" % kind.encode()) == "active"


@pytest.mark.parametrize("name", [b"/J#61vaScript", b"/#4a#61#76#61#53cript", b"/JavaScript%", b"/JavaScript/JS(x)"])
def test_an_escaped_name_is_found(name: bytes) -> None:
    assert refusal(b"%PDF-1.7\n1 0 obj << /S " + name + b" >> endobj\n%%EOF") == "active"
    assert refusal(packed(b"<< /S " + name + b" >>")) == "active"


@pytest.mark.parametrize("name", [b"/JavaScripts", b"/Launched", b"/XLaunch"])
def test_a_name_that_only_begins_or_ends_alike_is_accepted(name: bytes) -> None:
    assert refusal(b"%PDF-1.7\n1 0 obj << /S " + name + b" >> endobj\n%%EOF") == ""


def test_a_script_in_a_false_stream_is_found() -> None:
    hidden = b"%PDF-1.7\n% stream\n1 0 obj << /S /JavaScript >> endobj\n% endstream\n%%EOF"
    assert refusal(hidden) == "active"


def test_a_pdf_with_an_attachment_is_refused() -> None:
    assert refusal(written(lambda writer: writer.add_attachment("a.exe", b"MZ"))) == "embedded"


def test_a_protected_pdf_is_refused_because_it_cannot_be_checked() -> None:
    assert refusal(written(lambda writer: writer.encrypt("", "owner", algorithm="RC4-128"))) == "encrypted"


def test_object_streams_with_another_filter_are_refused() -> None:
    assert (
        refusal(packed(b"<< >>", filtered=b"/ASCIIHexDecode", pack=lambda data: data.hex().encode())) == "unreadable"
    )


def test_a_decompression_bomb_is_refused() -> None:
    bomb = zlib.compress(b"\0" * (201 * 1024 * 1024), 9)
    content = b"%PDF-1.7\n1 0 obj << >> stream\n" + bomb + b"\nendstream endobj\n%%EOF"
    assert len(content) < 1024 * 1024
    assert refusal(content) == "bomb"


def test_many_streams_are_read_once_each() -> None:
    page = b"1 0 obj << >> stream\n" + zlib.compress(b"0 0 m" * 50) + b"\nendstream endobj\n"
    assert refusal(b"%PDF-1.7\n" + page * 20_000 + b"%%EOF") == ""
    assert refusal(b"%PDF-1.7\n" + b"stream\n" * 200_000 + b"%%EOF") == ""


@pytest.mark.django_db
def test_the_admin_explains_a_refusal_and_stores_the_file_under_a_random_name(
    client: Client, settings: Settings, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    client.force_login(User.objects.create_superuser("organisatrice"))
    event = make_event(report=False)
    path = f"/admin/registrations/event/{event.pk}/change/"
    form = client.get(path).context["adminform"].form

    def upload(content: bytes) -> Any:
        typed: dict[str, Any] = {**NO_PARTS}
        for bound in form:
            value = bound.value()
            if bound.name in {"starts_at", "ends_at"}:
                typed |= {f"{bound.name}_0": f"{value:%d/%m/%Y}", f"{bound.name}_1": f"{value:%H:%M}"}
            elif value:
                typed[bound.name] = value
        return client.post(path, {**typed, "report_file": SimpleUploadedFile("Madame Nomsecret.pdf", content)})

    refused = upload(written(with_action("JavaScript")))
    assert "Ce PDF contient un script ou une action" in refused.text
    assert upload(HARMLESS).status_code == 302
    event.refresh_from_db()
    name = str(event.report_file.name).removeprefix("reports/").removesuffix(".pdf")
    assert len(name) == 22
    assert "Nomsecret" not in name


@pytest.mark.django_db
def test_the_report_is_served_as_an_attachment_in_a_sandbox(client: Client, settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event(report=False, report_file=SimpleUploadedFile("rapport.pdf", HARMLESS))
    registration = make_registration(event)
    personal = client.get(f"/rejoindre/{registration.join_code}/rapport.pdf")
    client.force_login(User.objects.create_superuser("organisatrice"))
    for response in (personal, client.get(event.report_file.url)):
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "no-store, private" in response["Cache-Control"]
        response.close()


@pytest.mark.parametrize(
    ("url", "is_accepted"),
    [
        ("https://visio.example.net/salle", True),
        ("https://eu.zoom.example/j/1", True),
        ("https://ZOOM.example/j/1", True),
        ("https://evil.example/zoom.example", False),
        ("https://notzoom.example/", False),
        ("https://zoom.example@evil.example/", False),
        ("https://zoom.example.evil.example/", False),
        ("http://zoom.example/", False),
        ("https://[", False),
    ],
)
def test_the_room_must_be_on_a_host_of_the_setting(settings: Settings, url: str, is_accepted: bool) -> None:
    settings.ROOM_HOSTS = ["visio.example.net", "zoom.example"]
    field = Event._meta.get_field("connection_url")
    if is_accepted:
        field.run_validators(url)
    else:
        with pytest.raises(ValidationError):
            field.run_validators(url)


def test_without_room_hosts_any_https_host_is_accepted(settings: Settings) -> None:
    settings.ROOM_HOSTS = []
    Event._meta.get_field("connection_url").run_validators("https://anywhere.example/")
