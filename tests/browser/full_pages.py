"""Pages and mails of an event with everything, under a logo and a colour of the organisation's own."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from registrations.domain import attendance
from registrations.models import Attendance, Delivery, Event, Registration
from tests.browser.full_event import full_event, show_identity
from tests.browser.scenes import DAY, MINUTE, Kind, SitePage, language
from tests.factories import make_event, make_registration

VIDEO = "https://video.example.org/1"
PAST: dict[str, Any] = {"starts_in": -30 * DAY, "replay_url": VIDEO}


def everything(**fields: Any) -> Event:
    show_identity()
    return full_event(**fields)


def home() -> str:
    Event.objects.update(status=Event.Status.DRAFT)
    everything(starts_in=7 * DAY)
    make_event(title="Un second webinaire", starts_in=14 * DAY)
    make_event(title="Un troisième, à la fin du mois", starts_in=21 * DAY)
    full_event(**PAST)
    make_event(title="Sans replay", starts_in=-400 * DAY)
    return reverse("home")


def someone(**fields: Any) -> Registration:
    return make_registration(everything(**fields), language=language())


def someone_present() -> Registration:
    made = someone(**PAST)
    attendance.note(made, Attendance.Origin.JOIN)
    made.refresh_from_db()
    return made


def join(**fields: Any) -> Callable[[], str]:
    return lambda: reverse("join", args=[someone(**fields).join_code])


def letter(kind: Kind, prepare: Callable[[], Registration] = someone, reason: str = "") -> Callable[[], str]:
    def path() -> str:
        return f"/letter/{Delivery.objects.create(registration=prepare(), kind=kind, reason=reason).pk}/"

    return path


FULL_PAGES = [
    SitePage("full-event", lambda: everything().get_absolute_url()),
    SitePage("full-event-today", lambda: everything(starts_in=20 * MINUTE).get_absolute_url()),
    SitePage("full-event-past", lambda: everything(**PAST).get_absolute_url(), languages=("fr",)),
    SitePage("full-home", home),
    SitePage("full-form", lambda: reverse("sign_up", args=[everything().slug]), languages=("fr",)),
    SitePage("full-join-before", join(), languages=("fr",)),
    SitePage("full-join-during", join(starts_in=-5 * MINUTE), languages=("fr",)),
    SitePage("full-join-after", lambda: reverse("join", args=[someone_present().join_code])),
    SitePage("full-manage-after", lambda: reverse("manage", args=[someone_present().manage_code]), languages=("fr",)),
    *(
        SitePage(f"full-mail-{name}", prepare, mail=True)
        for name, prepare in [
            ("confirmation", letter(Kind.CONFIRMATION, reason="new")),
            ("reminder-day", letter(Kind.REMINDER_DAY, lambda: someone(starts_in=DAY))),
            ("reminder-hour", letter(Kind.REMINDER_HOUR, lambda: someone(starts_in=60 * MINUTE))),
            ("follow-up", letter(Kind.FOLLOW_UP, someone_present)),
        ]
    ),
]
