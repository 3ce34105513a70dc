"""What every page needs to know of the site: its address, and the facts that the operator has set."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
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
