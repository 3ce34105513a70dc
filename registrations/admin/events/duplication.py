"""An event once more, from its own page: one question, and the draft opens."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from registrations.admin.shared import confirmation
from registrations.domain import duplication
from registrations.models import Event
from registrations.text import dates


class Duplicates:
    admin_site: Any
    has_add_permission: Any
    has_view_permission: Any
    log_addition: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.duplicate)
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("<int:pk>/duplicate/", view, name="registrations_event_duplicate"), *urls]

    def duplicate(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = get_object_or_404(Event, pk=pk)
        if not (self.has_add_permission(request) and self.has_view_permission(request, event)):
            raise PermissionDenied
        if confirmation.ANSWER not in request.POST:
            return self._question(request, event)
        new = duplication.duplicate(event)
        self.log_addition(request, new, [{"added": {}}])
        sentence = _(
            "Here is the new draft, on %(day)s. Check its title, its date, its address and the link to the room, "
            "then publish it: until then nobody sees it and no mail leaves."
        )
        messages.success(request, sentence % {"day": dates.event_day(new)})
        return HttpResponseRedirect(reverse("admin:registrations_event_change", args=[new.pk]))

    def _question(self, request: HttpRequest, event: Event) -> HttpResponse:
        moved = duplication.moved(event.starts_at, event, duplication.years_ahead(event)) or event.starts_at
        sentences = [
            _("A draft is made with all texts, settings and report sections of this event."),
            _("Its date is %(day)s, the same day of the week at the same hour; reminders keep their distance to it.")
            % {"day": dates.day(moved, event)},
            _("Registrations, the recording and your words on a change are not taken over. Nothing is sent."),
        ]
        return confirmation.page(
            self,  # type: ignore[arg-type] # a mixin of ModelAdmin
            request,
            title=_("Duplicate the event"),
            sentences=sentences,
            button=_("Make the draft"),
            hidden=[(confirmation.ANSWER, "yes")],
            back=reverse("admin:registrations_event_change", args=[event.pk]),
            original=event,
        )
