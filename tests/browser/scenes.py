"""A page of the table in `tests.browser.pages`, and what several pages show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import Page

from registrations.domain import attendance, dry_runs
from registrations.models import Attendance, Delivery, Event, Registration, WorkerPresence
from tests.factories import make_event, make_past_event, make_questions, make_registration

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WORDS = "La date sera annoncée sur cette page. Merci de votre patience."
Kind = Delivery.Kind
CONFIRMATION = Kind.CONFIRMATION
LONG = "Intercommunalité-de-Saint-Quentin-en-Yvelines-et-de-ses-environs-" * 3
MESSAGE = """## Avant la séance

Bonjour {prenom} {nom}, voici **trois choses** pour le webinaire « {titre} » du {date}, {heure} :

- le [programme](https://example.org/programme) ;
- votre lien : {lien}
- [votre inscription]({mon_inscription})

> À bientôt !
"""
TYPED: dict[str, Any] = {
    "first_name": "Zoë",
    "last_name": "D’Arcy-Ó Súilleabháin",
    "email": "zoe@example.org",
    "organisation": "Ville de Nulle-Part",
    "job_title": "Cheffe de projet",
}


def stay(page: Page) -> None:
    """The page as it opens."""


@dataclass(frozen=True)
class SitePage:
    name: str
    prepare: Callable[[], str]
    act: Callable[[Page], None] = stay
    status: int = 200
    languages: tuple[str, ...] = ("fr", "en")
    admin: bool = False
    mail: bool = False


def event(**fields: Any) -> str:
    return make_event(**fields).get_absolute_url()


def registration(**fields: Any) -> Registration:
    return make_registration(make_event(**fields), language=translation.get_language())


def full_registration(question: str) -> Registration:
    made = registration(newsletter_label="Je souhaite recevoir la lettre")
    Registration.objects.filter(pk=made.pk).update(
        territory="Yvelines (78)", heard_from="Autrement", question=question, newsletter=True
    )
    return made


def asking(**fields: Any) -> Event:
    """An event with a question of each kind, all of them required."""
    event = make_event(report=False, **fields)
    make_questions(event, required=True, help_text="Répondez selon ce que vous savez.")
    return event


def answered() -> Registration:
    """Someone who has answered, once with a choice that is no longer offered."""
    event = asking()
    given = zip(event.own_questions.all(), [LONG, "Autrefois", ["Finances", "École"], "no"], strict=True)
    own_answers = {question.key: answer for question, answer in given}
    return make_registration(event, own_answers=own_answers, language=language())


def admin_page(name: str, *args: Any) -> Callable[[], str]:
    return lambda: reverse(f"admin:{name}", args=args)


def language() -> str:
    return translation.get_language() or "fr"


def someone_present() -> Registration:
    made = make_registration(make_past_event(replay_url="https://video.example.org/1"), language=language())
    attendance.note(made, Attendance.Origin.JOIN)
    made.refresh_from_db()
    return made


def a_trial(**fields: Any) -> Registration:
    return dry_runs.start(make_event(**fields), language="fr", **TYPED)


def admin_alarmed() -> str:
    """The first page of the admin when mails are late, failed, held back and broken, and no worker runs."""
    WorkerPresence.objects.all().delete()
    made = registration()
    states = [Delivery.State.PENDING, Delivery.State.FAILED, Delivery.State.HELD, Delivery.State.BROKEN]
    for revision, state in enumerate(states):
        Delivery.objects.create(
            registration=made,
            kind=Delivery.Kind.CONFIRMATION,
            revision=revision,
            state=state,
            send_at=timezone.now() - DAY,
            error="550 5.1.1 Mailbox unknown",
        )
    return reverse("admin:index")


def send_unknown_words(page: Page) -> None:
    page.locator("[name=closing_en]").fill("See you, {name}")
    page.locator("[type=submit].default").click()
