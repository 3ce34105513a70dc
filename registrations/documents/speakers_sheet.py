"""The questions of registrants, for the speakers: without name, address or organisation."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from registrations.documents import glyphs, pdf
from registrations.models import Event, Registration
from registrations.runtime.rows import in_chunks


def questions(event: Event) -> QuerySet[Registration]:
    """Questions of those with a seat, sorted by territory and text: the order reveals nothing about who asked."""
    return event.registrations.without_dry_runs().seated().exclude(question="").order_by("territory", "question", "pk")


def headings(*, with_territory: bool) -> list[str]:
    return [_("Question"), *([_("Territory")] if with_territory else [])]


def rows(event: Event, *, with_territory: bool) -> Iterator[list[str]]:
    fields = ["question", *(["territory"] if with_territory else [])]
    return map(list, in_chunks(questions(event).values_list(*fields)))


def speakers_sheet(event: Event, *, with_territory: bool) -> bytes:
    """PDF/UA-1. Raises pdf.RenderingFailed."""
    return pdf.render(typeset_html(event, with_territory=with_territory), timeout=pdf.LONG_TIMEOUT)


def glyph_warning(event: Event) -> str:
    """What the organiser is told before the sheet is made. Empty when a font has each character."""
    unusual = Q(question__regex=glyphs.UNUSUAL) | Q(territory__regex=glyphs.UNUSUAL)
    asked = questions(event).filter(unusual).values_list("question", "territory")
    return glyphs.warning("".join([event.title, event.organiser_name, *map("".join, asked)]))


def typeset_html(event: Event, *, with_territory: bool) -> str:
    context = {
        "event": event,
        "questions": list(questions(event).values("question", "territory")),
        "with_territory": with_territory,
        "font_faces": pdf.font_faces([*pdf.FONTS, *pdf.NAME_FONTS]),
    }
    return render_to_string("registrations/documents/speakers_sheet.html", context)
