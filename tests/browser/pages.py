"""Every page of the site, in every state: one line each. All checks and the set of screenshots go through this table.

`prepare` runs inside the site, makes what the page shows and returns its path (in the active language); `act` is what
the visitor then does in the browser, and `status` the answer that page has.
"""

import secrets
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from registrations.documents import on_demand
from registrations.models import Document, Event, Registration
from registrations.runtime import pango
from tests.browser.admin_pages import ADMIN_PAGES
from tests.browser.full_pages import FULL_PAGES
from tests.browser.identity_pages import IDENTITY_PAGES
from tests.browser.mail_pages import MAIL_PAGES
from tests.browser.scenes import (
    DAY,
    LONG,
    MINUTE,
    TYPED,
    WORDS,
    SitePage,
    a_trial,
    answered,
    asking,
    event,
    full_registration,
    language,
    registration,
    someone_present,
)
from tests.factories import make_event, make_past_event, make_registration

VIDEO = "https://video.example.org/1"
OPEN: dict[str, Any] = {"starts_in": -400 * DAY, "open_after_session": True}
FIRST_EVENT = "ceq-ctg-13-mai-2025"


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


def join(**fields: Any) -> str:
    return reverse("join", args=[registration(**fields).join_code])


def manage(**fields: Any) -> str:
    return reverse("manage", args=[registration(**fields).manage_code])


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


def press_without_cookies(page: Page) -> None:
    page.context.clear_cookies()
    send(page)


def misspell(page: Page) -> None:
    fill_in(page)
    page.locator("[name=first_name]").fill("www.exemple.fr")
    page.locator("[name=email]").fill("zoe@exemple")
    page.locator("[name=question]").fill("Pourquoi ? " * 120)
    send(page)


def refused(status: int) -> str:
    """A page that only a flood, a huge body or a refused permission would show: an address of the tests alone."""
    return f"{'/en' if language() == 'en' else ''}/refused/{status}/"


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
    page.locator("summary").first.click()


def unfold_all(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()


def stay_on_it(page: Page) -> None:
    """The page would load itself again."""
    page.evaluate("stop()")


def certificate_without_font() -> str:
    """For somebody with a letter that is in no font yet: Tai Yo, of Unicode 17."""
    registration = someone_present()
    Registration.objects.filter(pk=registration.pk).update(last_name="\U0001e6c0")
    registration.refresh_from_db()
    asked = on_demand.ask(registration)
    Document.objects.filter(pk=asked.pk).update(without_font="\U0001e6c0", made_at=timezone.now())
    return reverse("certificate", args=[registration.manage_code])


PAGES = [
    SitePage("home-list", lambda: home({}, {"title": "Un second webinaire", "starts_in": 14 * DAY})),
    SitePage("home-one", lambda: home({})),
    SitePage("home-past", lambda: home({"starts_in": -30 * DAY}, {"starts_in": -60 * DAY})),
    SitePage(
        "home-full", lambda: home({}, {"starts_in": 14 * DAY}, {"starts_in": -30 * DAY, "replay_url": VIDEO}, OPEN)
    ),
    SitePage("event-calendars", event, act=unfold),
    SitePage("home-empty", home),
    SitePage("event-open", event),
    SitePage("event-first", first_event),
    SitePage("event-tomorrow", lambda: event(starts_in=DAY)),
    SitePage("event-today", lambda: event(starts_in=20 * MINUTE)),
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
    SitePage("thanks-last-hour", lambda: form(starts_in=27 * MINUTE), act=sign_up),
    SitePage("thanks-during", lambda: form(starts_in=-10 * MINUTE, connection_notes="Code : 1234"), act=sign_up),
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
    SitePage("join-soon", lambda: join(starts_in=27 * MINUTE)),
    SitePage("join-trial", lambda: reverse("join", args=[a_trial(status="draft").join_code])),
    SitePage("join-during", lambda: join(starts_in=-5 * MINUTE, connection_notes="Code : 1234")),
    SitePage("join-without-room", lambda: join(starts_in=5 * MINUTE, connection_url="")),
    SitePage("join-after", lambda: join(starts_in=-30 * DAY, replay_url=VIDEO)),
    SitePage("join-after-with-certificate", lambda: reverse("join", args=[someone_present().join_code])),
    SitePage("join-cancelled", lambda: join(status="cancelled", organiser_words=WORDS)),
    SitePage("manage", lambda: reverse("manage", args=[full_registration("Une question ?").manage_code])),
    SitePage("manage-own-answers", lambda: reverse("manage", args=[answered().manage_code])),
    SitePage("correct-own-answers", lambda: reverse("correct", args=[answered().manage_code])),
    SitePage("manage-long-words", lambda: reverse("manage", args=[full_registration(LONG).manage_code])),
    SitePage("manage-trial", lambda: reverse("manage", args=[a_trial(status="draft").manage_code])),
    SitePage("manage-postponed", lambda: manage(status="postponed", organiser_words=WORDS)),
    SitePage("manage-unfolded", manage, act=unfold_all),
    SitePage("manage-during", lambda: manage(starts_in=-5 * MINUTE)),
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
    SitePage("stop-messages", lambda: mine("stop_messages")),
    SitePage("stop-messages-done", lambda: mine("stop_messages"), act=send),
    SitePage("not-me", lambda: mine("not_me")),
    SitePage("not-me-done", lambda: mine("not_me"), act=send),
    SitePage("certificate-search", lambda: reverse("certificates")),
    SitePage("certificate-valid", lambda: reverse("certificate_check", args=[someone_present().certificate_number])),
    SitePage("certificate-unknown", lambda: reverse("certificate_check", args=["AAAA-BBBB-CCCC"]), status=404),
    SitePage("certificate-without-font", certificate_without_font),
    SitePage(
        "certificate-waiting",
        lambda: reverse("certificate", args=[someone_present().manage_code]),
        act=stay_on_it,
        status=202 if pango.is_installed() else 503,
    ),
    SitePage("join-overseas", join, act=unfold),
    SitePage("personal-data", lambda: reverse("personal_data")),
    SitePage("accessibility", lambda: reverse("accessibility")),
    SitePage("legal-notice", lambda: reverse("legal_notice")),
    SitePage("error-400", lambda: f"{reverse('accessibility')}?get=unreadable", status=400),
    SitePage("error-403", form, act=send_without_cookies, status=403),
    SitePage("error-403-kept", lambda: mine("withdraw"), act=press_without_cookies, status=403),
    *(SitePage(f"error-{status}-refused", partial(refused, status), status=status) for status in (403, 413, 429, 507)),
    SitePage("error-404", lambda: reverse("join", args=["x" * 22]), status=404),
    SitePage("error-500", lambda: f"{reverse('accessibility')}?get=defect", status=500),
    SitePage("error-503", lambda: f"{reverse('accessibility')}?get=database", status=503),
    SitePage("error-503-typed", lambda: f"{form()}?post=database", act=sign_up, status=503),
    SitePage("demo-mailbox", lambda: "/outbox/", languages=("fr",)),
    SitePage("admin-login", lambda: "/admin/login/", languages=("fr",)),
    *FULL_PAGES,
    *MAIL_PAGES,
    *ADMIN_PAGES,
    *IDENTITY_PAGES,
]
