"""The sign-in sheet: everyone with a seat, sorted by name, with room for a signature."""

from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import ngettext

from registrations.documents import glyphs, pdf
from registrations.models import Event, Registration
from registrations.models.search import folded

PEOPLE_MAX = 2000  # more would take longer to typeset than pdf.TIMEOUT


class TooManyPeople(ValueError):
    """The message says how many people there are, and what to do."""


def people(event: Event) -> list[Registration]:
    """Sorted in Python: « É » is sorted like « E », whatever the collation of the database."""
    seated = event.registrations.without_dry_runs().seated().only("last_name", "first_name", "organisation", "event")
    return sorted(seated, key=lambda person: (folded(person.last_name), folded(person.first_name), person.pk))


def sign_in_sheet(event: Event) -> bytes:
    """PDF/UA-1. Raises TooManyPeople, pdf.RenderingFailed."""
    count = event.registrations.without_dry_runs().seated().count()
    if count > PEOPLE_MAX:
        raise TooManyPeople(_too_many(count))
    return pdf.render(typeset_html(event), timeout=pdf.LONG_TIMEOUT)


def typeset_html(event: Event) -> str:
    fonts = pdf.font_faces([*pdf.FONTS, *pdf.NAME_FONTS])
    return render_to_string(
        "registrations/documents/sign_in_sheet.html", {"event": event, "people": people(event), "font_faces": fonts}
    )


def glyph_warning(event: Event) -> str:
    """What the organiser is told before the sheet is made. Empty when a font has each character."""
    columns = ("last_name", "first_name", "organisation")
    unusual = Q.create([(f"{column}__regex", glyphs.UNUSUAL) for column in columns], connector=Q.OR)
    people = event.registrations.without_dry_runs().seated().filter(unusual).values_list(*columns)
    return glyphs.warning("".join([event.title, event.organiser_name, *map("".join, people)]))


def _too_many(count: int) -> str:
    sentence = ngettext(
        "%(count)s person has a seat: a sign-in sheet holds %(most)s. Export the list as a workbook and print it.",
        "%(count)s people have a seat: a sign-in sheet holds %(most)s. Export the list as a workbook and print it.",
        count,
    )
    return sentence % {"count": count, "most": PEOPLE_MAX}
