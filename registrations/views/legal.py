"""Personal data, accessibility, legal notice: texts with the values that the operator has set."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

FACTS = ["name", "address", "contact", "publisher", "host", "mail_provider", "room_provider"]


@require_safe
def personal_data(request: HttpRequest) -> HttpResponse:
    return _page(request, "registrations/personal_data.html")


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return _page(request, "registrations/accessibility.html")


@require_safe
def legal_notice(request: HttpRequest) -> HttpResponse:
    return _page(request, "registrations/legal_notice.html")


def _page(request: HttpRequest, template: str) -> HttpResponse:
    legal = {fact: getattr(settings, f"LEGAL_{fact.upper()}") for fact in FACTS}
    return render(request, template, {"legal": legal})
