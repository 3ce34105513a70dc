"""The list of events, and the form of each with its questions and report sections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminFileWidget
from django.db import transaction
from django.db.models import Count, EmailField, FileField, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce
from django.forms import Textarea
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registrations.admin.events import changes, dry_runs, duplication, figures, home, previews, upcoming_mails
from registrations.admin.events.forms import EventForm, examined, zone_of
from registrations.admin.imports import attendance, people
from registrations.admin.messages import broadcasts
from registrations.admin.people import custom_questions, exports
from registrations.admin.people.actions import tell_of_promoted, too_few_seats
from registrations.admin.shared import jobs
from registrations.admin.shared.model_admin import WebinarModelAdmin
from registrations.admin_site.pages import list_path
from registrations.documents import glyphs, study_report
from registrations.domain import event_changes, waiting_list
from registrations.mailing import reminders
from registrations.models import Event, Registration, ReportSection
from registrations.models.mail_kinds import HOUR_FIELDS, RESCHEDULED_BY, WORD_FIELDS
from registrations.text import dates, email_typos, time_zones, typography
from registrations.web.fields import AddressField

CHANGED_BY_BUTTONS = ["status", "starts_at", "ends_at", "timezone", "organiser_words", "connection_notes"]
IN_CALENDARS = {"starts_at", "ends_at", "status"}

COUNTED = {"confirmed": Registration.Status.CONFIRMED, "waiting": Registration.Status.WAITLISTED}


class ReportSectionInline(admin.StackedInline[ReportSection, Event]):
    model = ReportSection
    extra = 0
    fields = ["position", "heading", "body"]


@admin.display(description=_("link for other sites"))
def link_for_other_sites(event: Event) -> str:
    """HTML to paste into other sites, shown as text."""
    if not event.pk or event.status == Event.Status.DRAFT:
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


@admin.register(Event)
class EventAdmin(WebinarModelAdmin[Event]):
    pages = (
        *home.PAGES,
        *changes.PAGES,
        *broadcasts.PAGES,
        *figures.PAGES,
        *previews.PAGES,
        *upcoming_mails.PAGES,
        *duplication.PAGES,
        *dry_runs.PAGES,
        *custom_questions.PAGES,
        *exports.EVENT_PAGES,
        *people.PAGES,
        *attendance.PAGES,
    )
    form = EventForm
    list_display = ["short_title", "start", "status", "confirmed_count", "waiting_count", "page"]
    list_filter = ["status"]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [custom_questions.OwnQuestionInline, ReportSectionInline]
    formfield_overrides = {
        EmailField: {"form_class": AddressField},
        TextField: {"widget": Textarea({"rows": 6, "class": "vLargeTextField"})},
        FileField: {
            "widget": AdminFileWidget({"aria-label": _("report: finished PDF")})
        },  # a legend does not name the input
    }
    save_on_top = True
    change_form_template = "admin/registrations/event/change_form.html"
    readonly_fields: ClassVar[Any] = [
        link_for_other_sites,
        attendance.presences,
        people.registrants,
        exports.lists,
        "named_zone",
    ]
    fieldsets: ClassVar[Any] = [
        (
            _("Essentials"),
            {
                "fields": [
                    "title",
                    "short_title",
                    "slug",
                    "summary",
                    "description",
                    "organiser_name",
                    "contact_name",
                    "contact_email",
                ],
                "description": _("A change here updates the pages at once; it does not write to anyone."),
            },
        ),
        (_("Date and state"), {"fields": ["status", "starts_at", "ends_at", "timezone", "organiser_words"]}),
        (
            _("Sign-up"),
            {
                "classes": ["admin-sign-up"],  # the event's own questions follow it
                "fields": [
                    "registration_opens_at",
                    "registration_closes_at",
                    "open_after_session",
                    "capacity",
                    "waiting_list",
                    "territories",
                    "origins",
                    "newsletter_label",
                    link_for_other_sites,
                ],
            },
        ),
        (
            _("The room"),
            {
                "fields": [
                    "connection_url",
                    "connection_notes",
                    "room_opens_minutes_before",
                    "room_stays_open_minutes_after",
                ]
            },
        ),
        (
            _("Study report"),
            {
                "fields": ["report_file", "report_title", "report_subtitle", "report_authors"],
                "description": _(
                    "Without a finished PDF, the sections at the foot of this page are typeset as a presentation."
                ),
            },
        ),
        (
            _("Mails"),
            {
                "fields": [*HOUR_FIELDS, *WORD_FIELDS],
                "description": _("These mails leave by themselves; those that wait follow what is changed here."),
            },
        ),
        (_("Who came"), {"fields": [attendance.presences]}),
        (_("Lists"), {"fields": [people.registrants, exports.lists]}),
        (_("Afterwards"), {"fields": ["replay_url", "retention_months"]}),
    ]

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
    def page(self, event: Event) -> str:
        if event.status == Event.Status.DRAFT:
            return ""
        return format_html('<a href="{}">{}</a>', event.get_absolute_url(), _("See the page"))

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> list[Any]:
        frozen = CHANGED_BY_BUTTONS if obj and event_changes.must_be_announced(obj, listed=_listed(obj)) else []
        return [*self.readonly_fields, *frozen]

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        may_change = self.has_change_permission(request, obj)
        if obj is None or (may_change and not event_changes.must_be_announced(obj, listed=_listed(obj))):
            return self.fieldsets
        words = _(
            "People are on the list: use the buttons above, under “Tell the people registered”, to change these "
            "and the note on the connection."
        )
        essentials, (name, options), *others = self.fieldsets
        read = ["named_zone" if field == "timezone" else field for field in options["fields"]]
        return [essentials, (name, {"fields": read, "description": words if may_change else ""}), *others]

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
        if obj and self.has_change_permission(request, obj):
            listed = _listed(obj)
            context = {**context, "telling": changes.possible(obj, listed=listed), "listed": listed}
        if obj:
            context = {**context, **broadcasts.form_context(request, obj), "jobs": jobs.of_event(obj, request.user)}
        return super().render_change_form(request, context, add, change, form_url, obj)

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
        for sentence in filter(None, [*form.report_notes, *warnings(obj, changed)]):
            messages.warning(request, sentence)
        if _typed_what_a_button_changes(request, form):
            messages.error(
                request,
                _("Someone signed up in the meantime: date, state, words and note were not changed. Use the buttons."),
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if words := study_report.glyph_warning(form.instance):
            messages.warning(request, _("Presentation of the study: %(warning)s") % {"warning": words})


def warnings(event: Event, changed: set[str]) -> list[Any]:
    """Warnings on what an organiser may not have intended; falsy where there is none."""
    published, over = event.status == Event.Status.PUBLISHED, event.is_over
    boxes = glyphs.missing(event.title + event.organiser_name)
    follow_up_missed = RESCHEDULED_BY & changed and event.follow_up_at and event.follow_up_at <= timezone.now()
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
        published
        and follow_up_missed
        and _("The hour of the follow-up mail has passed: it does not leave. Choose more hours."),
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
