"""One page with all mails of an event that are to come."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from registrations.mailing import upcoming
from registrations.models import Event

MAY_SEE = ["registrations.view_event", "registrations.view_delivery"]


class Timeline:
    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.timeline)
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("<int:pk>/timeline/", view, name="registrations_event_timeline"), *urls]

    def timeline(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perms(MAY_SEE):
            raise PermissionDenied
        event = get_object_or_404(Event, pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Mails to come"),
            "event": event,
            "lines": upcoming.timeline(event),
            "notes": list(upcoming.notes(event)),
        }
        return TemplateResponse(request, "admin/timeline.html", context)
