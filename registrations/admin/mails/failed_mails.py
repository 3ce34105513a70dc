"""Mails that failed or came back: sent again, sent to another address, or marked as seen, which ends the alarm."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import ActionLocation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.shared import confirmation
from registrations.admin_site.pages import AdminPage
from registrations.domain import failed_mails
from registrations.models import Delivery, unresolved_mails
from registrations.models.delivery import DeliveryQuerySet
from registrations.security import audit
from registrations.web.fields import AddressField

EVERYWHERE = [ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM]
CHOICES = {
    "all": gettext_lazy("all to look at"),
    "failed": gettext_lazy("failed, to look at"),
    "refused": gettext_lazy("came back, to look at"),
}


class ToLookAt(admin.SimpleListFilter):
    """Failed or returned, and not dealt with."""

    title = gettext_lazy("to look at")
    parameter_name = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(CHOICES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return unresolved_mails.to_see(queryset)
        chosen = unresolved_mails.BY_NAME.get(self.value() or "")
        return unresolved_mails.unresolved(queryset, what=chosen) if chosen else queryset


def _ticked(queryset: QuerySet[Delivery]) -> DeliveryQuerySet:
    return Delivery.objects.filter(pk__in=queryset.order_by().values("pk"))


@admin.action(description=gettext_lazy("Send again"), permissions=["write"], location=EVERYWHERE)
def send_again(model_admin: Any, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
    mails = unresolved_mails.may_be_sent_again(_ticked(queryset))
    if not (count := mails.count()):
        messages.warning(
            request, _("Nothing to send again: none has failed, or its address is still the one that failed.")
        )
        return None
    if not confirmation.given(request, count):
        return _ask_to_send_again(request, mails, count)
    failed_mails.send_again(_ticked(queryset))
    audit.record(audit.Action.BULK_MAIL, act="send_again", count=count)
    done = ngettext("%(count)s mail is on its way.", "%(count)s mails are on their way.", count)
    messages.success(request, done % {"count": count})
    return None


def _ask_to_send_again(request: HttpRequest, mails: QuerySet[Delivery], count: int) -> HttpResponse:
    question = ngettext("%(count)s mail leaves now.", "%(count)s mails leave now.", count) % {"count": count}
    sentences = [
        question,
        _("It goes to the address that the person has now. What is no longer true or useful does not leave."),
    ]
    button = ngettext("Send %(count)s mail", "Send %(count)s mails", count) % {"count": count}
    title = _("Send again")
    return confirmation.ask(
        request, mails.order_by("pk"), count=count, title=title, sentences=sentences, button=button
    )


@admin.action(description=gettext_lazy("Seen"), permissions=["write"], location=EVERYWHERE)
def seen(model_admin: Any, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
    """Nothing is sent, and nothing is lost: no page asks."""
    count = failed_mails.mark_seen(_ticked(queryset))
    words = ngettext("%(count)s mail is no longer to look at.", "%(count)s mails are no longer to look at.", count)
    messages.success(request, words % {"count": count})


class AddressForm(forms.Form):
    address = AddressField(label=gettext_lazy("Address"), help_text=gettext_lazy("For this mail only."))


def send_to(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one mail to another address than the one that failed."""
    mail = get_object_or_404(Delivery.objects.select_related("registration", "event"), pk=pk)
    back = reverse("admin:registrations_delivery_change", args=[pk])
    form = AddressForm(request.POST or None)
    if form.is_valid() and not mail.ended_badly:
        form.add_error(None, _("This mail has neither failed nor come back."))
    if not form.is_valid():
        return confirmation.form_page(
            request,
            Delivery,
            form,
            title=_("Send to another address"),
            sentences=[
                _("The person keeps the address that is registered: to correct it for good, open the person’s page.")
            ],
            button=_("Send"),
            back=back,
        )
    failed_mails.send_to(mail, form.cleaned_data["address"])
    audit.record(audit.Action.BULK_MAIL, act="send_to", count=1, about=mail.registration or mail.event)
    messages.success(request, _("On its way to %(address)s.") % {"address": form.cleaned_data["address"]})
    return HttpResponseRedirect(back)


PAGES = [AdminPage("<int:pk>/send/", send_to, name="send", permissions=("registrations.write_to_registrants",))]
