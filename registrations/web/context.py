"""What every page needs to know of the site: its address, and the facts that the operator has set."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static


def facts(request: HttpRequest) -> dict[str, Any]:
    return {
        "base_url": settings.BASE_URL,
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
    """For browsers that ask at the root, on pages of the desk that name no icon."""
    return redirect(static("img/icon.svg"))
