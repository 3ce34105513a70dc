"""Which column is which in a list of people: guessed, shown, corrected on the page; a wrong guess adds nobody."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from registrations.models import Event
from tests.admin_client import EVENTS, logged_in, messages
from tests.factories import make_event
from tests.people_lists import ALI, HEADER, ZOE, csv_of
from tests.spreadsheets.workbooks import xlsx

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parents[1] / "spreadsheets" / "cases"


@pytest.fixture(autouse=True)
def _in_french() -> Iterator[None]:
    with translation.override("fr"):
        yield


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def path_of(event: Event) -> str:
    return f"{EVENTS}{event.pk}/registrants/"


def upload(client: Client, event: Event, content: bytes) -> Any:
    return client.post(path_of(event), {"people": SimpleUploadedFile("liste.csv", content)})


def added(event: Event) -> list[tuple[str, str]]:
    return list(event.registrations.order_by("pk").values_list("email", "status"))


def chosen(page: Any, **changes: str) -> dict[str, str]:
    """The fields of the page as a browser sends them, with some of them changed (by heading)."""
    form = page.context["form"]
    data = {bound.html_name: str(bound.value() or "") for bound in form if bound.value()}
    fields = {form.table.headings[int(bound.name.removeprefix("column-"))]: bound.html_name for bound in form.columns}
    data.update({fields.get(name, name): value for name, value in changes.items()})
    return {"state": page.context["state"], **data}


def read_again(client: Client, event: Event, page: Any, **changes: str) -> Any:
    return client.post(path_of(event), {**chosen(page, **changes), "again": "yes"})


def add(client: Client, event: Event, page: Any, **changes: str) -> Any:
    return client.post(path_of(event), chosen(page, **changes), follow=True)


def told(page: Any) -> str:
    return re.sub(r"\s+", " ", page.text.replace("\u00a0", " "))


@pytest.mark.parametrize(
    "name",
    ["helloasso.csv", "names_0.csv", "full_name.csv", "ms_forms_anonymous.csv", "second_sheet.xlsx", "list.xls"],
)
def test_a_list_of_another_programme_is_imported_as_it_is(organiser: Client, name: str) -> None:
    event = make_event()
    add(organiser, event, upload(organiser, event, (CASES / name).read_bytes()))
    person = event.registrations.get(email="elodie.dupont@example.org")
    assert (person.last_name.lower(), person.first_name, person.organisation) == ("dupont", "Élodie", "Mairie")
    assert person.job_title == "Chargée"


def test_columns_that_nobody_can_guess_are_chosen_on_the_page(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, csv_of(["A1", "A2", "A3", "A4", "A5"], ZOE, ALI))
    assert "La colonne « A4 » est" in told(page)
    assert "Aucune colonne n’est « Structure » : choisissez-la ci-dessous." in told(page)
    assert "Personne ne peut encore être inscrit" in told(page)
    fields = {"A1": "last_name", "A2": "first_name", "A4": "organisation", "A5": "job_title"}
    page = read_again(organiser, event, page, **fields)
    assert [row.cells["last_name"] for row in page.context["new"].rows] == ["Durand", "Ben"]
    assert added(event) == []
    add(organiser, event, page)
    assert [one.organisation for one in event.registrations.order_by("pk")] == [ZOE[3], ALI[3]]


def test_a_value_for_everyone_stands_in_for_a_column_that_is_missing(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, csv_of(HEADER[:4], ZOE[:4]))
    assert "« Fonction »" in told(page)
    page = read_again(organiser, event, page, **{"all-job_title": "Élue"})
    add(organiser, event, page)
    assert event.registrations.get().job_title == "Élue"


def test_a_column_chosen_twice_is_told_and_adds_nobody(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, csv_of([*HEADER, "Autre"], [*ZOE, "x"]))
    page = read_again(organiser, event, page, Autre="last_name")
    assert "« Nom » est choisi deux fois : gardez-en un." in told(page)
    page = add(organiser, event, page)
    assert added(event) == []


def test_a_choice_that_was_not_read_again_is_shown_before_it_adds_anybody(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, csv_of([*HEADER, "Service"], [*ZOE, "Habitat"]))
    page = add(organiser, event, page, Structure="", Service="organisation", mail="with")
    assert "Les choix ont changé" in messages(page)[0]
    assert page.context["with_mail"]
    assert added(event) == []
    add(organiser, event, page)
    assert event.registrations.get().organisation == "Habitat"


def test_of_two_sheets_with_people_the_organiser_chooses_one(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, xlsx({"2025": [HEADER, ZOE], "2026": [HEADER, ALI]}))
    assert "2026 (1 ligne)" in told(page)
    page = organiser.post(path_of(event), {"state": page.context["state"]})
    assert "2026 (1 ligne)" in told(page)
    page = organiser.post(path_of(event), {"state": page.context["state"], "sheet": "1", "again": "yes"})
    add(organiser, event, page, sheet="1")
    assert added(event) == [("ali@example.org", "confirmed")]


def test_a_hidden_sheet_is_offered_and_not_taken(organiser: Client) -> None:
    event = make_event()
    content = xlsx({"2025": [HEADER, ZOE], "2026": [HEADER, ALI]}, hidden_sheets=["2025"])
    page = upload(organiser, event, content)
    assert "2025 (masquée, 1 ligne)" in told(page)
    assert [row.cells["email"] for row in page.context["new"].rows] == ["ali@example.org"]
    page = add(organiser, event, page, sheet="0")
    assert (added(event), [row.cells["email"] for row in page.context["new"].rows]) == ([], ["zoe@example.org"])


@pytest.mark.parametrize("sheet", ["2", "-1", "²", "x", ""])
def test_a_sheet_that_is_not_there_changes_nothing(organiser: Client, sheet: str) -> None:
    event = make_event()
    page = upload(organiser, event, xlsx({"Notice": [["x"], ["y"]], "2026": [HEADER, ALI]}))
    page = organiser.post(path_of(event), {"state": page.context["state"], "sheet": sheet, "again": "yes"})
    assert [row.cells["email"] for row in page.context["new"].rows] == ["ali@example.org"]


def test_rows_that_a_filter_hides_are_told_and_left_out_until_asked_for(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, xlsx({"Liste": [HEADER, ZOE, ALI]}, hidden_rows=[3]))
    assert "1 ligne est masquée dans le fichier" in told(page)
    assert [row.cells["email"] for row in page.context["new"].rows] == ["zoe@example.org"]
    page = read_again(organiser, event, page, hidden="on")
    assert [row.cells["email"] for row in page.context["new"].rows] == ["zoe@example.org", "ali@example.org"]


def test_an_old_workbook_says_that_it_tells_neither_filters_nor_errors(organiser: Client) -> None:
    page = upload(organiser, make_event(), (CASES / "list.xls").read_bytes())
    assert "Ce type de classeur (XLS) ne dit pas quelles lignes sont masquées" in told(page)


def test_an_error_cell_is_told_and_is_no_organisation(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, (CASES / "error_cell.xlsx").read_bytes())
    assert "Ligne 2, colonne « Structure » : cette cellule contient une erreur du tableur, « #N/A »." in told(page)
    add(organiser, event, page)
    assert added(event) == []


def test_one_bad_byte_names_its_line_and_the_others_are_imported(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, (CASES / "utf8_one_bad_byte.csv").read_bytes())
    assert "Ligne 4, colonne « Nom » : « Lef�vre » contient un caractère illisible" in told(page)
    add(organiser, event, page)
    names = [(one.last_name, one.first_name) for one in event.registrations.order_by("pk")]
    assert names == [("Dupont", "Élodie"), ("N’Guyen", "Zoë")]


def test_a_name_that_may_be_divided_in_another_way_is_shown(organiser: Client) -> None:
    row = ["Le Goff Anne Marie", "anne@example.org", "CAF", "Élue"]
    page = upload(organiser, make_event(), csv_of(["Nom et prénom", *HEADER[2:]], row))
    assert "Ligne 2 : nom « Le Goff », prénom « Anne Marie »" in told(page)


@pytest.mark.parametrize(
    ("content", "is_open"),
    [
        (csv_of(HEADER, ZOE), False),
        (csv_of([*HEADER[:4], "Votre fonction"], ZOE), True),
        (xlsx({"Notice": [["x"], ["y"]], "2026": [HEADER, ZOE]}), False),
        (xlsx({"Liste": [HEADER, ZOE, ALI]}, hidden_rows=[3]), True),
        (xlsx({"2025": [HEADER, ZOE], "2026": [HEADER, ALI]}, hidden_sheets=["2025"]), True),
    ],
    ids=["well known", "guessed", "one list", "hidden rows", "hidden list"],
)
def test_the_columns_are_folded_away_only_when_nothing_is_left_to_choose(
    organiser: Client, content: bytes, is_open: bool
) -> None:
    page = upload(organiser, make_event(), content)
    assert ('<details class="card" open>' in page.text) == is_open


def test_hostile_headings_and_examples_stay_text(organiser: Client) -> None:
    page = upload(organiser, make_event(), csv_of([*HEADER, "<script>x</script>"], [*ZOE, "<script>y</script>"]))
    assert "<script>x" not in page.text
    assert "<script>y" not in page.text
    assert "&lt;script&gt;y" in page.text


def test_what_changed_in_the_event_meanwhile_is_shown_before_anybody_is_added(organiser: Client) -> None:
    event = make_event()
    page = upload(organiser, event, csv_of([*HEADER, "Territoire"], [*ZOE, event.territory_choices[0]]))
    Event.objects.filter(pk=event.pk).update(territories="Ailleurs (99)")
    page = add(organiser, event, page)
    assert added(event) == []
    assert "Les choix ont changé" in messages(page)[0]
    assert page.context["read"].faulty_lines == 1


def test_a_file_with_thousands_of_columns_offers_a_hundred(organiser: Client) -> None:
    page = upload(organiser, make_event(), csv_of([*HEADER, *["x"] * 3000], [*ZOE, *["y"] * 3000]))
    assert len(page.context["form"].columns) == 100
    assert [row.cells["email"] for row in page.context["new"].rows] == ["zoe@example.org"]
