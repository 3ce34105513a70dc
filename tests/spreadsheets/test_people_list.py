"""Lists of people are read in every shape in which organisers have them; what is no list is refused in a sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from registrations.spreadsheets import names, people_columns, people_list, reader
from registrations.spreadsheets.people_list import Table
from registrations.spreadsheets.reader import FileNotUnderstood
from tests.people_lists import ALI, HEADER, ZOE, csv_of, people
from tests.spreadsheets.workbooks import ods, with_far_cells, xlsx, zipped

CASES = Path(__file__).parent / "cases"


@pytest.fixture(autouse=True)
def _in_french() -> Iterator[None]:
    with translation.override("fr"):
        yield


def only(content: bytes) -> Table:
    [table] = people_list.tables(content)
    return table


def guessed(content: bytes) -> dict[str, str]:
    """Heading by what its column is guessed to be."""
    table = only(content)
    columns = people_columns.guess(table.headings, table.lines).columns
    return {kind: table.headings[at] for at, kind in columns.items()}


def read(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Line and cells of each person of the most likely table, read as guessed."""
    found = people_list.tables(content)
    at = people_list.likely(found)
    assert at is not None
    columns = people_columns.guess(found[at].headings, found[at].lines).columns
    return [(row.line, row.cells) for row in people_list.rows(found[at], columns, {}, with_hidden=True)]


def case(name: str) -> bytes:
    return (CASES / name).read_bytes()


def person(*cells: str) -> dict[str, str]:
    return dict(zip(["last_name", "first_name", "email", "organisation", "job_title"], cells, strict=True))


ELODIE = person("Dupont", "Élodie", "elodie.dupont@example.org", "Mairie", "Chargée")


# Text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "mac_roman", "cp850"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_text_list_is_read_whatever_its_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    assert read(csv_of(HEADER, ZOE, delimiter=delimiter, encoding=encoding)) == [(2, person(*ZOE))]


def test_names_in_cyrillic_of_an_older_encoding_are_read() -> None:
    rows = [["Nom", "Mail"], ["Петров Иван", "ivan@example.org"], ["Сидорова Анна", "anna@example.org"]]
    assert [cells["last_name"] for _line, cells in read(csv_of(*rows, encoding="cp1251"))] == ["Петров", "Сидорова"]


def test_one_bad_byte_spoils_its_own_line_and_no_other_accent() -> None:
    lines = read(case("utf8_one_bad_byte.csv"))
    assert [(line, cells["last_name"], cells["first_name"]) for line, cells in lines] == [
        (2, "Dupont", "Élodie"),
        (3, "N’Guyen", "Zoë"),
        (4, "Lef\N{REPLACEMENT CHARACTER}vre", "Jean"),
    ]


def test_a_list_whose_first_line_is_a_person_loses_nobody() -> None:
    content = csv_of(ZOE, ALI)
    assert [line.number for line in only(content).lines] == [1, 2]
    assert guessed(content) == {"email": ""}


def test_a_list_with_headings_that_nobody_knows_keeps_them() -> None:
    content = csv_of(["Alpha", "Bêta"], ["Zoë", "zoe@example.org"])
    assert only(content).headings == ["Alpha", "Bêta"]
    assert guessed(content) == {"email": "Bêta"}


def test_a_line_for_excel_and_a_title_above_the_headings_are_left_out() -> None:
    assert read(b"sep=;\r\nNos inscrits;;\r\n" + csv_of(HEADER, ZOE)) == [(4, person(*ZOE))]


# Workbooks


def test_a_workbook_is_read_with_its_title_its_numbers_and_its_gaps() -> None:
    rows: list[list[Any]] = [["Nos inscrits"], [], ["N°", *HEADER], [], [1, *ZOE], [2.0, *ALI[:4], 2026]]
    assert read(xlsx({"Liste": rows})) == [(5, person(*ZOE)), (6, person(*ALI[:4], "2026"))]


def test_a_table_that_begins_in_b3_is_read() -> None:
    content = xlsx({"Liste": [HEADER, ZOE]}, at=(3, 2))
    assert read(content) == [(4, person(*ZOE))]
    assert only(content).headings == ["", *HEADER]


def test_an_open_document_is_read() -> None:
    assert read(ods([HEADER, ZOE])) == [(2, person(*ZOE))]


def test_an_old_workbook_of_excel_is_read_from_its_second_sheet() -> None:
    lines = read(case("list.xls"))
    assert lines[0] == (4, ELODIE)
    assert lines[1][1]["job_title"] == "2026"


def test_a_notice_before_the_list_does_not_hide_it() -> None:
    assert read(case("second_sheet.xlsx")) == [(2, ELODIE)]
    notice = [["Ceci est une notice"], ["Elle a deux lignes"]]
    assert read(xlsx({"Notice": notice, "Inscrits": [HEADER, ZOE]})) == [(2, person(*ZOE))]


def test_of_two_lists_none_is_chosen_unless_one_is_hidden() -> None:
    sheets = {"2025": [HEADER, ZOE], "2026": [HEADER, ALI]}
    assert people_list.likely(people_list.tables(xlsx(sheets))) is None
    with_hidden = people_list.tables(xlsx(sheets, hidden_sheets=["2025"]))
    assert [table.is_hidden for table in with_hidden] == [True, False]
    assert people_list.likely(with_hidden) == 1


def test_an_error_cell_is_the_error_and_not_an_empty_cell() -> None:
    assert read(case("error_cell.xlsx"))[0][1]["organisation"] == "#N/A"
    assert read(ods([HEADER, [*ZOE[:3], "#NOM ?", "Cheffe"]]))[0][1]["organisation"] == "#NOM ?"


@pytest.mark.parametrize(
    "content",
    [xlsx({"Liste": [HEADER, ZOE, ALI]}, hidden_rows=[3]), ods([HEADER, ZOE, ALI], filtered=[3])],
    ids=["xlsx", "ods"],
)
def test_rows_that_a_filter_hides_are_known(content: bytes) -> None:
    table = only(content)
    assert (table.knows_hidden, set(table.hidden_lines)) == (True, {3})
    columns = people_columns.guess(table.headings, table.lines).columns
    assert [row.line for row in people_list.rows(table, columns, {}, with_hidden=False)] == [2]


def test_an_old_workbook_does_not_pretend_to_know_hidden_rows() -> None:
    assert not only(case("list.xls")).knows_hidden


# Columns


@pytest.mark.parametrize(
    ("name", "email", "last_name"),
    [
        ("ms_forms_anonymous.csv", "Adresse e-mail", "Votre nom"),
        ("helloasso.csv", "Email payeur", "Nom participant"),
        ("names_0.csv", "Mail", "Nom"),
    ],
)
def test_the_lists_that_were_refused_for_their_headings_are_read(name: str, email: str, last_name: str) -> None:
    found = guessed(case(name))
    assert (found["email"], found["last_name"]) == (email, last_name)
    assert set(found) == {"last_name", "first_name", "email", "organisation", "job_title"}
    assert {**ELODIE, "last_name": read(case(name))[0][1]["last_name"]} == read(case(name))[0][1]


def test_a_name_in_one_column_is_divided() -> None:
    assert guessed(case("full_name.csv"))["last_first"] == "Nom Prénom"
    assert read(case("full_name.csv")) == [(2, {**ELODIE, "last_name": "DUPONT"})]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Prénom Nom", "first_last"),
        ("Prénom et nom", "first_last"),
        ("NOM et Prénom", "last_first"),
        ("Nom complet", "first_last"),
        ("Last name, first name", "last_first"),
    ],
)
def test_the_order_of_both_names_is_read_from_the_heading(heading: str, kind: str) -> None:
    assert guessed(csv_of([heading, "Mail"], ["Zoë Durand", "zoe@example.org"]))[kind] == heading


def test_capitals_tell_the_order_where_the_heading_does_not() -> None:
    assert "last_first" in guessed(csv_of(["Participant", "Mail"], ["DURAND Zoë", "zoe@example.org"]))


def test_a_lone_column_of_names_with_several_words_holds_both() -> None:
    assert "last_first" in guessed(csv_of(["Nom", "Mail"], ["Durand Zoë", "zoe@example.org"]))


def test_the_name_of_an_organisation_is_no_last_name() -> None:
    found = guessed(csv_of(["Nom de la structure", "Mail de contact"], ["CAF", "zoe@example.org"]))
    assert found == {"organisation": "Nom de la structure", "email": "Mail de contact"}


def test_only_well_known_headings_are_certain() -> None:
    for header, is_certain in [(HEADER, True), ([*HEADER[:4], "Votre fonction"], False)]:
        table = only(csv_of(header, ZOE))
        assert people_columns.guess(table.headings, table.lines).is_certain == is_certain


@pytest.mark.parametrize(
    ("name", "last_first", "divided"),
    [
        ("DUPONT Élodie", False, ("DUPONT", "Élodie", False)),
        ("Élodie LE GOFF", True, ("LE GOFF", "Élodie", False)),
        ("Dupont, Élodie", False, ("Dupont", "Élodie", False)),
        ("Mme Zoë Durand", False, ("Durand", "Zoë", False)),
        ("Le Goff Anne Marie", True, ("Le Goff", "Anne Marie", True)),
        ("Anne Marie Le Goff", False, ("Le Goff", "Anne Marie", True)),
        ("Zoë Durand Martin", False, ("Durand Martin", "Zoë", True)),
        ("Durand", True, ("Durand", "", False)),
        ("Durand", False, ("Durand", "", False)),
        ("ZOË DURAND", False, ("DURAND", "ZOË", False)),
        ("", True, ("", "", False)),
    ],
)
def test_whole_names_are_divided(name: str, last_first: bool, divided: tuple[str, str, bool]) -> None:
    assert names.divided(name, last_first=last_first) == divided


# What is no list


def bomb() -> bytes:
    return zipped({"xl/workbook.xml": b"\0" * (reader.MAX_INFLATED + 1)})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Ce fichier ne contient personne."),
        (csv_of(HEADER), "Ce fichier ne contient personne."),
        (xlsx({"Notice": [["Ceci est une notice"]]}), "Ce fichier ne contient personne."),
        (csv_of(HEADER, *people(5001)), "Ce fichier a plus de 5_001 lignes"),
        (b"x" * 2_000_001, "Ce fichier dépasse 2_Mo"),
        (b"PK\x03\x04" + b"x" * 2_000_001, "Ce fichier dépasse 2_Mo"),
        (b"PK\x03\x04 broken", "Ce classeur ne peut pas être lu"),
        (zipped({"word/document.xml": "<document/>"}), "Ce classeur ne peut pas être lu"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "Ce classeur ne peut pas être lu"),
        (bomb(), "Ce classeur contient trop de choses"),
        (with_far_cells(), "Ce classeur contient trop de choses"),
        (b"%PDF-1.7", "Ce n’est pas un fichier CSV mais un classeur"),
        (csv_of(HEADER, ["\0"]), "Ce fichier n’est pas du texte"),
    ],
    ids=range(13),
)
def test_a_file_that_is_no_such_list_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(FileNotUnderstood) as refused:
        people_list.tables(content)
    assert sentence in str(refused.value).replace("\u00a0", "_")


def test_an_import_of_five_thousand_is_allowed() -> None:
    assert len(only(csv_of(HEADER, *people(5000))).lines) == 5000


def test_a_long_second_sheet_does_not_refuse_the_list() -> None:
    found = people_list.tables(xlsx({"Inscrits": [HEADER, ZOE], "Codes": [[n] for n in range(5100)]}))
    assert [table.is_too_long for table in found] == [False, True]
    assert people_list.likely(found) == 0
