"""The list of events, and the form of each with its questions and report sections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminFileWidget
from django.db import transaction
from django.db.models import (
    Count,
    DateTimeField,
    EmailField,
    FileField,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    TimeField,
    URLField,
)
from django.db.models.functions import Coalesce
from django.forms import Textarea, URLInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registrations.admin.events import (
    changes,
    deletion,
    documents,
    dry_runs,
    duplication,
    figures,
    home,
    mail_words,
    mails_tab,
    page_parts,
    parts,
    previews,
    text_preview,
)
from registrations.admin.events.forms import EventForm, defaults, examined, zone_of
from registrations.admin.imports import attendance, people
from registrations.admin.messages import broadcasts
from registrations.admin.people import custom_questions, exports
from registrations.admin.people.actions import tell_of_promoted, too_few_seats
from registrations.admin.shared.fields import SUGGESTED_HOURS, HourField, HourInput, MomentField, MomentWidget
from registrations.admin.shared.mistakes import mistakes
from registrations.admin.shared.model_admin import WebinarModelAdmin
from registrations.admin_site.pages import list_path
from registrations.admin_site.steps import event_path
from registrations.documents import glyphs, study_report
from registrations.domain import event_changes, waiting_list
from registrations.mailing import reminders
from registrations.models import Event, Registration, ReportSection
from registrations.models.mail_kinds import RESCHEDULED_BY
from registrations.text import dates, email_typos, hour_of_day, time_zones
from registrations.views import reading
from registrations.web.fields import AddressField

CHANGED_BY_BUTTONS = [
    "status",
    "starts_at",
    "ends_at",
    "timezone",
    "organiser_words",
    "organiser_words_en",
    "connection_notes",
    "connection_notes_en",
]
IN_CALENDARS = {"starts_at", "ends_at", "status"}

LINKS: dict[Any, str] = {
    attendance.presences: attendance.PERMISSION,
    people.registrants: people.PERMISSION,
    exports.lists: exports.PERMISSION,
}

COUNTED = {"confirmed": Registration.Status.CONFIRMED, "waiting": Registration.Status.WAITLISTED}


class ReportSectionInline(admin.StackedInline[ReportSection, Event]):
    model = ReportSection
    extra = 0
    fields = ["position", "heading", "body"]


@admin.register(Event)
class EventAdmin(WebinarModelAdmin[Event]):
    pages = (
        *home.PAGES,
        *changes.PAGES,
        *broadcasts.PAGES,
        *figures.PAGES,
        *previews.PAGES,
        *text_preview.PAGES,
        *mail_words.PAGES,
        *page_parts.PAGES,
        *mails_tab.PAGES,
        *duplication.PAGES,
        *dry_runs.PAGES,
        *custom_questions.PAGES,
        *exports.EVENT_PAGES,
        *people.PAGES,
        *attendance.PAGES,
    )
    event_path = "pk"
    form = EventForm
    list_display = ["short_title", "start", "status", "confirmed_count", "waiting_count", "public_page"]
    list_filter = ["status"]
    search_fields = ["title", "slug"]
    inlines = [custom_questions.OwnQuestionInline, documents.DocumentInline, ReportSectionInline]
    formfield_overrides = {
        EmailField: {"form_class": AddressField},
        TextField: {"widget": Textarea({"rows": 6, "class": "vLargeTextField"})},
        DateTimeField: {"form_class": MomentField, "widget": MomentWidget},
        URLField: {"widget": URLInput({"class": "vURLField"})},
        TimeField: {"form_class": HourField, "widget": HourInput},
        FileField: {
            "widget": AdminFileWidget({"aria-label": _("report: finished PDF")})
        },  # a legend does not name the input
    }
    change_form_template = "admin/registrations/event/change_form.html"
    readonly_fields: ClassVar[Any] = [parts.link_for_other_sites, *parts.LISTS, "named_zone"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        of_event = Registration.objects.without_dry_runs().filter(event=OuterRef("pk")).order_by().values("event")
        by_status = {
            name: Coalesce(Subquery(of_event.filter(status=status).annotate(total=Count("*")).values("total")), 0)
            for name, status in COUNTED.items()
        }
        return super().get_queryset(request).annotate(**by_status)

    @admin.display(description=_("start"), ordering="starts_at")
    def start(self, event: Event) -> str:
        day = dates.day(event.starts_at, event, weekday=False)
        return f"{day}, {dates.named_hour(event.starts_at, event)}"

    @admin.display(description=_("time zone"))
    def named_zone(self, event: Event) -> str:
        return time_zones.place(event.timezone)

    @admin.display(description=_("confirmed"), ordering="confirmed")
    def confirmed_count(self, event: Any) -> str:
        words = ngettext("%(count)s person", "%(count)s people", event.confirmed) % {"count": event.confirmed}
        if event.capacity:
            seats = ngettext("%(count)s seat", "%(count)s seats", event.capacity) % {"count": event.capacity}
            words = _("%(people)s for %(seats)s") % {"people": words, "seats": seats}
        return format_html('<a href="{}">{}</a>', _people(event, Registration.Status.CONFIRMED), words)

    @admin.display(description=_("waiting"), ordering="waiting")
    def waiting_count(self, event: Any) -> str:
        if not event.waiting:
            return ""
        words = ngettext("%(count)s person", "%(count)s people", event.waiting) % {"count": event.waiting}
        return format_html('<a href="{}">{}</a>', _people(event, Registration.Status.WAITLISTED), words)

    @admin.display(description=_("page"))
    def public_page(self, event: Event) -> str:
        if event.status == Event.Status.DRAFT:
            return ""
        return format_html('<a href="{}">{}</a>', event.get_absolute_url(), _("See the page"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Event | None:
        """To look at, the row is read once; to save it, once more under the lock."""
        if request.method == "POST":
            return self._with_seats(super().get_object(request, object_id, from_field))
        kept: dict[str, Event | None] = vars(request).setdefault("events_of_form", {})
        if object_id not in kept:
            kept[object_id] = self._with_seats(super().get_object(request, object_id, from_field))
        return kept[object_id]

    def _with_seats(self, event: Any) -> Event | None:
        if event is not None:
            event.seats_taken = event.confirmed
        return cast("Event | None", event)

    def get_inlines(self, request: HttpRequest, obj: Event | None) -> Any:
        return page_parts.INLINES if page_parts.is_asked_for(request) else self.inlines

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return deletion.deleted_objects(objs, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> list[Any]:
        frozen = CHANGED_BY_BUTTONS if obj and event_changes.must_be_announced(obj, listed=_listed(obj)) else []
        return [*self.readonly_fields, *frozen]

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        if page_parts.is_asked_for(request):
            return []
        may_change = self.has_change_permission(request, obj)
        is_frozen = obj is not None and event_changes.must_be_announced(obj, listed=_listed(obj))
        zone = "named_zone" if is_frozen or not may_change else "timezone"
        return list(_offered(parts.fieldsets(told_elsewhere=is_frozen and may_change, zone=zone), request))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**defaults(), **super().get_changeform_initial_data(request)}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """All hours of the page are in the zone of the event, which is locked while the form is saved."""
        event = self.get_object(request, unquote(object_id)) if object_id else None
        with timezone.override(zone_of(request, event)), self._locked(request, event):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response

    @contextmanager
    def _locked(self, request: HttpRequest, event: Event | None) -> Iterator[None]:
        """Seats and dates do not change while the form is saved."""
        if request.method != "POST" or event is None:
            yield
            return
        if "report_file" in request.FILES and self.has_change_permission(request):
            examined(request.FILES["report_file"])
        if self.has_change_permission(request):
            page_parts.examine_uploads(request)
            documents.examine_uploads(request)
        with transaction.atomic():
            Event.objects.locked(event)
            yield

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Event | None = None,
    ) -> HttpResponse:
        if page_parts.is_asked_for(request):
            return page_parts.answer(request, obj, context)
        if obj:
            parts.note_rows(obj, context["inline_admin_formsets"])
        essentials, folds = parts.of_form(context["adminform"], context["inline_admin_formsets"], obj or Event())
        form, formsets = context["adminform"].form, context["inline_admin_formsets"]
        context |= {
            "essentials": essentials,
            "folds": folds,
            "mistakes": mistakes(form, formsets) if context["errors"] else [],
            "hours": [hour_of_day.spoken(moment) for moment in SUGGESTED_HOURS],
            "text_preview": text_preview.page(form["description"].value() if "description" in form.fields else ""),
        }
        return reading.allow_frame(super().render_change_form(request, context, add, change, form_url, obj))

    def response_add(self, request: HttpRequest, obj: Event, post_url_continue: str | None = None) -> HttpResponse:
        return self._look(obj) if "_view" in request.POST else super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Event) -> HttpResponse:
        if "_view" in request.POST:
            return self._look(obj)
        if page_parts.is_asked_for(request):
            return page_parts.saved(request, obj)
        return super().response_change(request, obj)

    def response_post_save_add(self, request: HttpRequest, obj: Event) -> HttpResponseRedirect:
        return HttpResponseRedirect(event_path(obj))

    response_post_save_change = response_post_save_add

    def _look(self, event: Event) -> HttpResponse:
        """At the page as visitors see it, or will once it is published."""
        return HttpResponseRedirect(reverse("admin:registrations_event_preview", args=[event.pk]))

    def save_model(self, request: HttpRequest, obj: Event, form: Any, change: bool) -> None:
        """A change that calendars must adopt increments SEQUENCE (RFC 5546, section 2.1.4)."""
        changed = set(form.changed_data)
        if change and IN_CALENDARS & changed:
            obj.sequence += 1
        super().save_model(request, obj, form, change)
        if not change or RESCHEDULED_BY & changed:
            reminders.schedule(obj)
        if change and {"capacity", "status"} & changed:
            tell_of_promoted(request, waiting_list.promote(obj))
        of_event = [] if page_parts.is_asked_for(request) else warnings(obj, changed)
        for sentence in filter(None, [*form.report_notes, *of_event]):
            messages.warning(request, sentence)
        if not page_parts.is_asked_for(request) and _typed_what_a_button_changes(request, form):
            messages.error(
                request,
                _("Someone signed up in the meantime: date, state, words and note were not changed. Use the buttons."),
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        is_of_page = page_parts.is_asked_for(request)
        if not is_of_page and (words := study_report.glyph_warning(form.instance)):
            messages.warning(request, _("Presentation of the study: %(warning)s") % {"warning": words})
        for sentence in [*page_parts.warnings(formsets), *documents.notes(formsets)]:
            messages.warning(request, sentence)


def _offered(fieldsets: Any, request: HttpRequest) -> Iterator[Any]:
    """Without the fields whose links this account may not follow."""
    hidden = [field for field, permission in LINKS.items() if not request.user.has_perm(permission)]
    for name, options in fieldsets:
        yield name, {**options, "fields": [one for one in options["fields"] if one not in hidden]}


def warnings(event: Event, changed: set[str]) -> list[Any]:
    """Warnings on what an organiser may not have intended; falsy where there is none."""
    published, over = event.status == Event.Status.PUBLISHED, event.is_over
    boxes = glyphs.missing(event.title + event.organiser_name)
    missed = reminders.missed(event) if published and RESCHEDULED_BY & changed else []
    return [
        email_typos.question(event.contact_email),
        published
        and not event.connection_url
        and not over
        and _("This event has no link to the room yet; registrants are told so."),
        published and over and _("This event lies in the past."),
        boxes
        and _(
            "No font of the server can write “%(characters)s” of the title or the organiser: no certificate is made."
        )
        % {"characters": boxes},
        event.report_file
        and not study_report.fits_in_mail(study_report.known_size(event) or 0)
        and _("The report is too large to be attached to a mail: it will be given as a link."),
        "capacity" in changed and too_few_seats(event),
        *(_("“%(mail)s”: its hour has passed, so that it does not leave.") % {"mail": kind.label} for kind in missed),
    ]


def _typed_what_a_button_changes(request: HttpRequest, form: Any) -> bool:
    """Whether the form was opened before anyone had signed up, and so still had the fields that buttons change."""
    typed = {name.removesuffix("_0") for name in request.POST}
    return bool(typed & set(CHANGED_BY_BUTTONS) - set(form.fields))


def _listed(event: Any) -> int:
    """How many people are on the list: a sum of the two annotations of `get_queryset`."""
    return int(event.confirmed + event.waiting)


def _people(event: Event, status: Registration.Status) -> str:
    return list_path(Registration, event__id__exact=event.pk, status__exact=status.value)
