"""The pages of the two imports, of people and of presences, and what is uploaded on them."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.scenes import DAY, LONG
from tests.factories import make_event, make_registration
from tests.spreadsheets import workbooks

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LIST_OF_PEOPLE = """\
Nom;Prénom;Courriel;Structure;Fonction
Durand;Zoë;zoe@example.org;Ville de Nulle-Part;Cheffe de projet
Ben;Ali;ali@example.org;CAF;Conseiller
Ben;Ali;ALI@example.org;CAF;Conseiller
Martin;;lea@exemple;CAF;Conseillère
"""


REPORT = f"""\
Nom,E-mail,Arrivée,Départ,Durée (minutes)
Zoë,zoe@example.org,15/12/2026 14:00:00,15/12/2026 15:23:00,83
Ali Benn,,15/12/2026 14:00:00,15/12/2026 15:00:00,60
iPhone de quelqu’un,,15/12/2026 14:00:00,En cours,En cours
{LONG[:200]},quelquun-de-tres-tres-tres-long@communaute-de-communes-de-nulle-part.example.org,,,5
"""


def admin_event_act(slug: str, **fields: Any) -> Callable[[], str]:
    def prepare() -> str:
        made = make_registration(make_event(**fields))
        return reverse(f"admin:registrations_event_{slug}", args=[made.event_id])

    return prepare


def admin_reported() -> str:
    """An event to whose people the report above belongs."""
    event = make_event(starts_in=-DAY)
    make_registration(event, email="zoe@example.org")
    make_registration(event, first_name="Ali", last_name="Ben")
    make_registration(event, first_name=LONG[:100], last_name="Durand")
    return reverse("admin:registrations_event_presences", args=[event.pk])


def upload_a_report(page: Page) -> None:
    """Someone matched, a name nearly as on the list, and two names that match nobody."""
    page.locator("[name=report]").set_input_files(
        {"name": "participants.csv", "mimeType": "text/csv", "buffer": REPORT.encode()}
    )
    send_and_confirm(page)


def send_and_confirm(page: Page) -> None:
    with page.expect_navigation():
        page.locator("#content form [type=submit]").last.click()


def upload_unknown_columns(page: Page) -> None:
    """Headings that nobody knows, long cells, one name that may be divided in two ways, and no function."""
    lines = ["Qui;Où le joindre;Remarques", f"Le Goff Anne Marie;anne@example.org;{LONG}"]
    page.locator("[name=people]").set_input_files(
        {"name": "liste.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    )
    send_and_confirm(page)


def upload_two_sheets(page: Page) -> None:
    rows = [line.split(";") for line in LIST_OF_PEOPLE.splitlines()]
    page.locator("[name=people]").set_input_files(
        {"name": "liste.xlsx", "mimeType": XLSX, "buffer": workbooks.xlsx({"2025": rows, LONG[:30]: rows})}
    )
    send_and_confirm(page)


def choose_a_filtered_sheet(page: Page) -> None:
    rows = [line.split(";") for line in LIST_OF_PEOPLE.splitlines()]
    content = workbooks.xlsx({"Notice": [["Une notice"], ["Deux lignes"]], "Inscrits": rows}, hidden_rows=[3])
    page.locator("[name=people]").set_input_files({"name": "liste.xlsx", "mimeType": XLSX, "buffer": content})
    send_and_confirm(page)
    page.locator("#content summary").first.click()


def upload_a_list(page: Page) -> None:
    """Someone new, someone for the line, the same address again, and a line with two bad cells."""
    page.locator("[name=people]").set_input_files(
        {"name": "liste.csv", "mimeType": "text/csv", "buffer": LIST_OF_PEOPLE.encode()}
    )
    send_and_confirm(page)
