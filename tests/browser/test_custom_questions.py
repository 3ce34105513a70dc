"""Questions of an event's own, answered by a person: with the keyboard alone, and on a phone without JavaScript."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.test_self_service import EVENT, link_in
from tests.site import RunningSite, copied

type Window = Callable[..., Visitor]

QUESTIONS = """
[[questions]]
label = "Quels ateliers ?"
kind = "several"
choices = "Finances\\nHabitat\\nÉcole"
required = true

[[questions]]
label = "Venez-vous pour la première fois ?"
kind = "yes_no"
required = true

[[questions]]
label = "Qu’attendez-vous de la séance ?"
"""
PERSON = {"Prénom": "Zoë", "Nom": "Martin", "Structure": "Ville", "Fonction": "Élue"}


@pytest.fixture(scope="module")
def demo(set_up_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with copied(set_up_site, tmp_path_factory.mktemp("demo")) as site:
        site.start_demo()
        yield site


@pytest.fixture(scope="module")
def form(demo: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the form of an event that asks three questions of its own."""
    file: Path = tmp_path_factory.mktemp("event") / "event.toml"
    starts_at = timezone.now() + timedelta(days=7)
    ends_at = starts_at + timedelta(hours=1)
    words = EVENT.format(slug="questions", starts_at=starts_at.isoformat(), ends_at=ends_at.isoformat())
    file.write_text(words + QUESTIONS, "utf-8")
    demo.run("load_event", str(file))
    return "/evenements/questions/inscription/"


def test_on_a_phone_without_scripts_they_are_asked_kept_seen_and_corrected(
    window: Window, demo: RunningSite, form: str
) -> None:
    email = "telephone@example.org"
    page = window(width=375, scheme="dark", scripts=False).open(form)
    for label, value in PERSON.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Adresse électronique", exact=True).fill(email)
    page.get_by_label("Finances").check()
    page.get_by_label("École").check()
    page.get_by_role("group", name="Questions de l’équipe").get_by_role("textbox").fill("Comprendre")
    page.get_by_role("button", name="Envoyer mon inscription").click()

    expect(page.get_by_role("alert")).to_contain_text("Une réponse est à corriger")
    expect(page.get_by_label("École")).to_be_checked()
    page.get_by_role("link", name="Répondez à la question : Venez-vous pour la première fois ?").click()
    page.get_by_role("group", name="Venez-vous pour la première fois ?").get_by_label("Non").check()
    page.get_by_role("button", name="Envoyer mon inscription").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")

    page.goto(link_in(demo, email, "/mon-inscription/"))
    expect(page.locator("dl.answers")).to_contain_text("Finances")
    page.get_by_text("Mes réponses", exact=True).click()
    page.get_by_role("link", name="Corriger mes réponses").click()
    page.get_by_label("Finances").uncheck()
    page.get_by_role("button", name="Enregistrer mes corrections").click()
    expect(page.locator("dl.answers")).not_to_contain_text("Finances")
    expect(page.locator("dl.answers")).to_contain_text("École")


def test_the_keyboard_alone_answers_them(window: Window, demo: RunningSite, form: str) -> None:
    page = window().open(form)
    page.get_by_label("Prénom", exact=True).focus()
    for value in ["Zoë", "Clavier", "touches@example.org", "Ville"]:
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.type("Élue")
    for key in ["Tab", "Tab", "Space", "Tab", "Tab", "ArrowDown", "Tab"]:  # Habitat; no
        page.keyboard.press(key)
    page.keyboard.type("Comprendre")
    expect(page.get_by_label("Habitat")).to_be_checked()
    expect(page.get_by_label("Non", exact=True)).to_be_checked()
    page.get_by_role("button", name="Envoyer mon inscription").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")

    page.goto(link_in(demo, "touches@example.org", "/mon-inscription/"))
    for answer in ("Habitat", "Non", "Comprendre"):
        expect(page.locator("dl.answers")).to_contain_text(answer)
