"""Events and the sections of their report."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminFileWidget
from django.db.models import Count, FileField, Q, QuerySet, TextField
from django.forms import Textarea
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registrations import typography
from registrations.desk import DeskPages
from registrations.models import Event, Registration, ReportSection


class ReportSectionInline(admin.StackedInline[ReportSection, Event]):
    model = ReportSection
    extra = 0
    fields = ["position", "heading", "body"]


@admin.register(Event)
class EventAdmin(DeskPages, admin.ModelAdmin[Event]):
    list_display = ["short_title", "starts_at", "status", "confirmed_count", "page"]
    list_filter = ["status"]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["link_for_other_sites"]
    inlines = [ReportSectionInline]
    formfield_overrides = {
        TextField: {"widget": Textarea({"rows": 6, "class": "vLargeTextField"})},
        FileField: {"widget": AdminFileWidget({"aria-label": _("report: finished PDF")})},  # its legend names no input
    }
    save_on_top = True
    fieldsets = [
        (
            _("Essentials"),
            {
                "fields": [
                    "status",
                    "organiser_words",
                    "title",
                    "short_title",
                    "slug",
                    "summary",
                    "description",
                    "starts_at",
                    "ends_at",
                    "timezone",
                    "organiser_name",
                    "contact_name",
                    "contact_email",
                ],
                "description": _("A change here updates the pages at once; it does not write to anyone."),
            },
        ),
        (
            _("Sign-up"),
            {
                "fields": [
                    "registration_opens_at",
                    "registration_closes_at",
                    "open_after_session",
                    "territories",
                    "origins",
                    "newsletter_label",
                    "link_for_other_sites",
                ]
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
                    "replay_url",
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
        (_("Personal data"), {"fields": ["retention_months"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        confirmed = Q(registrations__status=Registration.Status.CONFIRMED)
        return super().get_queryset(request).annotate(confirmed=Count("registrations", filter=confirmed))

    @admin.display(description=_("confirmed"), ordering="confirmed")
    def confirmed_count(self, event: Any) -> str:
        url = f"{reverse('admin:registrations_registration_changelist')}?event__id__exact={event.pk}"
        words = ngettext("%(count)s person", "%(count)s people", event.confirmed) % {"count": event.confirmed}
        return format_html('<a href="{}">{}</a>', url, words)

    @admin.display(description=_("page"))
    def page(self, event: Event) -> str:
        if event.status == Event.Status.DRAFT:
            return ""
        return format_html('<a href="{}">{}</a>', event.get_absolute_url(), _("See the page"))

    @admin.display(description=_("link for other sites"))
    def link_for_other_sites(self, event: Event) -> str:
        """HTML to paste elsewhere, shown as text."""
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

    def save_model(self, request: HttpRequest, obj: Event, form: Any, change: bool) -> None:
        """A change that calendars must take over raises SEQUENCE (RFC 5546, section 2.1.4)."""
        if change and {"starts_at", "ends_at", "status"} & set(form.changed_data):
            obj.sequence += 1
        super().save_model(request, obj, form, change)
        if obj.status == Event.Status.PUBLISHED and not obj.connection_url and obj.ends_at > timezone.now():
            messages.warning(request, _("This event has no link to the room yet; registrants are told so."))
        if obj.status == Event.Status.PUBLISHED and obj.ends_at <= timezone.now():
            messages.warning(request, _("This event lies in the past."))
