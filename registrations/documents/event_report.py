"""The figures of an event as PDF (the « bilan »), for its funders. It contains no name."""

from html import unescape
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import strip_tags

from registrations.documents import glyphs, pdf
from registrations.models import Event
from registrations.statistics import charts, event_figures
from registrations.statistics.disclosure_control import LEAST


def event_report(event: Event) -> bytes:
    """PDF/UA-1. Raises pdf.RenderingFailed."""
    return pdf.render(typeset_html(event))


def typeset_html(event: Event) -> str:
    fonts = pdf.font_faces([*pdf.FONTS, *pdf.NAME_FONTS])
    return render_to_string(
        "registrations/documents/event_report.html", {**context(event_figures.figures(event)), "font_faces": fonts}
    )


def glyph_warning(context: dict[str, Any]) -> str:
    """What the organiser is told before the document is made. Empty when a font has each character."""
    written = render_to_string("registrations/documents/event_report.html", context)
    return glyphs.warning(unescape(strip_tags(written)))


def context(figures: event_figures.Figures) -> dict[str, Any]:
    """Template context that the admin page and the document share."""
    event = figures.event
    marked_day = None if event.status == Event.Status.POSTPONED else event.start_date
    return {
        "event": event,
        "figures": figures,
        "curve": charts.curve(figures.totals, marked_day),
        "curve_bottom": charts.COLUMNS_HEIGHT,
        "width": charts.WIDTH,
        "least": LEAST,
    }
