"""The parts of an event's form: the essentials, then folds by subject, each with a line that says what is set."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.imports import attendance, people
from registrations.admin.people import exports
from registrations.models import Event
from registrations.models.mail_kinds import HOUR_FIELDS, WORD_FIELDS
from registrations.text import dates, hour_of_day, time_zones, typography

DATES = ["starts_at", "ends_at"]
ESSENTIALS: list[Any] = ["title", DATES, "description", "connection_url", ["contact_name", "contact_email"]]


def _presentation(event: Event) -> list[str]:
    return [_("Organised by %(name)s") % {"name": event.organiser_name}, time_zones.spoken(event.timezone)]


def _sign_up(event: Event) -> list[str]:
    closes = event.registration_closes_at
    if closes:
        until = _("Open until %(day)s") % {"day": dates.day(closes, event, weekday=False)}
    else:
        until = _("Open until the end of the session")
    if event.capacity is None:
        return [until, _("no limit of seats")]
    seats = ngettext("%(count)s seat", "%(count)s seats", event.capacity) % {"count": event.capacity}
    return [until, seats, _("with a waiting list") if event.waiting_list else _("without a waiting list")]


def _questions(event: Event) -> list[str]:
    asked = [
        event.territories and _("territory"),
        event.origins and _("how they heard of it"),
        event.newsletter_label and _("newsletter"),
    ]
    own = event.own_question_count if event.pk else 0
    words = ngettext("%(count)s question of your own", "%(count)s questions of your own", own) % {"count": own}
    return [", ".join(filter(None, asked)) or _("Name, address, organisation, function"), words if own else ""]


def _room(event: Event) -> list[str]:
    minutes = {"before": event.room_opens_minutes_before, "after": event.room_stays_open_minutes_after}
    return [
        _("Opens %(before)s min before, closes %(after)s min after") % minutes,
        _("with a note on the connection") if event.connection_notes else _("no note on the connection"),
    ]


def _mails(event: Event) -> list[str]:
    day, minutes, follow_up = event.reminder_day_time, event.reminder_minutes_before, event.follow_up_hours_after
    days = event.reminder_days_before
    first = ngettext("reminder %(count)s day before at %(hour)s", "reminder %(count)s days before at %(hour)s", days)
    return [
        first % {"count": days, "hour": hour_of_day.spoken(day)} if day else "",
        _("reminder %(count)s min before") % {"count": minutes} if minutes else "",
        _("follow-up %(count)s h after") % {"count": follow_up} if follow_up is not None else _("no follow-up"),
    ]


def _documents(event: Event) -> list[str]:
    count = event.document_count if event.pk else 0
    return [
        ngettext("%(count)s document", "%(count)s documents", count) % {"count": count} if count else "",
        _("A finished PDF") if event.report_file else (event.report_title or _("No report")),
        _("with the recording") if event.replay_url else _("recording to be added after the session"),
    ]


def _data(event: Event) -> list[str]:
    count = event.retention_months
    return [ngettext("Erased %(count)s month after", "Erased %(count)s months after", count) % {"count": count}]


class Fold(NamedTuple):
    title: Any
    fields: list[Any]
    says: Callable[[Event], list[str]]
    description: Any = ""
    inlines: tuple[str, ...] = ()  # prefixes of the formsets that belong here

    def summary(self, event: Event) -> str:
        """What is set, in one line."""
        words = " ; ".join(filter(None, self.says(event)))
        return words[:1].upper() + words[1:]


@admin.display(description=gettext_lazy("link for other sites"))
def link_for_other_sites(event: Event) -> str:
    """HTML to paste into other sites, shown as text."""
    if not (event.pk and event.slug) or event.status == Event.Status.DRAFT:
        return str(_("Here, once the event is published."))
    words = _("Sign up for the webinar: %(title)s") % {"title": typography.french(event.title)}
    link = format_html('<a href="{}{}">{}</a>', settings.BASE_URL, reverse("sign_up", args=[event.slug]), words)
    field = '<textarea class="vLargeTextField" rows="3" readonly aria-label="{}">{}</textarea>'
    return format_html(
        f'{field}<div class="help">{{}}</div>',
        _("link for other sites"),
        escape(link),
        _("To paste on your site or into a newsletter: a plain link, without script or frame."),
    )


def _english(event: Event) -> list[str]:
    if not event.title_en:
        return [_("French texts are shown on the English pages")]
    return ["" if event.description_en else _("no description yet"), event.title_en]


LISTS: list[Any] = [attendance.presences, people.registrants, exports.lists]
PRESENTATION: Any = ["summary", ["short_title", "slug"], "organiser_name", "timezone", "status", "organiser_words"]
SIGN_UP: Any = [
    ["capacity", "waiting_list"],
    "registration_opens_at",
    "registration_closes_at",
    "open_after_session",
    link_for_other_sites,
]
ROOM = ["connection_notes", ["room_opens_minutes_before", "room_stays_open_minutes_after"]]
ENGLISH = [
    "title_en",
    "short_title_en",
    "summary_en",
    "description_en",
    "origins_en",
    "newsletter_label_en",
    "connection_notes_en",
    "organiser_words_en",
    "follow_up_present_en",
    "follow_up_absent_en",
]
FOLDS = [
    Fold(gettext_lazy("Presentation"), PRESENTATION, _presentation),
    Fold(gettext_lazy("Sign-up"), SIGN_UP, _sign_up),
    Fold(
        gettext_lazy("Questions"),
        ["territories", "origins", "newsletter_label"],
        _questions,
        inlines=("own_questions",),
    ),
    Fold(gettext_lazy("The room"), ROOM, _room),
    Fold(
        gettext_lazy("Mails"),
        [*HOUR_FIELDS, *WORD_FIELDS],
        _mails,
        gettext_lazy("These mails leave by themselves; those that wait follow what is changed here."),
    ),
    Fold(
        gettext_lazy("Documents"),
        ["replay_url", "report_file", "report_title", "report_subtitle", "report_authors"],
        _documents,
        gettext_lazy("Without a finished PDF, the sections below are typeset as a presentation."),
        inlines=("documents", "report_sections"),
    ),
    Fold(
        gettext_lazy("In English"),
        ENGLISH,
        _english,
        gettext_lazy(
            "What visitors read on the English pages and in English mails. Where nothing is written, they read the "
            "French text, and the page says so. Programme, speakers, documents and questions have their English words "
            "beside the French ones."
        ),
    ),
    Fold(gettext_lazy("Personal data"), ["retention_months"], _data),
    Fold(gettext_lazy("Lists"), LISTS, lambda event: []),
]


class Part:
    """A fold with its fields and formsets, for the template."""

    template: ClassVar[str] = "admin/fields.html"

    def __init__(self, fold: Fold, fieldset: Any, inlines: list[Any], event: Event) -> None:
        self.title, self.fieldset, self.inlines = fold.title, fieldset, inlines
        self.summary = fold.summary(event)

    @property
    def is_open(self) -> bool:
        """By itself when an answer inside is wrong."""
        rows = any(field.errors() for line in self.fieldset for field in line if not field.is_readonly)
        return rows or any(inline.formset.total_error_count() for inline in self.inlines)


def fieldsets(*, told_elsewhere: bool, zone: str) -> Any:
    """For ModelAdmin: the essentials, then a fieldset for each fold.

    `told_elsewhere`: people are on the list, and date, state and words are changed by buttons. `zone`: the name of
    the field that shows the time zone.
    """
    words = _(
        "People are on the list: date, state, words and the note on the connection are changed in the tab “Settings”, "
        "so that they learn of it."
    )
    essentials = (_("Essentials"), {"fields": ESSENTIALS, "description": words if told_elsewhere else ""})
    folds = [(fold.title, {"fields": fold.fields, "description": fold.description}) for fold in FOLDS]
    name, options = folds[0]
    return [
        essentials,
        (name, {**options, "fields": [zone if field == "timezone" else field for field in options["fields"]]}),
        *folds[1:],
    ]


def note_rows(event: Event, formsets: list[Any]) -> None:
    """How many rows the formsets have read, so that nothing counts them again."""
    found = {inline.formset.prefix: inline.formset.initial_form_count() for inline in formsets}
    if "own_questions" in found:
        event.own_question_count = found["own_questions"]
    if "documents" in found:
        event.document_count = found["documents"]


def of_form(adminform: Any, formsets: list[Any], event: Event) -> tuple[Any, list[Part]]:
    """The essentials, and the folds in their order, as the template shows them."""
    essentials, *others = list(adminform)
    by_prefix = {inline.formset.prefix: inline for inline in formsets}
    return essentials, [
        Part(fold, fieldset, [by_prefix[name] for name in fold.inlines if name in by_prefix], event)
        for fold, fieldset in zip(FOLDS, others, strict=True)
    ]
