"""The audit log, read only: entries are not added, changed or deleted here."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin import audit_sentences
from registrations.admin.shared.long_lists import LongListAdmin
from registrations.models import AuditEntry

SHOWN = ["at", "sentence", "who", "action", "about", "detail"]


class AuditLog(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        audit_sentences.describe(self.result_list)


@admin.register(AuditEntry)
class AuditEntryAdmin(LongListAdmin[AuditEntry]):
    list_display = ["at", "sentence"]
    list_display_links = ["at"]
    list_filter = ["action", "at"]
    search_fields = ["about", "=actor"]
    search_help_text = gettext_lazy("Kind and number, for example registrations.registration 12")
    list_per_page = 100
    fields = [*SHOWN]
    readonly_fields = [*SHOWN]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        accounts = get_user_model().objects.filter(pk=OuterRef("actor"))
        return super().get_queryset(request).annotate(account=Subquery(accounts.values("username")[:1]))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AuditLog

    @admin.display(description=gettext_lazy("what happened"))
    def sentence(self, entry: Any) -> str:
        if not hasattr(entry, "sentence"):  # on its own page
            audit_sentences.describe([entry])
        return str(entry.sentence)

    @admin.display(description=gettext_lazy("who"), ordering="actor")
    def who(self, entry: Any) -> str:
        """The present name of the account; the log itself stores its number."""
        if entry.actor is None:
            return _("the site or its operator")
        return f"{entry.account or _('deleted account')} (n° {entry.actor})"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
