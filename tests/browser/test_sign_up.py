"""A sign-up as a person does it: with the mouse, with the keyboard alone, on a phone, without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import mailbox
from tests.browser.conftest import Visitor
from tests.site import RunningSite

type Window = Callable[..., Visitor]

FORM = "/evenements/ceq-ctg-13-mai-2025/inscription/"
ANSWERS = {
    "Prénom": "Zoë",
    "Nom": "D’Arcy-Ó Súilleabháin",
    "Structure": "Ville de Nulle-Part",
    "Fonction": "Cheffe de projet",
}


def fill_in(page: Page, email: str) -> None:
    for label, value in ANSWERS.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Adresse électronique", exact=True).fill(email)


@pytest.mark.typesetting
@pytest.mark.parametrize(
    ("width", "scheme", "scripts"), [(1100, "light", True), (320, "dark", True), (375, "light", False)]
)
def test_from_the_first_page_to_the_mail_and_its_links(
    window: Window, demo: RunningSite, width: int, scheme: str, scripts: bool
) -> None:
    email = f"visite{width}@example.org"
    visitor = window(width=width, scheme=scheme, scripts=scripts)
    page = visitor.open("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nos webinaires")
    page.get_by_role("link", name="Quelles articulations").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Quelles articulations")
    if scripts:
        assert visitor.fits_its_window()

    page.get_by_role("link", name="Recevoir la présentation de l’étude").first.click()
    expect(page).to_have_title(re.compile("^Inscription"))
    if scripts:
        assert visitor.fits_its_window()
    fill_in(page, email)
    page.get_by_label("Département où vous travaillez (facultatif)").select_option("Yvelines (78)")
    page.get_by_label("Par un ou une collègue").check()
    page.get_by_role("button", name="Envoyer mon inscription").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")
    expect(page.locator("main")).to_contain_text(email)
    page.reload()
    expect(page.locator("main")).to_contain_text(email)

    mail = demo.mail_to(email)
    links = [link for link in mailbox.links(mailbox.text(mail)) if not link.endswith(".pdf")]
    headings = ["Les documents sont là", "Ce webinaire a eu lieu", "Cette inscription", "Données personnelles"]
    for link, heading in zip(links, headings, strict=True):
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        if scripts:
            assert visitor.fits_its_window()


def test_errors_take_the_focus_lead_to_their_field_and_keep_what_was_typed(window: Window) -> None:
    page = window(width=320).open(FORM)
    page.get_by_label("Prénom", exact=True).fill("Zoë")
    page.get_by_role("button", name="Envoyer mon inscription").click()

    expect(page).to_have_title(re.compile("^Erreur"))
    expect(page.locator("#erreurs")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("4 réponses sont à corriger avant l’envoi")
    expect(page.get_by_label("Prénom", exact=True)).to_have_value("Zoë")
    page.get_by_role("link", name="Saisissez votre adresse électronique.").click()
    expect(page.get_by_label("Adresse électronique", exact=True)).to_be_focused()
    field = page.get_by_label("Adresse électronique", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    described = (field.get_attribute("aria-describedby") or "").split()
    words = [page.locator(f"#{name}").inner_text() for name in described]
    assert any("prenom.nom@exemple.fr" in text for text in words)
    assert any("Saisissez votre adresse électronique." in text for text in words)


def test_the_keyboard_alone_is_enough_and_always_shows_where_it_is(window: Window, demo: RunningSite) -> None:
    page = window().open(FORM.removesuffix("inscription/"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(6):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"
        if page.evaluate("document.activeElement.classList.contains('button')"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Inscription"))

    page.get_by_label("Prénom", exact=True).focus()
    for value in ["Zoë", "Clavier", "clavier@example.org", "Ville", "Élue"]:
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")
    demo.mail_to("clavier@example.org")


def test_a_double_click_sends_one_form_and_back_makes_the_button_new(window: Window, demo: RunningSite) -> None:
    visitor = window()
    page = visitor.open(FORM)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    fill_in(page, "double@example.org")
    page.get_by_role("button", name="Envoyer mon inscription").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")
    assert len(posts) == 1
    page.go_back()
    expect(page.get_by_role("button", name="Envoyer mon inscription")).not_to_have_attribute("aria-disabled", "true")


def test_a_very_long_name_does_not_break_the_page(window: Window, demo: RunningSite) -> None:
    visitor = window(width=320)
    page = visitor.open(FORM)
    fill_in(page, f"{'tres-long-' * 6}@example.org")
    page.get_by_label("Prénom", exact=True).fill("W" * 100)
    page.get_by_role("button", name="Envoyer mon inscription").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")
    assert visitor.fits_its_window()
