"""Registrations, each with its mails."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registrations import signup
from registrations.admin.deliveries import mail_state
from registrations.models import Delivery, Registration


class DeliveryInline(admin.TabularInline[Delivery, Registration]):
    model = Delivery
    fields = ["kind", "reason", "outcome", "attempts", "created_at"]
    readonly_fields = ["kind", "reason", "outcome", "attempts", "created_at"]
    extra = 0
    can_delete = False
    show_change_link = True

    @admin.display(description=_("state"))
    def outcome(self, delivery: Delivery) -> str:
        return mail_state(delivery)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Registration)
class RegistrationAdmin(admin.ModelAdmin[Registration]):
    list_display = ["full_name", "organisation", "job_title", "status", "last_mail", "created_at", "event"]
    list_filter = ["event", "status", "deliveries__state", "territory", "newsletter"]
    search_fields = ["last_name", "first_name", "email", "organisation"]
    search_help_text = _("Name, address or organisation")
    list_select_related = ["event"]
    list_per_page = 50
    actions = ["send_again"]
    inlines = [DeliveryInline]
    readonly_fields = ["created_at", "personal_links"]
    fieldsets = [
        (
            None,
            {"fields": ["event", "first_name", "last_name", "email", "organisation", "job_title", "status"]},
        ),
        (_("Answers"), {"fields": ["territory", "heard_from", "question", "newsletter", "language"]}),
        (_("Follow-up"), {"fields": ["created_at", "personal_links"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        last = Delivery.objects.filter(registration=OuterRef("pk")).order_by("-created_at", "-pk")
        return super().get_queryset(request).annotate(last_delivery=Subquery(last.values("pk")[:1]))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """One query for the last mails of the whole page."""
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        mails = Delivery.objects.in_bulk([row.last_delivery for row in rows if row.last_delivery])
        for row in rows:
            row.last = mails.get(row.last_delivery)
        changelist.result_list = rows
        return changelist

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, registration: Registration) -> str:
        return str(registration)

    @admin.display(description=_("last mail"))
    def last_mail(self, registration: Any) -> str:
        return mail_state(registration.last) if registration.last else ""

    @admin.display(description=_("personal links"))
    def personal_links(self, registration: Registration) -> str:
        if not registration.pk:
            return ""
        return format_html(
            '<a href="{}">{}</a> · <a href="{}">{}</a>',
            registration.join_url,
            _("Join"),
            registration.manage_url,
            _("Their registration"),
        )

    def save_model(self, request: HttpRequest, obj: Registration, form: ModelForm[Registration], change: bool) -> None:
        """A person added by hand gets the same confirmation as one who signed up."""
        super().save_model(request, obj, form, change)
        if not change:
            signup.send_confirmation(obj, reason=Delivery.Reason.NEW)

    @admin.action(
        description=_("Send the confirmation again"),
        permissions=["change"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    def send_again(self, request: HttpRequest, queryset: QuerySet[Registration]) -> None:
        confirmed = queryset.filter(status=Registration.Status.CONFIRMED)
        for registration in confirmed:
            signup.send_confirmation(registration, reason=Delivery.Reason.RESENT)
        count = len(confirmed)
        sent = ngettext("%(count)s confirmation is on its way.", "%(count)s confirmations are on their way.", count)
        messages.success(request, sent % {"count": count})
        if left_out := queryset.count() - count:
            words = ngettext(
                "%(count)s cancelled registration was left out.",
                "%(count)s cancelled registrations were left out.",
                left_out,
            )
            messages.warning(request, words % {"count": left_out})
