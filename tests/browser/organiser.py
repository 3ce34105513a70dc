"""An organiser's first event from an empty database to what became of it, with the browser alone.

`uv run python -m tests.browser.organiser` takes the pictures of the help page while it does so.
"""

import http.client
import re
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, sync_playwright

from tests import mailbox
from tests.browser.conftest import CHROMIUM, QUIET, Visitor
from tests.site import ROOT, RunningSite, wait_for

PASSWORD = "correct horse battery"
MAKE_ACCOUNT = (
    "from django.contrib.auth.models import User; "
    f"User.objects.create_superuser('organisatrice', 'organisatrice@example.org', '{PASSWORD}')"
)
PICTURES = ROOT / "static" / "img" / "guide"
WIDTH = 1100
PARIS = ZoneInfo("Europe/Paris")
BRING_NEARER = """
from datetime import timedelta
from django.db.models import F
from registrations.models import Broadcast, Delivery, Event
span = timedelta(seconds={seconds})
Event.objects.update(starts_at=F("starts_at") - span, ends_at=F("ends_at") - span)
Delivery.objects.filter(state="pending").update(send_at=F("send_at") - span)
Broadcast.objects.update(confirmed_at=F("confirmed_at") - span)
"""
SHORT_TITLE = "Partager la rue"
TITLE = "Partager la rue : premiers retours des communes"
TERRITORIES = ["Hauts-de-Seine (92)", "Val-d’Oise (95)", "Yvelines (78)"]
PEOPLE = [
    ("Aïcha", "Benali", "Mairie de Trappes", "Directrice de la cohésion sociale"),
    ("Bruno", "Le Goff", "Mairie de Chanteloup-les-Vignes", "Chargé de mission"),
    ("Chloé", "Marchand", "Communauté d’agglomération de Cergy-Pontoise", "Cheffe de projet"),
    ("David", "Nguyen", "CAF des Yvelines", "Conseiller technique"),
    ("Élise", "Fontaine", "CAF du Val-d’Oise", "Chargée de coopération"),
    ("Farid", "Haddad", "Association Les Deux Rives", "Directeur"),
    ("Gaëlle", "Petit", "Association Pas à pas", "Animatrice"),
    ("Hugo", "Roussel", "Préfecture des Hauts-de-Seine", "Délégué du préfet"),
    ("Inès", "Da Silva", "Département du Val-d’Oise", "Cheffe de service"),
    ("Jean", "Moreau", "Mairie de Gennevilliers", "Élu"),
]


class Organiser:
    """An organiser who uses the admin and shows what they see to `picture` at each step of the guide."""

    def __init__(self, visitor: Visitor, picture: Callable[[Page, str], None]) -> None:
        self.visitor, self.site, self.page, self.picture = visitor, visitor.site, visitor.page, picture

    def show(self, name: str) -> None:
        self.picture(self.page, name)

    def open(self, path: str) -> Page:
        return self.visitor.open(path)

    def open_event(self) -> Page:
        """At its home."""
        self.open("/admin/")
        self.page.get_by_role("link", name=SHORT_TITLE).first.click()
        return self.page

    def unfold(self, name: str) -> None:
        self.page.locator("details.fold > summary", has_text=name).click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def log_in(self) -> None:
        self.open("/admin/")
        self.page.locator("#id_username").fill("organisatrice")
        self.page.locator("#id_password").fill(PASSWORD)
        self.page.locator("[type=submit]").click()


def tell(organiser: Organiser) -> None:
    organiser.log_in()
    start = announce(organiser)
    try_it_out(organiser)
    publish(organiser)
    people_sign_up(organiser.site)
    change_the_room(organiser)
    cancel_one(organiser)
    the_session_takes_place(organiser.site, start)
    write_to_those_who_came(organiser)
    look_at_the_figures(organiser)
    organiser.open("/admin/")
    organiser.show("premiere-page")


def announce(organiser: Organiser) -> datetime:
    page = organiser.open("/admin/")
    organiser.follow("Nouveau webinaire")
    start = (datetime.now(PARIS) + timedelta(days=7)).replace(hour=14, minute=0, second=0, microsecond=0)
    page.locator("#id_title").fill(TITLE)
    page.locator("#id_starts_at_0").fill(f"{start:%Y-%m-%d}")
    page.locator("#id_starts_at_1").fill("14h")
    page.locator("#id_ends_at_1").fill("15h")
    page.locator("#id_description").fill("## Au programme\n\n- Trois retours d’expérience\n- Vos questions")
    page.locator("#id_connection_url").fill("https://visio.example.org/salle-bleue")
    page.locator("#id_contact_name").fill("L’équipe du Pôle")
    page.locator("#id_contact_email").fill("contact@example.org")
    organiser.show("evenement")
    organiser.unfold("Présentation")
    page.locator("#id_short_title").fill(SHORT_TITLE)
    page.locator("#id_summary").fill("Une heure pour comparer ce que cinq communes ont essayé.")
    organiser.unfold("Questions")
    page.locator("#id_territories").fill("\n".join(TERRITORIES))
    organiser.press("Enregistrer et voir")
    organiser.show("apercu")
    return start


def try_it_out(organiser: Organiser) -> None:
    """The draft is tried on oneself, and nothing of it stays."""
    page = organiser.open_event()
    organiser.follow("Essayer sur soi")
    page.locator("#id_first_name").fill("Olga")
    page.locator("#id_last_name").fill("Organisatrice")
    organiser.press("Commencer l’essai")
    wait_for(lambda: with_subject(organiser.site, "[Essai]"), "the mail on trial")
    organiser.press("Actualiser")
    organiser.show("essai")
    organiser.press("Supprimer cet essai")
    wait_for(lambda: len(with_subject(organiser.site, "[Essai]")) == 2, "the mail that takes it out of the calendar")


def publish(organiser: Organiser) -> None:
    page = organiser.open_event()
    with page.expect_navigation():
        organiser.press("Publier")


def people_sign_up(site: RunningSite) -> None:
    for number, (first_name, last_name, organisation, job_title) in enumerate(PEOPLE):
        names = {"first_name": first_name, "last_name": last_name, "email": address(number)}
        territory = TERRITORIES[number % len(TERRITORIES)]
        site.sign_up(**names, organisation=organisation, job_title=job_title, territory=territory)
    wait_for(lambda: len(to_people(site)) == len(PEOPLE), "ten confirmations")


def change_the_room(organiser: Organiser) -> None:
    page = organiser.open_event()
    organiser.follow("Page")
    page.locator("#id_connection_url").fill("https://visio.example.org/salle-verte")
    page.locator("[name=_save]").last.click()


def cancel_one(organiser: Organiser) -> None:
    page = organiser.open("/admin/registrations/registration/")
    organiser.show("inscrits")
    page.get_by_role("link", name="Hugo Roussel").click()
    organiser.press("Annuler l’inscription…")
    organiser.show("annulation")
    page.locator("#content-main [type=submit]").click()
    wait_for(lambda: len(to_people(organiser.site)) == len(PEOPLE) + 1, "the mail that tells of it")


def the_session_takes_place(site: RunningSite, start: datetime) -> None:
    """A week passes, seven people open the room, and another two hours pass."""
    time_passes(site, start - datetime.now(PARIS) + timedelta(minutes=10))
    for number in range(7):
        join(site, address(number))
    time_passes(site, timedelta(hours=2))


def write_to_those_who_came(organiser: Organiser) -> None:
    page = organiser.open_event()
    organiser.follow("Écrire un message")
    page.get_by_label("Les personnes présentes").check()
    page.locator("#id_subject").fill("Merci d’être venus")
    page.locator("#id_body").fill("Bonjour {prenom},\n\nle **compte rendu** paraîtra vendredi.")
    organiser.press("Voir ce qui sera envoyé")
    organiser.show("message")
    page.get_by_label("Saisissez le nombre de personnes").fill("7")
    organiser.press("Écrire à 7 personnes")
    time_passes(organiser.site, timedelta(minutes=3))
    wait_for(lambda: len(with_subject(organiser.site, "Merci")) == 7, "seven messages")


def look_at_the_figures(organiser: Organiser) -> None:
    page = organiser.open_event()
    organiser.follow("Bilan")
    organiser.show("bilan")
    organiser.press("Bilan (PDF)")
    made = page.get_by_role("button", name="Télécharger bilan-")
    made.wait_for(timeout=180_000)  # at low priority, beside the mails
    with page.expect_download() as download:
        made.click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")


def address(number: int) -> str:
    return f"personne{number}@example.org"


def to_people(site: RunningSite) -> list[EmailMessage]:
    return [mail for mail in site.mails() if mail["To"].startswith("personne")]


def with_subject(site: RunningSite, words: str) -> list[EmailMessage]:
    return [mail for mail in site.mails() if words in mail["Subject"]]


def join(site: RunningSite, to: str) -> None:
    """Press the button of the personal page; the room itself is elsewhere, and is not asked for."""
    link = re.search(r"/rejoindre/[\w-]+/", mailbox.text(site.mail_to(to)))
    assert link
    connection = http.client.HTTPConnection("127.0.0.1", site.port)
    connection.request("POST", link.group(), headers={"Host": site.address.removeprefix("http://")})
    assert connection.getresponse().status == 303, "the room is not open"
    connection.close()


def time_passes(site: RunningSite, span: timedelta) -> None:
    """In place of waiting, the event comes nearer."""
    seconds = int(span.total_seconds())
    site.run("shell", "--verbosity", "0", "-c", BRING_NEARER.format(seconds=seconds))


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, RunningSite(Path(data), "") as site, sync_playwright() as playwright:
        start(site)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = browser.new_context(viewport={"width": WIDTH, "height": 700})
        tell(Organiser(Visitor(context, site), lambda page, name: _save(page, name)))
        browser.close()


def start(site: RunningSite) -> None:
    """An empty database and one account; the web server and a mail worker."""
    site.env |= {"STAFF_OTP": "off", "BASE_URL": site.address}
    site.run("migrate", "--verbosity", "0")
    site.run("shell", "--verbosity", "0", "-c", MAKE_ACCOUNT)
    site.start("up", "--port", str(site.port))
    site.wait_until_it_serves()


def _save(page: Page, name: str) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")  # frames too
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
