"""A registrant’s own pages as a person uses them: correct, cancel, come back, have it all erased."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests import mailbox
from tests.browser.conftest import Visitor
from tests.site import RunningSite, copied, wait_for

type Window = Callable[..., Visitor]

EVENT = """
slug = "{slug}"
status = "published"
title = "Faire vivre un réseau d’acteurs"
short_title = "Webinaire réseau"
starts_at = {starts_at}
ends_at = {ends_at}
connection_url = "https://visio.example.net/salle"
organiser_name = "Le Pôle ressources"
contact_name = "Ada Contact"
contact_email = "contact@example.org"
"""


@pytest.fixture(scope="module")
def demo(set_up_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A demo of this module's own: another event would change the first page for the others."""
    with copied(set_up_site, tmp_path_factory.mktemp("demo")) as site:
        site.start_demo()
        yield site


@pytest.fixture(scope="module")
def coming(demo: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the form of an event a week ahead."""
    return load_event(demo, tmp_path_factory.mktemp("event"), "a-venir", timezone.now() + timedelta(days=7))


def load_event(site: RunningSite, folder: Path, slug: str, starts_at: datetime) -> str:
    file = folder / "event.toml"
    ends_at = starts_at + timedelta(hours=1)
    words = EVENT.format(slug=slug, starts_at=starts_at.isoformat(), ends_at=ends_at.isoformat())
    file.write_text(words, "utf-8")
    site.run("load_event", str(file))
    return f"/evenements/{slug}/inscription/"


def sign_up(page: Page, email: str) -> None:
    for label, value in {"Prénom": "Zoë", "Nom": "Martin", "Structure": "Ville", "Fonction": "Élue"}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Adresse électronique", exact=True).fill(email)
    page.get_by_role("button", name="Envoyer mon inscription").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est enregistrée")


def unfold(page: Page, name: str) -> None:
    page.locator("summary", has_text=name).click()


def link_in(site: RunningSite, email: str, part: str) -> str:
    links = mailbox.links(mailbox.text(site.mail_to(email)))
    return next(link for link in links if part in link)


def subjects(site: RunningSite, email: str) -> list[str]:
    return [str(mail["Subject"]) for mail in site.mails() if mail["To"] == email]


@pytest.mark.parametrize(
    ("width", "scheme", "scripts"), [(1100, "light", True), (320, "dark", True), (375, "light", False)]
)
def test_one_link_corrects_cancels_brings_back_and_erases(
    window: Window, demo: RunningSite, coming: str, width: int, scheme: str, scripts: bool
) -> None:
    email = f"parcours{width}@example.org"
    visitor = window(width=width, scheme=scheme, scripts=scripts)
    page = visitor.open(coming)
    sign_up(page, email)
    mine = link_in(demo, email, "/mon-inscription/")

    page.goto(mine)
    unfold(page, "Mes réponses")
    page.get_by_role("link", name="Corriger mes réponses").click()
    page.get_by_label("Structure", exact=True).fill("Une autre ville")
    page.get_by_role("button", name="Enregistrer mes corrections").click()
    expect(page.get_by_role("status").first).to_have_text(
        "Vos corrections sont enregistrées. Un courriel le confirme."
    )
    expect(page.locator("main")).to_contain_text("Une autre ville")
    if scripts:
        assert visitor.fits_its_window()

    unfold(page, "Un empêchement")
    page.get_by_role("link", name="Annuler mon inscription").click()
    page.get_by_role("button", name="Oui, annuler mon inscription").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre inscription est annulée")
    page.get_by_role("button", name="Me réinscrire").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre place est réservée")

    unfold(page, "Mes données")
    page.get_by_role("link", name="Supprimer mes données").click()
    page.get_by_role("button", name="Oui, supprimer mes données").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Vos données sont en cours d’effacement"))
    wait_for(lambda: any("effacées" in subject for subject in subjects(demo, email)), "the last mail")


def test_a_wrong_address_is_corrected_from_the_thank_you_page(window: Window, demo: RunningSite, coming: str) -> None:
    page = window(width=375).open(coming)
    sign_up(page, "zoe.martin@gmial.com")
    expect(page.locator("main")).to_contain_text("vouliez-vous écrire gmail.com")
    page.get_by_role("link", name="Corriger mon adresse").first.click()
    expect(page.get_by_label("Adresse électronique", exact=True)).to_have_value("zoe.martin@gmail.com")
    page.get_by_role("button", name="Corriger et envoyer").click()
    expect(page.locator("main")).to_contain_text("zoe.martin@gmail.com")
    demo.mail_to("zoe.martin@gmail.com")


def test_the_link_is_received_again_with_the_keyboard_alone(window: Window, demo: RunningSite, coming: str) -> None:
    page = window().open(coming)
    sign_up(page, "clavier2@example.org")
    page.goto(demo.address + coming.replace("inscription", "renvoyer"))
    page.get_by_label("Adresse électronique", exact=True).focus()
    page.keyboard.type("clavier2@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Si une inscription existe pour cette adresse")
    wait_for(lambda: len(subjects(demo, "clavier2@example.org")) == 2, "the same mail again")


def test_nobody_is_signed_up_twice_by_a_double_click_on_any_button(
    window: Window, demo: RunningSite, coming: str
) -> None:
    page = window().open(coming)
    sign_up(page, "deux-clics@example.org")
    page.goto(link_in(demo, "deux-clics@example.org", "/mon-inscription/"))
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    unfold(page, "Mes courriels")
    page.get_by_role("button", name="Recevoir le courriel à nouveau").dblclick()
    expect(page.get_by_role("status").first).to_contain_text("Le courriel est en route")
    assert len(posts) == 1
