"""Registrations, each with its mails."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db.models import EmailField, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registrations import signup
from registrations.admin.deliveries import mail_state
from registrations.desk import DeskPages
from registrations.forms import AddressField
from registrations.models import Delivery, Event, Registration


class DeliveryInline(admin.TabularInline[Delivery, Registration]):
    model = Delivery
    template = "admin/read_only_inline.html"
    fields = ["kind", "reason", "outcome", "attempts", "created_at"]
    readonly_fields = ["kind", "reason", "outcome", "attempts", "created_at"]
    extra = 0

    @admin.display(description=_("state"))
    def outcome(self, delivery: Delivery) -> str:
        return mail_state(delivery)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MailStateFilter(admin.SimpleListFilter):
    title = _("state of the mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Delivery.State.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        return queryset.filter(deliveries__state=self.value()).distinct() if self.value() else queryset


@admin.register(Registration)
class RegistrationAdmin(DeskPages, admin.ModelAdmin[Registration]):
    list_display = ["full_name", "organisation", "job_title", "status", "last_mail", "created_at", "event"]
    list_filter = ["event", "status", MailStateFilter, "newsletter"]
    search_fields = ["last_name", "first_name", "email", "organisation"]
    search_help_text = _("Name, address or organisation")
    list_select_related = ["event"]
    list_per_page = 50
    formfield_overrides = {EmailField: {"form_class": AddressField}}
    actions = ["send_again"]
    inlines = [DeliveryInline]
    readonly_fields = ["status", "created_at", "personal_links"]
    fieldsets = [
        (None, {"fields": ["event", "first_name", "last_name", "email", "organisation", "job_title", "status"]}),
        (_("Answers"), {"fields": ["territory", "heard_from", "question", "newsletter", "language"]}),
        (_("Follow-up"), {"fields": ["created_at", "personal_links"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        return super().get_queryset(request).prefetch_related("deliveries")

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, registration: Registration) -> str:
        return str(registration)

    @admin.display(description=_("last mail"))
    def last_mail(self, registration: Registration) -> str:
        newest_first = list(registration.deliveries.all())
        return mail_state(newest_first[0]) if newest_first else ""

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

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A person's mails are never deleted by themselves, but go with the person who asks to be erased."""
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, set(perms_needed) - {Delivery._meta.verbose_name}, protected

    def save_model(self, request: HttpRequest, obj: Registration, form: ModelForm[Registration], change: bool) -> None:
        """A person added by hand, and one whose address is corrected, is sent the confirmation."""
        super().save_model(request, obj, form, change)
        if change and "email" not in form.changed_data:
            return
        if obj.event.status != Event.Status.PUBLISHED:
            messages.warning(request, _("No mail was sent: the event is not published."))
        elif obj.status == Registration.Status.CONFIRMED:
            signup.send_confirmation(obj, reason=Delivery.Reason.RESENT if change else Delivery.Reason.NEW)
            messages.info(request, _("The confirmation is on its way to %(email)s.") % {"email": obj.email})

    @admin.action(
        description=_("Send the confirmation again"),
        permissions=["change"],
        location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
    )
    def send_again(self, request: HttpRequest, queryset: QuerySet[Registration]) -> None:
        to_write_to = queryset.filter(status=Registration.Status.CONFIRMED, event__status=Event.Status.PUBLISHED)
        for registration in to_write_to:
            signup.send_confirmation(registration, reason=Delivery.Reason.RESENT)
        if count := len(to_write_to):
            sent = ngettext(
                "%(count)s confirmation is on its way.", "%(count)s confirmations are on their way.", count
            )
            messages.success(request, sent % {"count": count})
        if left_out := queryset.count() - count:
            words = ngettext(
                "%(count)s registration was left out: it is not confirmed, or its event is not published.",
                "%(count)s registrations were left out: they are not confirmed, or their event is not published.",
                left_out,
            )
            messages.warning(request, words % {"count": left_out})
