"""The certificate of attendance of one person. A worker typesets it on demand (on_demand.py)."""

from datetime import datetime

from django.conf import settings
from django.db.models import Max
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from registrations.documents import glyphs, pdf
from registrations.models import Registration

FILENAME = "attestation.pdf"
LONG = 200  # characters of name and title: above it, a smaller font keeps the certificate on one page


def typeset_html(registration: Registration, *, issued_at: datetime) -> str:
    with translation.override(registration.language):
        context = {
            "registration": registration,
            "event": registration.event,
            "minutes": minutes_present(registration),
            "is_long": len(f"{registration}{registration.event.texts.title}") > LONG,
            "issued_at": issued_at,
            "check_url": settings.BASE_URL + reverse("certificate_check", args=[registration.certificate_number]),
            "font_faces": pdf.font_faces([*pdf.FONTS, *pdf.NAME_FONTS]),
        }
        return render_to_string("registrations/documents/certificate.html", context)


def missing_glyphs(registration: Registration) -> str:
    """Characters that no font has: with one of them, the certificate is not made."""
    event = registration.event
    return glyphs.missing(
        f"{registration.first_name}{registration.last_name}{event.title}{event.title_en}{event.organiser_name}"
    )


def minutes_present(registration: Registration) -> int | None:
    """Minutes in the imported report, at most the length of the session: someone may have joined with two devices."""
    minutes: int | None = registration.attendances.aggregate(minutes=Max("minutes"))["minutes"]
    event = registration.event
    length = int((event.ends_at - event.starts_at).total_seconds() // 60)
    return min(minutes, length) if minutes else None


def initials(registration: Registration) -> str:
    """« Z. D. »: enough to compare with a certificate, too little to learn who attended."""
    names = (registration.first_name, registration.last_name)
    letters = [next((char for char in name if char.isalpha()), "") for name in names]
    return "\u00a0".join(f"{letter.upper()}." for letter in letters if letter)
