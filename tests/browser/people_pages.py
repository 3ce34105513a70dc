"""The list of people and the page of each, in every state, with the questions before what is done to them."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from playwright.sync_api import Page

from registrations.admin_site.pages import list_path
from registrations.domain import attendance, signup
from registrations.models import Attendance, Registration
from tests.browser.scenes import CONFIRMATION, TYPED, SitePage, stay
from tests.factories import make_event, make_registration


def someone_without_a_mail() -> Registration:
    made = signup.register(make_event(report=False), language="fr", **TYPED).registration
    made.deliveries.filter(kind=CONFIRMATION).update(state="failed", error="550 5.1.1 Mailbox unknown")
    attendance.note(made, Attendance.Origin.HAND)
    return made


def person(query: str = "", **fields: Any) -> Callable[[], str]:
    def prepare() -> str:
        made = make_registration(make_event(), **fields) if fields else someone_without_a_mail()
        return reverse("admin:registrations_registration_change", args=[made.pk]) + query

    return prepare


def people(query: str = "") -> Callable[[], str]:
    """The people of one event: with a seat, waiting, cancelled, and one whose mail failed."""

    def prepare() -> str:
        event = someone_without_a_mail().event
        make_registration(event, status="waitlisted")
        make_registration(event, status="cancelled")
        return list_path(Registration, event__id__exact=event.pk) + query

    return prepare


def nobody() -> str:
    return list_path(Registration, event__id__exact=make_event().pk)


def new_person() -> str:
    return f"{reverse('admin:registrations_registration_add')}?event={make_event().pk}"


def press(action: str) -> Callable[[Page], None]:
    return lambda page: page.locator(f"[value={action}]").click()


def tick_and_press(action: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.locator("tbody [type=checkbox]").first.check()
        press(action)(page)

    return act


def save_nothing(page: Page) -> None:
    page.locator("[name=_save]").click()


PEOPLE_PAGES = [
    SitePage(name, prepare, act, languages=("fr",), admin=True)
    for name, prepare, act in [
        ("people", people(), stay),
        ("people-filtered", people("&presence=yes"), stay),
        ("people-not-found", people("&q=personne"), stay),
        ("people-none", nobody, stay),
        ("people-acts", people(), tick_and_press("more")),
        ("person", person(), stay),
        ("person-waiting", person(status="waitlisted"), stay),
        ("person-cancelled", person(status="cancelled"), stay),
        ("person-form", person("?edit=1"), stay),
        ("person-withdraw", person(), press("withdraw")),
        ("person-erase", person(), press("erase_on_request")),
        ("person-new", new_person, stay),
        ("person-new-mistakes", new_person, save_nothing),
    ]
]
KEYBOARD = {page.name for page in PEOPLE_PAGES}  # pages of the desk that are drawn here, not by Django
