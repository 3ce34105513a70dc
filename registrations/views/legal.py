"""Personal data, accessibility, legal notice."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe


@require_safe
@gzip_page
def personal_data(request: HttpRequest) -> HttpResponse:
    return render(request, "registrations/public/personal_data.html")


@require_safe
@gzip_page
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "registrations/public/accessibility.html")


@require_safe
@gzip_page
def legal_notice(request: HttpRequest) -> HttpResponse:
    return render(request, "registrations/public/legal_notice.html")
