"""Context processor of all pages: the address of the site and the operator's legal information."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.functional import SimpleLazyObject

from registrations.models import shown_identity


def facts(request: HttpRequest) -> dict[str, Any]:
    return {
        "base_url": settings.BASE_URL,
        "identity": SimpleLazyObject(shown_identity.current),
        "legal": {
            "name": settings.LEGAL_NAME,
            "address": settings.LEGAL_ADDRESS,
            "contact": settings.LEGAL_CONTACT,
            "publisher": settings.LEGAL_PUBLISHER,
            "host": settings.LEGAL_HOST,
            "mail_provider": settings.LEGAL_MAIL_PROVIDER,
            "room_provider": settings.LEGAL_ROOM_PROVIDER,
        },
    }


def favicon(request: HttpRequest) -> HttpResponse:
    """For browsers that request /favicon.ico, on admin pages without an icon link."""
    return redirect(static("img/icon.svg"))
