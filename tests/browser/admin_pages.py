"""Every page of the admin in every state; pages that are declared with nothing but `pk` join by themselves."""

import re
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from registrations.domain import attendance, colleagues, retention
from registrations.mailing import reminders
from registrations.models import (
    Attendance,
    AuditEntry,
    Broadcast,
    Delivery,
    Event,
    Job,
    MailText,
    Registration,
    Suppression,
)
from registrations.security import audit
from registrations.security.roles import PER_EVENT
from tests.admin_pages import NO_PAGES, declared
from tests.browser.import_pages import (
    admin_event_act,
    admin_reported,
    choose_a_filtered_sheet,
    send_and_confirm,
    upload_a_list,
    upload_a_report,
    upload_two_sheets,
    upload_unknown_columns,
)
from tests.browser.message_pages import (
    admin_chosen,
    admin_mails_to_see,
    admin_message,
    admin_message_confirmed,
    admin_message_planned,
    admin_message_sent,
    asked_message,
    message,
    miscount,
    misspell_the_message,
)
from tests.browser.people_pages import PEOPLE_PAGES
from tests.browser.scenes import (
    DAY,
    LONG,
    MINUTE,
    SitePage,
    a_trial,
    admin_alarmed,
    admin_page,
    answered,
    asking,
    full_registration,
    registration,
    send_unknown_words,
)
from tests.factories import make_event, make_registration


def admin_colleague(page: str) -> Callable[[], str]:
    """Someone who was invited to run one webinar."""

    def prepare() -> str:
        address = f"{secrets.token_hex(4)}@example.org"
        names = {"first_name": "Inès", "last_name": LONG[:60], "email": address}
        invited = colleagues.invite(**names, role=PER_EVENT, events=[make_event()], by=1).user
        return reverse(f"admin:registrations_invitation_{page}", args=[] if page == "changelist" else [invited.pk])

    return prepare


def admin_trial() -> str:
    return reverse("admin:registrations_event_trial", args=[a_trial(status="draft").event_id])


def admin_event() -> str:
    return reverse("admin:registrations_event_change", args=[make_event().pk])


def admin_registration() -> str:
    made = full_registration("Où en est-on ?")
    Delivery.objects.create(registration=made, kind=Delivery.Kind.CONFIRMATION, revision=0)
    return reverse("admin:registrations_registration_change", args=[made.pk])


def admin_delivery() -> str:
    admin_alarmed()
    failed = Delivery.objects.filter(state=Delivery.State.FAILED).last()
    assert failed
    return reverse("admin:registrations_delivery_change", args=[failed.pk])


def admin_busy() -> str:
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


def admin_bilan(*, purged: bool = False) -> str:
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
    for summary in page.locator(".bilan summary").all():
        summary.click()


def see_every_picture(page: Page) -> None:
    """They are fetched when they come near the window."""
    for picture in page.locator(".guide img").all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    page.evaluate("scrollTo(0, 0)")


def planned(**fields: Any) -> Registration:
    """Someone who has reminders to come."""
    made = make_registration(make_event(report=False, follow_up_hours_after=24, **fields))
    Delivery.objects.bulk_create(reminders.planned(made))
    return made


def a_suppression() -> Suppression:
    return Suppression.objects.create(digest=secrets.token_hex(32))


def an_audit_entry() -> AuditEntry:
    audit.record(audit.Action.BULK_MAIL, count=1)
    return AuditEntry.objects.latest("pk")


def row(page: str, make: Callable[[], Model]) -> Callable[[], str]:
    """Django's own page of a row that is made for it."""

    def prepare() -> str:
        made = make()
        return reverse(f"admin:{made._meta.app_label}_{made._meta.model_name}_{page}", args=[made.pk])

    return prepare


def declared_pages() -> Iterator[SitePage]:
    """Each page that the admin of a model declares and that needs no other row than one of this model."""
    for name, page in declared().items():
        parameters = set(re.findall(r"<(?:\w+:)?(\w+)>", page.route))
        if name not in NO_PAGES and name.startswith("registrations_") and parameters <= {"pk"}:
            title = name.removeprefix("registrations_").replace("_", "-")
            prepare = partial(declared_path, name, has_row=bool(parameters))
            yield SitePage(f"admin-{title}", prepare, languages=("fr",), admin=True)


def declared_path(name: str, *, has_row: bool) -> str:
    someone = planned()
    row: Any = someone.event if name.startswith("registrations_event_") else someone
    row = someone.deliveries.latest("pk") if name.startswith("registrations_delivery_") else row
    return reverse(f"admin:{name}", args=[row.pk] if has_row else [])


def admin_mail_words(kind: str) -> Callable[[], str]:
    """The form of a kind of mail that has words of its own already."""

    def prepare() -> str:
        made = make_event(report=False)
        MailText.objects.create(event=made, kind=kind, language="fr", subject="À mardi", closing="Guillaume")
        return reverse("admin:registrations_event_mail_words_of", args=[made.pk, kind])

    return prepare


def admin_export_of_one_event() -> str:
    return f"{reverse('admin:registrations_registration_export')}?event__id__exact={answered().event_id}"


def admin_operation(state: str, **fields: Any) -> Callable[[], str]:
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


def admin_event_with_operations() -> str:
    admin_operation("done")()
    return reverse("admin:registrations_event_change", args=[Job.objects.latest("pk").event_id])


ADMIN_PAGES = [
    *declared_pages(),
    *PEOPLE_PAGES,
    *(
        SitePage(name, prepare, languages=("fr",), admin=True)
        for name, prepare in [
            ("admin", admin_page("index")),
            ("admin-alarmed", admin_alarmed),
            ("admin-busy", admin_busy),
            ("admin-preview", lambda: admin_page("registrations_event_preview", planned(status="draft").event_id)()),
            (
                "admin-preview-form",
                lambda: admin_page("registrations_event_preview_form", asking(status="draft").pk)(),
            ),
            ("admin-answers", lambda: admin_page("registrations_event_answers", answered().event_id)()),
            ("admin-event-questions", lambda: admin_page("registrations_event_change", asking().pk)()),
            ("admin-registration-answers", lambda: admin_page("registrations_registration_change", answered().pk)()),
            ("admin-export-answers", admin_export_of_one_event),
            ("admin-bilan-purged", lambda: admin_bilan(purged=True)),
            ("admin-bilan-empty", lambda: reverse("admin:registrations_event_figures", args=[make_event().pk])),
            ("admin-events", lambda: admin_event().partition("/event/")[0] + "/event/"),
            ("admin-event", admin_event),
            ("admin-event-new", admin_page("registrations_event_add")),
            ("admin-registrations", lambda: admin_registration().partition("/registration/")[0] + "/registration/"),
            ("admin-registration", admin_registration),
            ("admin-registration-new", admin_page("registrations_registration_add")),
            ("admin-registration-delete", row("delete", registration)),
            ("admin-event-delete", row("delete", make_event)),
            ("admin-mails", lambda: admin_delivery().partition("/delivery/")[0] + "/delivery/"),
            ("admin-mail", admin_delivery),
            ("admin-colleagues", admin_colleague("changelist")),
            ("admin-colleague", admin_colleague("colleague")),
            ("admin-colleague-again", admin_colleague("send_again")),
            ("admin-colleague-withdraw", admin_colleague("withdraw")),
            ("admin-message-plan", lambda: admin_message(message(), "plan")),
            ("admin-message-planned", admin_message_planned),
            ("admin-users", admin_page("auth_user_changelist")),
            ("admin-suppressions", admin_page("registrations_suppression_changelist")),
            ("admin-suppression", row("change", a_suppression)),
            ("admin-suppression-delete", row("delete", a_suppression)),
            ("admin-set-up-second-factor", admin_page("set_up")),
            ("admin-confirm-password", admin_page("confirm_password")),
            ("admin-audit-entry", row("change", an_audit_entry)),
            ("admin-audit-log", admin_page("registrations_auditentry_changelist")),
            ("admin-event-messages", lambda: admin_message(message()).partition("write/")[0] + "change/"),
            ("admin-write-correct", lambda: admin_message(message(), "correct_broadcast")),
            ("admin-write-chosen", admin_chosen),
            ("admin-event-mails-to-see", admin_mails_to_see),
            ("admin-message", lambda: admin_message(message())),
            (
                "admin-message-to-nobody",
                lambda: admin_message(
                    Broadcast.objects.create(event=make_event(), created_by=1, subject="S", body="B")
                ),
            ),
            ("admin-mail-words-of-confirmation", admin_mail_words("confirmation")),
            ("admin-mail-words-of-follow-up", admin_mail_words("follow_up")),
            ("admin-mail-words-of-change", admin_mail_words("changed")),
            ("admin-message-delete", lambda: admin_message(message(), "delete_broadcast")),
            ("admin-trial", admin_trial),
            ("admin-message-confirmed", admin_message_confirmed),
            ("admin-message-asked", lambda: admin_message(asked_message()[0])),
            ("admin-message-sent", admin_message_sent),
            ("admin-presences", admin_event_act("presences", starts_in=-DAY)),
            ("admin-operations", admin_page("registrations_job_changelist")),
            ("admin-operation-waiting", admin_operation("waiting")),
            ("admin-operation-under-way", admin_operation("running", done=840, worker="one")),
            (
                "admin-operation-message",
                lambda: reverse("admin:registrations_job_change", args=[asked_message()[1].pk]),
            ),
            ("admin-operation-finished", admin_operation("done", told=[["success", LONG]])),
            ("admin-operation-document", admin_operation("done", filename="feuille-emargement.pdf", document=b"%PDF")),
            ("admin-operation-stopped", admin_operation("failed", done=840, error=LONG)),
            ("admin-event-with-operations", admin_event_with_operations),
        ]
    ),
    SitePage(
        "admin-import-proposal",
        admin_event_act("registrants", capacity=2),
        act=upload_a_list,
        languages=("fr",),
        admin=True,
    ),
    SitePage("admin-presences-matches", admin_reported, act=upload_a_report, languages=("fr",), admin=True),
    *(
        SitePage(name, admin_event_act("registrants"), act=act, languages=("fr",), admin=True)
        for name, act in [
            ("admin-import-columns", upload_unknown_columns),
            ("admin-import-sheets", upload_two_sheets),
            ("admin-import-filtered", choose_a_filtered_sheet),
        ]
    ),
    SitePage("admin-write-refused", admin_event_act("write"), act=misspell_the_message, languages=("fr",), admin=True),
    SitePage(
        "admin-message-miscounted", lambda: admin_message(message()), act=miscount, languages=("fr",), admin=True
    ),
    SitePage("admin-help", admin_page("help"), act=see_every_picture, languages=("fr",), admin=True),
    SitePage("admin-bilan", admin_bilan, act=open_details, languages=("fr",), admin=True),
    SitePage(
        "admin-mail-words-refused",
        admin_mail_words("confirmation"),
        act=send_unknown_words,
        languages=("fr",),
        admin=True,
    ),
    SitePage("admin-search", lambda: f"{admin_page('search')()}?q=zoe", languages=("fr",), admin=True),
    SitePage("admin-cancel-confirm", admin_event_act("cancel"), act=send_and_confirm, languages=("fr",), admin=True),
]
