"""The sheet on which those who come sign: everyone with a seat, in the order of their names."""

from django.template.loader import render_to_string
from django.utils.translation import ngettext

from registrations.documents import pdf
from registrations.models import Event, Registration
from registrations.models.search import folded

PEOPLE_MAX = 2000  # more would take longer to typeset than pdf.TIMEOUT


class TooManyPeople(ValueError):
    """The sentence says how many there are, and what to do."""


def people(event: Event) -> list[Registration]:
    """« É » stands with « E », whatever the database thinks of it."""
    seated = event.registrations.seated().only("last_name", "first_name", "organisation", "event")
    return sorted(seated, key=lambda one: (folded(one.last_name), folded(one.first_name), one.pk))


def sign_in_sheet(event: Event) -> bytes:
    """PDF/UA-1; raises TooManyPeople, pdf.RenderingFailed."""
    count = event.registrations.seated().count()
    if count > PEOPLE_MAX:
        raise TooManyPeople(_too_many(count))
    return pdf.render(typeset_html(event), timeout=pdf.LONG_TIMEOUT)


def typeset_html(event: Event) -> str:
    fonts = pdf.font_faces([*pdf.FONTS, *pdf.NAME_FONTS])
    return render_to_string("pdf/sign_in_sheet.html", {"event": event, "people": people(event), "font_faces": fonts})


def _too_many(count: int) -> str:
    sentence = ngettext(
        "%(count)s person has a seat: a sign-in sheet holds %(most)s. Export the list as a workbook and print it.",
        "%(count)s people have a seat: a sign-in sheet holds %(most)s. Export the list as a workbook and print it.",
        count,
    )
    return sentence % {"count": count, "most": PEOPLE_MAX}
