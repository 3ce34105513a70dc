"""Mailboxes that are left alone, and how an organiser lets one be written to again when its owner asks for it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.shared import confirmation
from registrations.admin.shared.counted_list import CountedList
from registrations.admin.shared.pages import AdminTitles
from registrations.domain import erasure
from registrations.models import Suppression
from registrations.web.fields import AddressField

LIST = "admin:registrations_suppression_changelist"


class LiftForm(forms.Form):
    address = AddressField(label=gettext_lazy("Email address"), widget=forms.EmailInput({"class": "vTextField"}))


@admin.register(Suppression)
class SuppressionAdmin(CountedList, AdminTitles, admin.ModelAdmin[Suppression]):
    list_display = ["mailbox", "created_at"]
    list_display_links = None
    list_per_page = 50
    change_list_template = "admin/registrations/suppression/change_list.html"

    @admin.display(description=gettext_lazy("digest of the mailbox"))
    def mailbox(self, suppression: Suppression) -> str:
        return f"{suppression}…"

    def get_urls(self) -> list[URLPattern]:
        lift = path("lift/", self.admin_site.admin_view(self.lift), name="registrations_suppression_lift")
        return [lift, *super().get_urls()]

    def lift(self, request: HttpRequest) -> HttpResponse:
        """Whether this address is on the list; and, once confirmed, no longer."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        form = LiftForm(request.POST or None)
        if not form.is_valid():
            return self._form(request, form)
        address = form.cleaned_data["address"]
        found = Suppression.objects.of_address(address)
        if not found.exists():
            messages.info(request, _("%(address)s is not on the list: mails go there.") % {"address": address})
            return HttpResponseRedirect(reverse(LIST))
        if not confirmation.given(request, found.count()):
            return self._question(request, address, found.count())
        self.log_deletions(request, found)
        erasure.write_again(found)
        messages.success(request, _("Mails go to %(address)s again.") % {"address": address})
        return HttpResponseRedirect(reverse(LIST))

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        erasure.write_again(Suppression.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        erasure.write_again(Suppression.objects.filter(pk__in=queryset.values("pk")))

    def _form(self, request: HttpRequest, form: LiftForm) -> HttpResponse:
        return confirmation.form_page(
            self,
            request,
            form,
            title=_("Write to an address again"),
            sentences=[
                _("Type the address: the desk says whether it is on the list. Only its owner may ask for this.")
            ],
            button=_("Look for this address"),
            back=reverse(LIST),
        )

    def _question(self, request: HttpRequest, address: str, count: int) -> HttpResponse:
        return confirmation.page(
            self,
            request,
            title=_("Write to an address again"),
            sentences=[
                _("%(address)s is on the list: its owner has asked to be left alone.") % {"address": address},
                _("Go on only if the owner now asks for mails again. Mails that were held back are not made up for."),
            ],
            hidden=[(confirmation.ANSWER, count), ("address", address)],
            button=_("Write to this address again"),
            back=reverse(LIST),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
