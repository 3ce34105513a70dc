"""A copy of an event, made from its own page: one question, then the new draft opens."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from registrations.admin.shared import confirmation
from registrations.admin_site.pages import AdminPage
from registrations.domain import duplication
from registrations.models import Event
from registrations.text import dates


def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    events = admin.site.get_model_admin(Event)
    if not events.has_view_permission(request, event):
        raise PermissionDenied
    if confirmation.ANSWER not in request.POST:
        return _question(request, event)
    new = duplication.duplicate(event)
    events.log_addition(request, new, [{"added": {}}])
    sentence = _(
        "Here is the new draft, %(days)s. Check its title, its date, its address and the link to the room, "
        "then publish it: until then nobody sees it and no mail leaves."
    )
    messages.success(request, sentence % {"days": dates.on_days(new)})
    return HttpResponseRedirect(reverse("admin:registrations_event_change", args=[new.pk]))


def _question(request: HttpRequest, event: Event) -> HttpResponse:
    moved = duplication.moved(event.starts_at, event, duplication.years_ahead(event)) or event.starts_at
    sentences = [
        _("A draft is made with all texts, settings and report sections of this event."),
        _("Its date is %(day)s, the same day of the week at the same hour; reminders keep their distance to it.")
        % {"day": dates.day(moved, event)},
        _("Registrations, the recording and your words on a change are not taken over. Nothing is sent."),
    ]
    return confirmation.page(
        request,
        Event,
        title=_("Duplicate the event"),
        sentences=sentences,
        button=_("Make the draft"),
        hidden=[(confirmation.ANSWER, "yes")],
        back=reverse("admin:registrations_event_change", args=[event.pk]),
        original=event,
    )


PAGES = [AdminPage("<int:pk>/duplicate/", duplicate, name="duplicate", permissions=("registrations.add_event",))]
