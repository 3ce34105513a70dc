"""The bilan on paper: what the desk's page tells, for funders, without a name."""

from typing import Any

from django.template.loader import render_to_string

from registrations.documents import pdf
from registrations.models import Event
from registrations.statistics import charts, event_figures
from registrations.statistics.disclosure_control import LEAST


def figures_sheet(event: Event) -> bytes:
    """PDF/UA-1; raises pdf.RenderingFailed."""
    return pdf.render(typeset_html(event))


def typeset_html(event: Event) -> str:
    fonts = pdf.font_faces([*pdf.FONTS, *pdf.NAME_FONTS])
    return render_to_string("pdf/figures.html", {**shown(event_figures.figures(event)), "font_faces": fonts})


def shown(counted: event_figures.Figures) -> dict[str, Any]:
    """What the page and the document both show."""
    event = counted.event
    marked = None if event.status == Event.Status.POSTPONED else event.start_date
    return {
        "event": event,
        "figures": counted,
        "curve": charts.curve(counted.totals, marked),
        "curve_bottom": charts.COLUMNS_HEIGHT,
        "width": charts.WIDTH,
        "least": LEAST,
    }
