"""What every page needs to know of the site."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "site_name": settings.LEGAL_NAME,
        "base_url": settings.BASE_URL,
        "site_contact": settings.LEGAL_CONTACT,
    }
