"""A mail that came back to the sender's mailbox: an organiser notes it, where no provider tells this site."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.shared import confirmation
from registrations.domain import returned_mails
from registrations.models import Delivery, Registration
from registrations.security import audit


@admin.action(description=gettext_lazy("Note that the mail came back"), permissions=["note_return"])
def came_back(model_admin: Any, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
    mails = returned_mails.may_have_returned(Delivery.objects.filter(pk__in=queryset.order_by().values("pk")))
    if not (count := mails.count()):
        messages.warning(
            request,
            _("None of the mails you have ticked can be noted: they have not left, or their return is known already."),
        )
        return None
    if not confirmation.given(request, count):
        return _ask(request, mails, count)
    people = list(Registration.objects.filter(pk__in=mails.order_by().values("registration")))
    returned_mails.note(mails)
    for registration in people:
        audit.record(audit.Action.ON_BEHALF, about=registration, act="came_back")
    done = ngettext("%(count)s mail is noted as returned.", "%(count)s mails are noted as returned.", count)
    messages.success(request, done % {"count": count})
    return None


def _ask(request: HttpRequest, mails: QuerySet[Delivery], count: int) -> HttpResponse:
    question = ngettext(
        "%(count)s mail came back: the address that it went to does not work.",
        "%(count)s mails came back: the addresses that they went to do not work.",
        count,
    )
    sentences = [
        question % {"count": count},
        _("No further mail of this registration goes to that address. A corrected address receives mail again."),
    ]
    button = ngettext("Note %(count)s return", "Note %(count)s returns", count) % {"count": count}
    title = _("Note that the mail came back")
    return confirmation.ask(
        request, mails.order_by("pk"), count=count, title=title, sentences=sentences, button=button
    )
