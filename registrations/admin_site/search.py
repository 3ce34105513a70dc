"""The search over everything: events by their title, people by name, address and organisation."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from registrations.admin_site.pages import list_path
from registrations.security import event_access

SHOWN = 20
TYPED_MAX = 200
PAGES_OF = {"event": "admin:registrations_event_home", "registration": "admin:registrations_registration_change"}


def search_page(request: HttpRequest) -> HttpResponse:
    """What was found; the only thing found is opened itself."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:TYPED_MAX]
    context = {**admin.site.each_context(request), "title": _("Search"), "words": words}
    found = {**_events(request, words), **_people(request, words)} if words else {}
    match [*found.get("events", []), *found.get("people", [])]:
        case [only]:
            return redirect(PAGES_OF[only._meta.model_name], only.pk)
    return TemplateResponse(request, "admin/search.html", {**context, **found})


def _events(request: HttpRequest, words: str) -> dict[str, Any]:
    from registrations.models import Event  # here: the site is made before the models are ready

    if not request.user.has_perm("registrations.view_event"):
        return {}
    events = event_access.limited(Event.objects.all(), request.user, "pk")
    for word in words.split():
        events = events.filter(Q(title__icontains=word) | Q(title_en__icontains=word))
    return {"events": list(events.order_by("-starts_at")[:SHOWN])}


def _people(request: HttpRequest, words: str) -> dict[str, Any]:
    from registrations.models import Registration  # here: the site is made before the models are ready

    if not request.user.has_perm("registrations.view_registration"):
        return {}
    found_by = Registration.objects.without_dry_runs().found_by(words).select_related("event")
    people = event_access.limited(found_by, request.user, "event")
    found = list(people.order_by("-created_at")[: SHOWN + 1])
    return {
        "people": found[:SHOWN],
        "all_people": list_path(Registration, q=words) if len(found) > SHOWN else "",
    }
