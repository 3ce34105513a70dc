"""Every page of the site, in every state: one line each. All checks and the set of screenshots go through this table.

`prepare` runs inside the site, makes what the page shows and returns its path (in the active language); `act` is what
the visitor then does in the browser, and `status` the answer that page has.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import Page

from registrations.domain import attendance, broadcasts, dry_runs, retention, signup
from registrations.mailing import reminders
from registrations.models import Attendance, Broadcast, Delivery, Event, Job, Registration, WorkerPresence
from tests.factories import make_event, make_past_event, make_questions, make_registration

FIRST_EVENT = "ceq-ctg-13-mai-2025"
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WORDS = "La date sera annoncée sur cette page. Merci de votre patience."
Kind = Delivery.Kind
CONFIRMATION = Kind.CONFIRMATION
LONG = "Intercommunalité-de-Saint-Quentin-en-Yvelines-et-de-ses-environs-" * 3
LIST_OF_PEOPLE = """\
Nom;Prénom;Courriel;Structure;Fonction
Durand;Zoë;zoe@example.org;Ville de Nulle-Part;Cheffe de projet
Ben;Ali;ali@example.org;CAF;Conseiller
Ben;Ali;ALI@example.org;CAF;Conseiller
Martin;;lea@exemple;CAF;Conseillère
"""
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


def letter(kind: Delivery.Kind, made: Registration | None = None, reason: str = "") -> str:
    """The HTML of a mail, as a mail program would show it."""
    recipient = "" if made else "operator@example.org"
    delivery = Delivery.objects.create(registration=made, kind=kind, reason=reason, recipient=recipient)
    return f"/letter/{delivery.pk}/"


def letter_to(kind: Delivery.Kind, reason: str = "", status: str = "confirmed", **fields: Any) -> Callable[[], str]:
    """A mail to someone of that status, about an event of those fields."""

    def prepare() -> str:
        fields_of_event = {name.removesuffix("_of_event"): value for name, value in fields.items()}
        event = make_event(report=False, **fields_of_event)
        code = secrets.token_urlsafe(16)
        made = make_registration(
            event, language=language(), status=status, new_email="n@example.org", new_email_code=code
        )
        return letter(kind, made, reason)

    return prepare


def refused(status: int) -> str:
    """A page that only a flood, a huge body or a closed door would show: an address of the tests alone."""
    return f"{'/en' if language() == 'en' else ''}/refused/{status}/"


def language() -> str:
    return translation.get_language() or "fr"


def full(**fields: Any) -> Event:
    """An event whose only seat is taken."""
    event = make_event(capacity=1, **fields)
    make_registration(event)
    return event


def mine(page: str, status: str = "confirmed", event: Event | None = None, **fields: Any) -> str:
    """A page of someone's own registration."""
    made = make_registration(event or make_event(), language=language(), status=status, **fields)
    return reverse(page, args=[made.manage_code])


def mine_with_certificate() -> str:
    return reverse("manage", args=[someone_present().manage_code])


def someone_present() -> Registration:
    made = make_registration(make_past_event(replay_url="https://video.example.org/1"), language=language())
    attendance.note(made, Attendance.Origin.JOIN)
    made.refresh_from_db()
    return made


def new_address() -> str:
    code = secrets.token_urlsafe(16)
    make_registration(make_event(), new_email="neuve@example.org", new_email_code=code)
    return reverse("confirm_address", args=[code])


def taken_address() -> str:
    code, event = secrets.token_urlsafe(16), make_event()
    make_registration(event, email="neuve@example.org")
    make_registration(event, new_email="neuve@example.org", new_email_code=code)
    return reverse("confirm_address", args=[code])


def sign_up_with_a_slip(page: Page) -> None:
    fill_in(page)
    page.locator("[name=email]").fill("zoe@gmial.com")
    send(page)


def correct_the_address(page: Page) -> None:
    sign_up_with_a_slip(page)
    page.locator("a[href$='corriger/']").first.click()
    page.locator("[name=email]").wait_for()


def misspell_the_address(page: Page) -> None:
    page.locator("[name=email]").fill("zoe@exemple")
    send(page)


def empty_the_answers(page: Page) -> None:
    page.locator("[name=first_name]").fill("")
    send(page)


def sign_corrections(page: Page) -> None:
    page.locator("[name=organisation]").fill("Après")
    send(page)


def confirm(page: Page) -> None:
    with page.expect_navigation():
        page.locator("[name=confirm]").click()


def unfold(page: Page) -> None:
    page.locator("summary").click()


def desk_event_act(slug: str, **fields: Any) -> Callable[[], str]:
    def prepare() -> str:
        made = make_registration(make_event(**fields))
        return reverse(f"admin:registrations_event_{slug}", args=[made.event_id])

    return prepare


def send_and_confirm(page: Page) -> None:
    with page.expect_navigation():
        page.locator("#content form [type=submit]").last.click()


def upload_a_list(page: Page) -> None:
    """Someone new, someone for the line, the same address again, and a line with two bad cells."""
    page.locator("[name=people]").set_input_files(
        {"name": "liste.csv", "mimeType": "text/csv", "buffer": LIST_OF_PEOPLE.encode()}
    )
    send_and_confirm(page)


def alert() -> str:
    desk_alarmed()
    return letter(Delivery.Kind.ALERT)


def message(body: str = MESSAGE) -> Broadcast:
    """A draft to five people, one of whom reads English and one of whom has a long name."""
    written = Broadcast.objects.create(
        event=make_event(), audience="seated", subject="À propos de {titre}", body=body, created_by=1
    )
    for fields in [{}, {"language": "en"}, {"first_name": LONG[:100]}, {}, {}]:
        make_registration(written.event, territory="Yvelines (78)", **fields)
    return written


def desk_message(written: Broadcast, page: str = "broadcast") -> str:
    return reverse(f"admin:registrations_event_{page}", args=[written.event_id, written.pk])


def desk_message_confirmed() -> str:
    broadcasts.send(written := message(), count=5)
    return desk_message(written)


def asked_message() -> tuple[Broadcast, Job]:
    """Confirmed, and not yet in a worker's hands."""
    written = message()
    job = Job.objects.create(
        kind=Job.Kind.MESSAGE,
        title="À propos de l’événement",
        event=written.event,
        asked_by=1,
        permission="registrations.write_to_registrants",
        total=12000,
        mark=secrets.token_hex(8),
        parameters={"broadcast": written.pk},
        detail={"broadcast": written.pk},
    )
    return written, job


def desk_message_sent() -> str:
    broadcasts.send(written := message(), count=5)
    Broadcast.objects.filter(pk=written.pk).update(confirmed_at=timezone.now() - DAY)
    outcomes = [
        ("sent", ""),
        ("sent", ""),
        ("failed", "550 5.1.1 Mailbox unknown"),
        ("cancelled", "Inscription annulée"),
    ]
    for delivery, (state, error) in zip(written.deliveries.all(), outcomes, strict=False):
        Delivery.objects.filter(pk=delivery.pk).update(state=state, error=error)
    return desk_message(written)


def a_trial(**fields: Any) -> Registration:
    return dry_runs.start(make_event(**fields), language="fr", **TYPED)


def trial_reader() -> Registration:
    return make_registration(make_event(report=False), language=language(), is_dry_run=True)


def desk_trial() -> str:
    return reverse("admin:registrations_event_trial", args=[a_trial(status="draft").event_id])


def message_letter(kind: Delivery.Kind) -> Callable[[], str]:
    def prepare() -> str:
        made = None if kind == Kind.TRIAL else registration(report=False)
        event = made.event if made else make_event()
        written = Broadcast.objects.create(event=event, audience="seated", subject="Salle", body=MESSAGE, created_by=1)
        delivery = Delivery.objects.create(registration=made, kind=kind, broadcast=written)
        return f"/letter/{delivery.pk}/"

    return prepare


def misspell_the_message(page: Page) -> None:
    page.locator("[name=body]").fill("Bonjour {prénom}")
    send_and_confirm(page)


def miscount(page: Page) -> None:
    page.locator("[name=typed]").fill("4")
    with page.expect_navigation():
        page.locator("#content form [type=submit]").last.click()


def desk_event() -> str:
    return reverse("admin:registrations_event_change", args=[make_event().pk])


def desk_registration() -> str:
    made = full_registration("Où en est-on ?")
    Delivery.objects.create(registration=made, kind=Delivery.Kind.CONFIRMATION, revision=0)
    return reverse("admin:registrations_registration_change", args=[made.pk])


def desk_alarmed() -> str:
    """The first page of the desk when mails are late, have failed and are held back, and nobody works."""
    WorkerPresence.objects.all().delete()
    made = registration()
    for revision, state in enumerate([Delivery.State.PENDING, Delivery.State.FAILED, Delivery.State.HELD]):
        Delivery.objects.create(
            registration=made,
            kind=Delivery.Kind.CONFIRMATION,
            revision=revision,
            state=state,
            send_at=timezone.now() - DAY,
            error="550 5.1.1 Mailbox unknown",
        )
    return reverse("admin:index")


def desk_delivery() -> str:
    desk_alarmed()
    failed = Delivery.objects.filter(state=Delivery.State.FAILED).last()
    assert failed
    return reverse("admin:registrations_delivery_change", args=[failed.pk])


def desk_busy() -> str:
    """The first page with an event that many have signed up for, in the course of weeks."""
    long_ago = timezone.now() - 400 * DAY
    Event.objects.update(starts_at=long_ago, ends_at=long_ago + MINUTE)  # the table of the first page has ten lines
    made = make_event(report=False, capacity=60, starts_in=2 * DAY)
    for number in range(40):
        status = ["confirmed", "confirmed", "confirmed", "waitlisted", "cancelled"][number % 5]
        territory = ["Yvelines (78)", "Val-d’Oise (95)", "Yvelines (78)", "", LONG[:60]][number % 5]
        created_at = timezone.now() - DAY * (number % 9) * (number % 4)
        person = make_registration(made, status=status, territory=territory, created_at=created_at)
        if person.is_seated:
            Delivery.objects.bulk_create(reminders.planned(person))
    return f"{reverse('admin:index')}?event={made.pk}"


def desk_bilan(*, purged: bool = False) -> str:
    """With groups that are told and groups that are joined, and a name that no rule recognises."""
    made = make_event(report=False, starts_in=-90 * DAY, retention_months=1)
    for number in range(24):
        person = make_registration(
            made,
            organisation=["CAF des Yvelines", "Ville de Nulle-Part", LONG[:60]][number % 3],
            job_title=["Cheffe de projet", "Élue"][number % 2],
            territory=["Yvelines (78)", "Val-d’Oise (95)"][number % 2],
            created_at=made.starts_at - number * DAY,
        )
        if number % 4 > 1:
            attendance.note(person, Attendance.Origin.JOIN)
    if purged:
        retention.purge()
    return reverse("admin:registrations_event_figures", args=[made.pk])


def open_details(page: Page) -> None:
    for summary in page.locator(".desk-bilan summary").all():
        summary.click()


def see_every_picture(page: Page) -> None:
    """They are fetched when they come near the window."""
    for picture in page.locator(".desk-guide img").all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    page.evaluate("scrollTo(0, 0)")


def desk_figures(page: Page) -> None:
    page.locator(".desk-drawings summary").click()


def desk_event_page(name: str, **fields: Any) -> Callable[[], str]:
    def prepare() -> str:
        made = make_registration(make_event(report=False, follow_up_hours_after=24, **fields))
        Delivery.objects.bulk_create(reminders.planned(made))
        return reverse(f"admin:registrations_event_{name}", args=[made.event_id])

    return prepare


def desk_export_of_one_event() -> str:
    return f"{reverse('admin:registrations_registration_export')}?event__id__exact={answered().event_id}"


def desk_story() -> str:
    made = signup.register(make_event(report=False), language="fr", **TYPED).registration
    made.deliveries.filter(kind=CONFIRMATION).update(state="failed", error="550 5.1.1 Mailbox unknown")
    attendance.note(made, Attendance.Origin.HAND)
    return reverse("admin:registrations_registration_story", args=[made.pk])


def desk_operation(state: str, **fields: Any) -> Callable[[], str]:
    """An act on many people, as its page shows it."""

    def prepare() -> str:
        made = Job.objects.create(
            kind=Job.Kind.PEOPLE,
            title="Renvoyer la confirmation",
            event=make_event(report=False),
            asked_by=1,
            permission="registrations.change_registration",
            total=2000,
            state=state,
            **{"mark": secrets.token_hex(8), **fields},
        )
        return reverse("admin:registrations_job_change", args=[made.pk])

    return prepare


def desk_event_with_operations() -> str:
    desk_operation("done")()
    return reverse("admin:registrations_event_change", args=[Job.objects.latest("pk").event_id])


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
    SitePage("form-own-questions", lambda: reverse("sign_up", args=[asking().slug])),
    SitePage("form-own-questions-refused", lambda: reverse("sign_up", args=[asking().slug]), act=sign_up),
    SitePage("form-closed", lambda: form(registration_closes_at=timezone.now() - DAY)),
    SitePage("form-cancelled", lambda: form(status="cancelled")),
    SitePage("thanks", form, act=sign_up),
    SitePage("thanks-past", lambda: form(starts_in=-30 * DAY, open_after_session=True), act=sign_up),
    SitePage("event-full", lambda: full().get_absolute_url()),
    SitePage("event-full-without-a-line", lambda: full(waiting_list=False).get_absolute_url()),
    SitePage("event-live-and-full", lambda: full(starts_in=-10 * MINUTE).get_absolute_url()),
    SitePage("form-waiting-list", lambda: reverse("sign_up", args=[full().slug])),
    SitePage("form-full", lambda: reverse("sign_up", args=[full(waiting_list=False).slug])),
    SitePage("thanks-waiting-list", lambda: reverse("sign_up", args=[full().slug]), act=sign_up),
    SitePage("thanks-slip", form, act=sign_up_with_a_slip),
    SitePage("correct-address", form, act=correct_the_address),
    SitePage("resend", lambda: reverse("resend", args=[make_event().slug])),
    SitePage("resend-misspelt", lambda: reverse("resend", args=[make_event().slug]), act=misspell_the_address),
    SitePage("resend-sent", lambda: f"{reverse('resend', args=[make_event().slug])}?envoye"),
    SitePage("thanks-forgotten", lambda: reverse("thanks", args=[make_event().slug])),
    SitePage("join-before", join),
    SitePage("join-trial", lambda: reverse("join", args=[a_trial(status="draft").join_code])),
    SitePage("join-during", lambda: join(starts_in=-5 * MINUTE, connection_notes="Code : 1234")),
    SitePage("join-without-room", lambda: join(starts_in=5 * MINUTE, connection_url="")),
    SitePage("join-after", lambda: join(starts_in=-30 * DAY, replay_url="https://video.example.org/1")),
    SitePage("join-cancelled", lambda: join(status="cancelled", organiser_words=WORDS)),
    SitePage("manage", lambda: reverse("manage", args=[full_registration("Une question ?").manage_code])),
    SitePage("manage-own-answers", lambda: reverse("manage", args=[answered().manage_code])),
    SitePage("correct-own-answers", lambda: reverse("correct", args=[answered().manage_code])),
    SitePage("manage-long-words", lambda: reverse("manage", args=[full_registration(LONG).manage_code])),
    SitePage("manage-trial", lambda: reverse("manage", args=[a_trial(status="draft").manage_code])),
    SitePage("manage-postponed", lambda: manage(status="postponed", organiser_words=WORDS)),
    SitePage("manage-waiting", lambda: mine("manage", "waitlisted")),
    SitePage("manage-cancelled", lambda: mine("manage", "cancelled", cancelled_at=timezone.now())),
    SitePage("manage-new-address", lambda: mine("manage", new_email="zoe@gmial.com")),
    SitePage("manage-certificate", mine_with_certificate),
    SitePage(
        "manage-erasing",
        lambda: mine("manage", "cancelled", cancelled_at=timezone.now(), erase_by=timezone.now() + DAY),
    ),
    SitePage("correct", lambda: mine("correct")),
    SitePage("correct-empty", lambda: mine("correct"), act=empty_the_answers),
    SitePage("correct-done", lambda: mine("correct", organisation="Avant"), act=sign_corrections),
    SitePage("change-address", lambda: mine("change_address")),
    SitePage("change-address-misspelt", lambda: mine("change_address"), act=misspell_the_address),
    SitePage("confirm-address", new_address),
    SitePage("confirm-address-taken", taken_address, act=confirm),
    SitePage("withdraw", lambda: mine("withdraw")),
    SitePage("withdraw-line", lambda: mine("withdraw", "waitlisted")),
    SitePage("erase", lambda: mine("erase")),
    SitePage("not-me", lambda: mine("not_me")),
    SitePage("not-me-done", lambda: mine("not_me"), act=send),
    SitePage("certificate-search", lambda: reverse("certificates")),
    SitePage("certificate-valid", lambda: reverse("certificate_check", args=[someone_present().certificate_number])),
    SitePage("certificate-unknown", lambda: reverse("certificate_check", args=["AAAA-BBBB-CCCC"]), status=404),
    SitePage("join-overseas", join, act=unfold),
    SitePage("personal-data", lambda: reverse("personal_data")),
    SitePage("accessibility", lambda: reverse("accessibility")),
    SitePage("legal-notice", lambda: reverse("legal_notice")),
    SitePage("error-400", lambda: f"{reverse('accessibility')}?get=unreadable", status=400),
    SitePage("error-403", form, act=send_without_cookies, status=403),
    *(SitePage(f"error-{status}-refused", partial(refused, status), status=status) for status in (403, 413, 429)),
    SitePage("error-404", lambda: reverse("join", args=["x" * 22]), status=404),
    SitePage("error-500", lambda: f"{reverse('accessibility')}?get=defect", status=500),
    SitePage("error-503", lambda: f"{reverse('accessibility')}?get=database", status=503),
    SitePage("error-503-typed", lambda: f"{form()}?post=database", act=sign_up, status=503),
    *(
        SitePage(name, prepare, languages=languages, mail=True)
        for name, prepare, languages in [
            ("mail-confirmation", lambda: letter(CONFIRMATION, registration(report=False)), ("fr", "en")),
            ("mail-confirmation-past", lambda: letter(CONFIRMATION, past_registration()), ("fr", "en")),
            ("mail-confirmation-today", letter_to(CONFIRMATION, "new", starts_in=30 * MINUTE), ("fr", "en")),
            ("mail-confirmation-trial", lambda: letter(CONFIRMATION, trial_reader()), ("fr", "en")),
            ("mail-promoted", letter_to(Kind.PROMOTED, "promoted"), ("fr", "en")),
            ("mail-waiting-list", letter_to(Kind.WAITING_LIST, "new", "waitlisted"), ("fr", "en")),
            ("mail-reminder-day", letter_to(Kind.REMINDER_DAY, starts_in=DAY), ("fr", "en")),
            ("mail-reminder-hour", letter_to(Kind.REMINDER_HOUR, starts_in=60 * MINUTE), ("fr", "en")),
            ("mail-moved", letter_to(Kind.CHANGED, "moved", organiser_words=WORDS), ("fr", "en")),
            ("mail-notes", letter_to(Kind.CHANGED, "notes", connection_notes="Code : 1234"), ("fr", "en")),
            (
                "mail-postponed",
                letter_to(Kind.CHANGED, "postponed", status_of_event="postponed", organiser_words=WORDS),
                ("fr", "en"),
            ),
            (
                "mail-cancelled",
                letter_to(Kind.CANCELLED, status_of_event="cancelled", organiser_words=WORDS),
                ("fr", "en"),
            ),
            ("mail-withdrawn", letter_to(Kind.WITHDRAWN, "seat", "cancelled"), ("fr", "en")),
            ("mail-updated", letter_to(Kind.UPDATED), ("fr", "en")),
            ("mail-address-check", letter_to(Kind.ADDRESS_CHECK), ("fr", "en")),
            ("mail-address-changed", letter_to(Kind.ADDRESS_CHANGED), ("fr", "en")),
            ("mail-erased", letter_to(Kind.ERASED, "seat", "cancelled"), ("fr", "en")),
            ("mail-follow-up", lambda: letter(Kind.FOLLOW_UP, someone_present()), ("fr", "en")),
            ("mail-broadcast", message_letter(Kind.BROADCAST), ("fr", "en")),
            ("mail-trial", message_letter(Kind.TRIAL), ("fr",)),
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
            ("desk-busy", desk_busy),
            ("desk-preview", desk_event_page("preview", status="draft")),
            ("desk-preview-form", lambda: desk("registrations_event_preview_form", asking(status="draft").pk)()),
            ("desk-answers", lambda: desk("registrations_event_answers", answered().event_id)()),
            ("desk-event-questions", lambda: desk("registrations_event_change", asking().pk)()),
            ("desk-registration-answers", lambda: desk("registrations_registration_change", answered().pk)()),
            ("desk-export-answers", desk_export_of_one_event),
            ("desk-preview-mails", desk_event_page("mails")),
            ("desk-timeline", desk_event_page("timeline")),
            ("desk-duplicate", desk_event_page("duplicate")),
            ("desk-bilan-purged", lambda: desk_bilan(purged=True)),
            ("desk-bilan-empty", lambda: reverse("admin:registrations_event_figures", args=[make_event().pk])),
            ("desk-story", desk_story),
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
            ("desk-mailboxes-left-alone", desk("registrations_suppression_changelist")),
            ("desk-set-up-second-factor", desk("set_up")),
            ("desk-confirm-password", desk("confirm_password")),
            ("desk-audit-log", desk("registrations_auditentry_changelist")),
            ("desk-reschedule", desk_event_act("reschedule")),
            ("desk-postpone", desk_event_act("postpone")),
            ("desk-cancel", desk_event_act("cancel")),
            ("desk-event-messages", lambda: desk_message(message()).partition("write/")[0] + "change/"),
            ("desk-write", lambda: desk_message(message()).partition("write/")[0] + "write/"),
            ("desk-write-correct", lambda: desk_message(message(), "correct_broadcast")),
            ("desk-message", lambda: desk_message(message())),
            (
                "desk-message-to-nobody",
                lambda: desk_message(Broadcast.objects.create(event=make_event(), created_by=1)),
            ),
            ("desk-message-delete", lambda: desk_message(message(), "delete_broadcast")),
            ("desk-trial-new", desk_event_act("trial")),
            ("desk-trial", desk_trial),
            ("desk-message-confirmed", desk_message_confirmed),
            ("desk-message-asked", lambda: desk_message(asked_message()[0])),
            ("desk-message-sent", desk_message_sent),
            ("desk-presences", desk_event_act("presences", starts_in=-DAY)),
            ("desk-export", lambda: f"{desk_registration().partition('/registration/')[0]}/registration/export/"),
            ("desk-lists", desk_event_act("lists")),
            ("desk-import", desk_event_act("registrants")),
            ("desk-operations", desk("registrations_job_changelist")),
            ("desk-operation-waiting", desk_operation("waiting")),
            ("desk-operation-under-way", desk_operation("running", done=840, worker="one")),
            (
                "desk-operation-message",
                lambda: reverse("admin:registrations_job_change", args=[asked_message()[1].pk]),
            ),
            ("desk-operation-finished", desk_operation("done", told=[["success", LONG]])),
            ("desk-operation-document", desk_operation("done", filename="feuille-emargement.pdf", document=b"%PDF")),
            ("desk-operation-stopped", desk_operation("failed", done=840, error=LONG)),
            ("desk-event-with-operations", desk_event_with_operations),
        ]
    ),
    SitePage(
        "desk-import-proposal",
        desk_event_act("registrants", capacity=2),
        act=upload_a_list,
        languages=("fr",),
        desk=True,
    ),
    SitePage("desk-write-refused", desk_event_act("write"), act=misspell_the_message, languages=("fr",), desk=True),
    SitePage("desk-message-miscounted", lambda: desk_message(message()), act=miscount, languages=("fr",), desk=True),
    SitePage("desk-help", desk("help"), act=see_every_picture, languages=("fr",), desk=True),
    SitePage("desk-bilan", desk_bilan, act=open_details, languages=("fr",), desk=True),
    SitePage("desk-figures", desk_busy, act=desk_figures, languages=("fr",), desk=True),
    SitePage("desk-cancel-confirm", desk_event_act("cancel"), act=send_and_confirm, languages=("fr",), desk=True),
]
