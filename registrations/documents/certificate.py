"""The certificate of attendance of one person: made anew whenever it is asked for, and kept nowhere."""

from django.conf import settings
from django.db.models import Max
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from registrations.documents import pdf
from registrations.models import Registration

FILENAME = "attestation.pdf"
LONG = 200  # characters of name and title, from which on they are set smaller to stay on one page


def certificate(registration: Registration) -> bytes:
    """One page of PDF/UA-1 in the registrant's language; raises pdf.RenderingFailed."""
    return pdf.render(typeset_html(registration))


def typeset_html(registration: Registration) -> str:
    with translation.override(registration.language):
        context = {
            "registration": registration,
            "event": registration.event,
            "minutes": minutes_present(registration),
            "is_long": len(f"{registration}{registration.event.title}") > LONG,
            "issued_at": timezone.now(),
            "check_url": settings.BASE_URL + reverse("certificate_check", args=[registration.certificate_number]),
            "font_faces": pdf.font_faces([*pdf.FONTS, *pdf.NAME_FONTS]),
        }
        return render_to_string("pdf/certificate.html", context)


def minutes_present(registration: Registration) -> int | None:
    """As the room's report says, where there is one; two devices at once do not make a session longer."""
    minutes: int | None = registration.attendances.aggregate(minutes=Max("minutes"))["minutes"]
    event = registration.event
    length = int((event.ends_at - event.starts_at).total_seconds() // 60)
    return min(minutes, length) if minutes else None


def initials(registration: Registration) -> str:
    """« Z. D. »: enough to compare with a document at hand, too little to learn who came."""
    names = (registration.first_name, registration.last_name)
    letters = [next((sign for sign in name if sign.isalpha()), "") for name in names]
    return "\u00a0".join(f"{letter.upper()}." for letter in letters if letter)
