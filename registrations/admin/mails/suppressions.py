"""The suppression list: mailboxes that receive no mail. An organiser takes an address off it when its owner asks."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.shared import confirmation
from registrations.admin.shared.long_lists import LongListAdmin
from registrations.admin_site.pages import AdminPage
from registrations.domain import erasure
from registrations.models import Suppression
from registrations.web.fields import AddressField

LIST = "admin:registrations_suppression_changelist"


class LiftForm(forms.Form):
    address = AddressField(label=gettext_lazy("Email address"), widget=forms.EmailInput({"class": "vTextField"}))


def lift(request: HttpRequest) -> HttpResponse:
    """Look an address up on the suppression list, and take it off once that is confirmed."""
    form = LiftForm(request.POST or None)
    if not form.is_valid():
        return _form(request, form)
    address = form.cleaned_data["address"]
    found = Suppression.objects.of_address(address)
    if not found.exists():
        messages.info(request, _("%(address)s is not on the list: mails go there.") % {"address": address})
        return HttpResponseRedirect(reverse(LIST))
    if not confirmation.given(request, found.count()):
        return _question(request, address, found.count())
    admin.site.get_model_admin(Suppression).log_deletions(request, found)
    erasure.unsuppress(found)
    messages.success(request, _("Mails go to %(address)s again.") % {"address": address})
    return HttpResponseRedirect(reverse(LIST))


def _form(request: HttpRequest, form: LiftForm) -> HttpResponse:
    return confirmation.form_page(
        request,
        Suppression,
        form,
        title=_("Write to an address again"),
        sentences=[_("Type the address: the desk says whether it is on the list. Only its owner may ask for this.")],
        button=_("Look for this address"),
        back=reverse(LIST),
    )


def _question(request: HttpRequest, address: str, count: int) -> HttpResponse:
    return confirmation.page(
        request,
        Suppression,
        title=_("Write to an address again"),
        sentences=[
            _("%(address)s is on the list: its owner has asked to be left alone.") % {"address": address},
            _("Go on only if the owner now asks for mails again. Mails that were held back are not made up for."),
        ],
        hidden=[(confirmation.ANSWER, count), ("address", address)],
        button=_("Write to this address again"),
        back=reverse(LIST),
    )


@admin.register(Suppression)
class SuppressionAdmin(LongListAdmin[Suppression]):
    list_display = ["mailbox", "created_at"]
    list_display_links = None
    list_per_page = 50
    pages: ClassVar = [AdminPage("lift/", lift, name="lift", permissions=("registrations.delete_suppression",))]
    change_list_template = "admin/registrations/suppression/change_list.html"

    @admin.display(description=gettext_lazy("digest of the mailbox"))
    def mailbox(self, suppression: Suppression) -> str:
        return f"{suppression}…"

    def delete_model(self, request: HttpRequest, obj: Suppression) -> None:
        erasure.unsuppress(Suppression.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        erasure.unsuppress(Suppression.objects.filter(pk__in=queryset.values("pk")))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
