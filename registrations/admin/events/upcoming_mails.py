"""One page with all mails of an event that are to come."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from registrations.admin.messages import broadcasts
from registrations.admin.shared import model_admin
from registrations.admin_site.pages import AdminPage, list_path
from registrations.mailing import upcoming
from registrations.models import Delivery, Event


def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    return model_admin.page(
        request,
        Event,
        "admin/upcoming_mails.html",
        title=_("Mails to come"),
        event=event,
        lines=upcoming.timeline(event),
        notes=list(upcoming.notes(event)),
        all_mails=list_path(Delivery, event__id__exact=event.pk),
        **broadcasts.form_context(request, event),
    )


MAY_SEE = ("registrations.view_event", "registrations.view_delivery")
PAGES = [AdminPage("<int:pk>/timeline/", timeline, name="timeline", permissions=MAY_SEE)]
