"""The audit log, read only: entries are not added, changed or deleted here."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.shared.long_lists import LongListAdmin
from registrations.models import AuditEntry

SHOWN = ["at", "who", "action", "about", "detail"]


@admin.register(AuditEntry)
class AuditEntryAdmin(LongListAdmin[AuditEntry]):
    list_display = [*SHOWN]
    list_filter = ["action", "at"]
    search_fields = ["about", "=actor"]
    search_help_text = gettext_lazy("Kind and number, for example registrations.registration 12")
    list_per_page = 100
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        accounts = get_user_model().objects.filter(pk=OuterRef("actor"))
        return super().get_queryset(request).annotate(account=Subquery(accounts.values("username")[:1]))

    @admin.display(description=gettext_lazy("who"), ordering="actor")
    def who(self, entry: Any) -> str:
        """The present name of the account; the log itself stores its number."""
        if entry.actor is None:
            return _("the operator, or someone unknown")
        return f"{entry.account or _('deleted account')} (n° {entry.actor})"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
