"""The first page of the desk: what wants attention, each event at a glance, and one event's sign-ups drawn."""

from typing import Any

from django.http import HttpRequest

from registrations import chart, dashboard
from registrations.dashboard import Glance
from registrations.models import Event, WorkerPresence
from registrations.runtime import pango

MAY_SEE = ["registrations.view_event", "registrations.view_registration"]


def context(request: HttpRequest) -> dict[str, Any]:
    found = dashboard.troubles()
    glances = dashboard.glances(found)
    health = {
        "late": sum(troubles.late for troubles in found.values()),
        "failed": sum(troubles.failed for troubles in found.values()),
        "refused": sum(troubles.refused for troubles in found.values()),
        "held": sum(troubles.held for troubles in found.values()),
        "nobody_works": not WorkerPresence.objects.alive(),
    }
    return {
        "mail_health": health,
        "missing_pango": {} if pango.is_installed() else pango.HOW_TO_INSTALL,
        "without_room": [glance.event for glance in glances if glance.event.lacks_its_room],
        **(_table(request, glances) if request.user.has_perms(MAY_SEE) else {}),
    }


def _table(request: HttpRequest, glances: list[Glance]) -> dict[str, Any]:
    drawn = _chosen(request, glances)
    return {"glances": glances, **(_drawings(drawn) if drawn else {})}


def _chosen(request: HttpRequest, glances: list[Glance]) -> Glance | None:
    """The event asked for; else the next one, or the latest."""
    asked = [glance for glance in glances if str(glance.event.pk) == request.GET.get("event")]
    public = [glance for glance in glances if glance.event.status != Event.Status.DRAFT]
    return next(iter([*asked, *public, *glances]), None)


def _drawings(glance: Glance) -> dict[str, Any]:
    sign_ups, territories = dashboard.sign_ups(glance), dashboard.territories(glance)
    return {
        "drawn": glance.event,
        "drawn_purged": sum(glance.purged.values()),
        "days": sign_ups.days,
        "columns": chart.columns(sign_ups.figures),
        "columns_bottom": chart.COLUMNS_HEIGHT,
        "highest": max((figure.number for figure in sign_ups.figures), default=0),
        "lines": chart.lines(territories),
        "lines_height": chart.LINE * len(territories),
        "width": chart.WIDTH,
    }
