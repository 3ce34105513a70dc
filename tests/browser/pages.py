"""Every page of the site, in every state: one line each. All checks and the set of screenshots go through this table.

`prepare` runs inside the site, makes what the page shows and returns its path (in the active language); `act` is what
the visitor then does in the browser, and `status` the answer that page has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import Page

from registrations.models import Delivery, Event, Registration, WorkerPresence
from tests.factories import make_event, make_past_event, make_registration

FIRST_EVENT = "ceq-ctg-13-mai-2025"
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WORDS = "La date sera annoncée sur cette page. Merci de votre patience."
CONFIRMATION = Delivery.Kind.CONFIRMATION
LONG = "Intercommunalité-de-Saint-Quentin-en-Yvelines-et-de-ses-environs-" * 3
TYPED = {
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
    desk: bool = False
    mail: bool = False


def event(**fields: Any) -> str:
    return make_event(**fields).get_absolute_url()


def first_event() -> str:
    """The one that the demo loads: real words, past and still open."""
    Event.objects.filter(slug=FIRST_EVENT).update(status=Event.Status.PUBLISHED)
    return reverse("event", args=[FIRST_EVENT])


def form(**fields: Any) -> str:
    return reverse("sign_up", args=[make_event(**fields).slug])


def home(*events: dict[str, Any]) -> str:
    """The home page when these are the only events."""
    Event.objects.update(status=Event.Status.DRAFT)
    for fields in events:
        make_event(**fields)
    return reverse("home")


def registration(**fields: Any) -> Registration:
    return make_registration(make_event(**fields), language=translation.get_language())


def past_registration() -> Registration:
    return registration(starts_in=-30 * DAY, open_after_session=True, report=False)


def join(**fields: Any) -> str:
    return reverse("join", args=[registration(**fields).join_code])


def manage(**fields: Any) -> str:
    return reverse("manage", args=[registration(**fields).manage_code])


def full_registration(question: str) -> Registration:
    made = registration(newsletter_label="Je souhaite recevoir la lettre")
    Registration.objects.filter(pk=made.pk).update(
        territory="Yvelines (78)", heard_from="Autrement", question=question, newsletter=True
    )
    return made


def fill_in(page: Page) -> None:
    for name, value in TYPED.items():
        page.locator(f"[name={name}]").fill(value)


def send(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main [type=submit]").click()


def sign_up(page: Page) -> None:
    fill_in(page)
    send(page)


def send_without_cookies(page: Page) -> None:
    page.context.clear_cookies()
    sign_up(page)


def misspell(page: Page) -> None:
    fill_in(page)
    page.locator("[name=first_name]").fill("www.exemple.fr")
    page.locator("[name=email]").fill("zoe@exemple")
    page.locator("[name=question]").fill("Pourquoi ? " * 120)
    send(page)


def desk(name: str, *args: Any) -> Callable[[], str]:
    return lambda: reverse(f"admin:{name}", args=args)


def letter(kind: Delivery.Kind, made: Registration | None = None) -> str:
    """The HTML of a mail, as a mail program would show it."""
    delivery = Delivery.objects.create(registration=made, kind=kind, recipient="" if made else "operator@example.org")
    return f"/letter/{delivery.pk}/"


def alert() -> str:
    desk_alarmed()
    return letter(Delivery.Kind.ALERT)


def desk_event() -> str:
    return reverse("admin:registrations_event_change", args=[make_event().pk])


def desk_registration() -> str:
    made = full_registration("Où en est-on ?")
    Delivery.objects.create(registration=made, kind=Delivery.Kind.CONFIRMATION, revision=0)
    return reverse("admin:registrations_registration_change", args=[made.pk])


def desk_alarmed() -> str:
    """The first page of the desk when mails are late and have failed, and nobody works."""
    WorkerPresence.objects.all().delete()
    made = registration()
    for revision, state in enumerate([Delivery.State.PENDING, Delivery.State.FAILED]):
        Delivery.objects.create(
            registration=made,
            kind=Delivery.Kind.CONFIRMATION,
            revision=revision,
            state=state,
            due=timezone.now() - DAY,
            error="550 5.1.1 Mailbox unknown",
        )
    return reverse("admin:index")


def desk_delivery() -> str:
    desk_alarmed()
    failed = Delivery.objects.filter(state=Delivery.State.FAILED).last()
    assert failed
    return reverse("admin:registrations_delivery_change", args=[failed.pk])


def desk_deletion() -> str:
    return reverse("admin:registrations_registration_delete", args=[registration().pk])


PAGES = [
    SitePage("home-list", lambda: home({}, {"title": "Un second webinaire", "starts_in": 14 * DAY})),
    SitePage("home-one", lambda: home({})),
    SitePage("home-past", lambda: home({"starts_in": -30 * DAY}, {"starts_in": -60 * DAY})),
    SitePage("home-empty", home),
    SitePage("event-open", event),
    SitePage("event-first", first_event),
    SitePage("event-not-yet-open", lambda: event(registration_opens_at=timezone.now() + DAY)),
    SitePage("event-closed", lambda: event(registration_closes_at=timezone.now() - DAY)),
    SitePage("event-live", lambda: event(starts_in=-10 * MINUTE)),
    SitePage("event-past", lambda: make_past_event(replay_url="https://video.example.org/1").get_absolute_url()),
    SitePage("event-past-and-open", lambda: make_past_event(open_after_session=True).get_absolute_url()),
    SitePage("event-postponed", lambda: event(status="postponed", organiser_words=WORDS)),
    SitePage("event-cancelled", lambda: event(status="cancelled", organiser_words="La salle a brûlé.")),
    SitePage("event-draft", lambda: event(status="draft"), status=404),
    SitePage("event-long-words", lambda: event(title=LONG, summary=LONG, contact_name=LONG[:100])),
    SitePage("form", form),
    SitePage("form-past", lambda: form(starts_in=-30 * DAY, open_after_session=True)),
    SitePage("form-empty", form, act=send),
    SitePage("form-misspelt", form, act=misspell),
    SitePage("form-closed", lambda: form(registration_closes_at=timezone.now() - DAY)),
    SitePage("form-cancelled", lambda: form(status="cancelled")),
    SitePage("thanks", form, act=sign_up),
    SitePage("thanks-past", lambda: form(starts_in=-30 * DAY, open_after_session=True), act=sign_up),
    SitePage("thanks-forgotten", lambda: reverse("thanks", args=[make_event().slug])),
    SitePage("join-before", join),
    SitePage("join-during", lambda: join(starts_in=-5 * MINUTE, connection_notes="Code : 1234")),
    SitePage("join-without-room", lambda: join(starts_in=5 * MINUTE, connection_url="")),
    SitePage("join-after", lambda: join(starts_in=-30 * DAY, replay_url="https://video.example.org/1")),
    SitePage("join-cancelled", lambda: join(status="cancelled", organiser_words=WORDS)),
    SitePage("manage", lambda: reverse("manage", args=[full_registration("Une question ?").manage_code])),
    SitePage("manage-long-words", lambda: reverse("manage", args=[full_registration(LONG).manage_code])),
    SitePage("manage-postponed", lambda: manage(status="postponed", organiser_words=WORDS)),
    SitePage("personal-data", lambda: reverse("personal_data")),
    SitePage("accessibility", lambda: reverse("accessibility")),
    SitePage("legal-notice", lambda: reverse("legal_notice")),
    SitePage("error-400", lambda: f"{reverse('accessibility')}?get=unreadable", status=400),
    SitePage("error-403", form, act=send_without_cookies, status=403),
    SitePage("error-404", lambda: reverse("join", args=["x" * 22]), status=404),
    SitePage("error-500", lambda: f"{reverse('accessibility')}?get=defect", status=500),
    SitePage("error-503", lambda: f"{reverse('accessibility')}?get=database", status=503),
    SitePage("error-503-typed", lambda: f"{form()}?post=database", act=sign_up, status=503),
    *(
        SitePage(name, prepare, languages=languages, mail=True)
        for name, prepare, languages in [
            ("mail-confirmation", lambda: letter(CONFIRMATION, registration(report=False)), ("fr", "en")),
            ("mail-confirmation-past", lambda: letter(CONFIRMATION, past_registration()), ("fr", "en")),
            ("mail-alert", alert, ("fr",)),
        ]
    ),
    SitePage("demo-mailbox", lambda: "/outbox/", languages=("fr",)),
    SitePage("desk-login", lambda: "/admin/login/", languages=("fr",)),
    *(
        SitePage(name, prepare, languages=("fr",), desk=True)
        for name, prepare in [
            ("desk", desk("index")),
            ("desk-alarmed", desk_alarmed),
            ("desk-events", lambda: desk_event().partition("/event/")[0] + "/event/"),
            ("desk-event", desk_event),
            ("desk-event-new", desk("registrations_event_add")),
            ("desk-registrations", lambda: desk_registration().partition("/registration/")[0] + "/registration/"),
            ("desk-registration", desk_registration),
            ("desk-registration-new", desk("registrations_registration_add")),
            ("desk-registration-delete", desk_deletion),
            ("desk-mails", lambda: desk_delivery().partition("/delivery/")[0] + "/delivery/"),
            ("desk-mail", desk_delivery),
            ("desk-users", desk("auth_user_changelist")),
        ]
    ),
]
