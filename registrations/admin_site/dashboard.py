"""The first page of the desk: what wants attention, each event at a glance, and one event's sign-ups drawn."""

from typing import Any

from django.http import HttpRequest

from registrations.models import Event, WorkerPresence
from registrations.runtime import pango
from registrations.statistics import charts, dashboard
from registrations.statistics.dashboard import EventSummary

MAY_SEE = ["registrations.view_event", "registrations.view_registration"]


def context(request: HttpRequest) -> dict[str, Any]:
    found = dashboard.problems()
    summaries = dashboard.summaries(found)
    health = {
        "late": sum(problems.late for problems in found.values()),
        "failed": sum(problems.failed for problems in found.values()),
        "refused": sum(problems.refused for problems in found.values()),
        "held": sum(problems.held for problems in found.values()),
        "nobody_works": not WorkerPresence.objects.alive(),
    }
    return {
        "mail_health": health,
        "missing_pango": {} if pango.is_installed() else pango.HOW_TO_INSTALL,
        "without_room": [summary.event for summary in summaries if summary.event.lacks_its_room],
        **(_table(request, summaries) if request.user.has_perms(MAY_SEE) else {}),
    }


def _table(request: HttpRequest, summaries: list[EventSummary]) -> dict[str, Any]:
    drawn = _chosen(request, summaries)
    return {"summaries": summaries, **(_drawings(drawn) if drawn else {})}


def _chosen(request: HttpRequest, summaries: list[EventSummary]) -> EventSummary | None:
    """The event asked for; else the next one, or the latest."""
    asked = [summary for summary in summaries if str(summary.event.pk) == request.GET.get("event")]
    public = [summary for summary in summaries if summary.event.status != Event.Status.DRAFT]
    return next(iter([*asked, *public, *summaries]), None)


def _drawings(summary: EventSummary) -> dict[str, Any]:
    sign_ups, territories = dashboard.sign_ups(summary), dashboard.territories(summary)
    return {
        "drawn": summary.event,
        "drawn_purged": sum(summary.purged.values()),
        "days": sign_ups.days,
        "columns": charts.columns(sign_ups.figures),
        "columns_bottom": charts.COLUMNS_HEIGHT,
        "highest": max((figure.number for figure in sign_ups.figures), default=0),
        "lines": charts.lines(territories),
        "lines_height": charts.LINE * len(territories),
        "width": charts.WIDTH,
    }
