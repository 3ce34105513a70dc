"""Names that no font can write: no certificate with boxes, and the organiser is told whose it is."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from registrations.documents import glyphs, sign_in_sheet, speakers_sheet, study_report
from registrations.models import Document, Registration
from registrations.worker.typesetter import Typesetter
from tests.admin_client import EVENTS, event_form, logged_in, messages
from tests.documents.test_certificate import make_present, path_of
from tests.factories import make_event, make_past_event, make_registration

CONFIGURATION = "<fontconfig><dir>{folder}</dir><cachedir>{folder}/cache</cachedir></fontconfig>"
KOREAN = "김민준"


@pytest.fixture(autouse=True)
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the fonts of the machine: none yet."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    configuration = tmp_path / "fonts.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder))
    monkeypatch.setenv("FONTCONFIG_FILE", str(configuration))
    return folder


def install_font(folder: Path, characters: str) -> None:
    names = [f"uni{ord(char):04X}" for char in characters]
    box = TTGlyphPen(None)
    box.moveTo((0, 0))
    box.lineTo((0, 500))
    box.lineTo((500, 0))
    box.closePath()
    font = FontBuilder(1000)
    font.setupGlyphOrder([".notdef", *names])
    font.setupCharacterMap(dict(zip(map(ord, characters), names, strict=True)))
    font.setupGlyf(dict.fromkeys([".notdef", *names], box.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Essai", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(folder / "essai.ttf")


@pytest.mark.usefixtures("with_pango")
@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("Zoë D’Arcy-Ó Súilleabháin", ""),
        ("Şükrü Đorđević Nguyễn Thị Ánh Αθηνά Ольга", ""),
        ("Zoe\u0308 e\u200dt N\u0303", ""),
        ("Zoë 김민준 김", KOREAN),
        ("王小明", "王小明"),
        ("Zoë 🌻\ufe0f", "🌻"),
    ],
)
def test_characters_without_a_font_are_found(text: str, boxes: str) -> None:
    assert glyphs.missing(text) == boxes


@pytest.mark.usefixtures("with_pango")
def test_a_font_that_is_installed_is_seen_at_once(fonts: Path) -> None:
    assert glyphs.missing(KOREAN) == KOREAN
    install_font(fonts, "김민")
    assert glyphs.missing(KOREAN) == "준"
    assert glyphs.without_glyphs(["Zoë", "김민", "김민준"]) == ["김민준"]


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_a_certificate_with_boxes_is_not_made(client: Client) -> None:
    registration = make_present(last_name=KOREAN)
    assert client.get(path_of(registration)).status_code == 202
    Typesetter("w").work()
    page = client.get(path_of(registration))
    assert page.status_code == 200
    assert "Retry-After" not in page
    assert f"Ce site n’a pas de police pour <bdi>{KOREAN}</bdi>" in page.text
    assert "L’équipe voit votre nom" in page.text
    assert bytes(Document.objects.get().content) == b""


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_who_asks_often_for_a_certificate_with_boxes_keeps_no_web_thread_busy(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fonts are looked through by the worker alone, once, and the limit counts before."""
    looked: list[str] = []

    def missing(text: str) -> str:
        looked.append(text)
        return KOREAN

    monkeypatch.setattr(glyphs, "missing", missing)
    registration = make_present(last_name=KOREAN)
    for _ in range(3):
        client.get(path_of(registration))
    assert looked == []
    Typesetter("w").work()
    for _ in range(30):
        assert client.get(path_of(registration)).status_code == 200
    Typesetter("w").work()
    assert len(looked) == 1
    for number in range(12):  # another name each time
        Registration.objects.update(last_name=f"{KOREAN}{number}")
        status = client.get(path_of(registration)).status_code
        Typesetter("w").work()
    assert status == 429


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_one_name_without_a_font_keeps_no_other_certificate_from_being_made(client: Client) -> None:
    refused, made = make_present(last_name=KOREAN), make_present(last_name="D’Arcy")
    for registration in (refused, made):
        client.get(path_of(registration))
    Typesetter("w").work()
    assert client.get(path_of(made))["Content-Type"] == "application/pdf"
    Document.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    assert client.get(path_of(refused)).status_code == 202  # a font may have come: it is tried again


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_once_a_font_is_there_the_certificate_is_made(client: Client, fonts: Path) -> None:
    registration = make_present(last_name=KOREAN)
    install_font(fonts, KOREAN)
    assert client.get(path_of(registration)).status_code == 202


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_the_form_of_the_event_names_those_who_get_no_certificate() -> None:
    event = make_past_event()
    make_present(event, first_name="Zoë", last_name="D’Arcy")
    make_present(event, first_name="Ann", last_name=KOREAN)
    page = logged_in().get(f"{EVENTS}{event.pk}/change/").text
    assert f"Pas d’attestation pour 1 nom, qu’aucune police du serveur n’écrit\u00a0: Ann {KOREAN}." in page
    assert glyphs.PACKAGES in page


BOXES = f"Aucune police du serveur n’écrit «\u00a0{KOREAN}\u00a0»\u00a0: le document montre des carrés à la place."


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
@pytest.mark.parametrize("field", ["last_name", "first_name", "organisation", "question", "territory"])
def test_the_page_of_the_sheets_says_what_they_will_print_as_boxes(field: str) -> None:
    event = make_event(report=False)
    make_registration(event, **{"question": "Combien\u00a0?", field: f"Zoë {KOREAN}"})
    make_registration(event, question=KOREAN, last_name=KOREAN, status="cancelled")
    page = logged_in().get(f"{EVENTS}{event.pk}/lists/").text
    assert page.count(BOXES) == 1
    of_questions, of_names = page.split("<h2>Feuille d’émargement</h2>")
    assert BOXES in (of_questions if field in {"question", "territory"} else of_names)


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_a_sheet_that_the_fonts_can_write_is_offered_without_a_word(fonts: Path) -> None:
    event = make_event(report=False)
    make_registration(event, last_name=KOREAN, first_name="Ольга", question="Où, «\u00a0œ\u00a0»…\u00a0?")
    install_font(fonts, KOREAN)
    assert "Aucune police" not in logged_in().get(f"{EVENTS}{event.pk}/lists/").text


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_the_page_of_the_figures_says_what_their_document_will_print_as_boxes() -> None:
    organiser = logged_in()
    for fields in ({"title": f"Titre {KOREAN}"}, {"territories": f"{KOREAN}\nYvelines (78)"}):
        event = make_past_event(report=False, **fields)
        for _ in range(6):
            make_registration(event, territory=event.territories.split("\n")[0])
        assert BOXES in organiser.get(f"{EVENTS}{event.pk}/figures/").text
    assert "Aucune police" not in organiser.get(f"{EVENTS}{make_past_event().pk}/figures/").text


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
@pytest.mark.parametrize("text", [KOREAN, "Αθηνά"])  # Greek letters are in the fonts of names only
def test_who_saves_sections_is_told_what_the_presentation_will_print_as_boxes(text: str) -> None:
    organiser, event = logged_in(), make_event()
    address = f"{EVENTS}{event.pk}/change/"
    assert [words for words in messages(save(organiser, address)) if "police" in words] == []
    section = {"TOTAL_FORMS": "1", "0-event": str(event.pk), "0-position": "2", "0-heading": "Suite", "0-body": text}
    told = messages(save(organiser, address, **{f"report_sections-{name}": value for name, value in section.items()}))
    [words] = [words for words in told if "police" in words]
    boxes = "".join(dict.fromkeys(text))
    assert words.startswith(f"Présentation de l’étude_: Aucune police du serveur n’écrit «_{boxes}_»")
    event.report_file.name = "rapport.pdf"
    assert study_report.glyph_warning(event) == ""


def save(organiser: Client, address: str, **typed: str) -> Any:
    return organiser.post(address, {**event_form(organiser, address), **typed}, follow=True)


@pytest.mark.django_db
def test_names_from_right_to_left_keep_to_their_column_on_a_sheet() -> None:
    event = make_event(report=False)
    make_registration(event, last_name="عربي", organisation="\u202eVille", question="سؤال")
    sheet = sign_in_sheet.typeset_html(event)
    for text in ("عربي", "Zoë", "\u202eVille"):
        assert f"<bdi>{text}</bdi>" in sheet
    assert "<bdi>سؤال</bdi>" in speakers_sheet.typeset_html(event, with_territory=False)


@pytest.mark.django_db
def test_nothing_is_said_of_fonts_where_no_document_is_made(without_pango: None) -> None:
    assert glyphs.missing(KOREAN) == ""
