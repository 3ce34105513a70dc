"""The certificate of attendance: its download from the personal page, and the public page that checks a number."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from registrations.documents import certificate, certificate_number
from registrations.models import Registration
from registrations.security import rate_limits
from registrations.views.documents import on_demand_response
from registrations.views.self_service import own_page
from registrations.web.forms import CertificateForm
from registrations.web.responses import private_page


@own_page
def download(request: HttpRequest, registration: Registration) -> HttpResponse:
    if not registration.has_certificate:
        raise Http404
    context: dict[str, Any] = {"event": registration.event, "registration": registration, "is_certificate": True}
    limit = rate_limits.CERTIFICATES_OF_REGISTRATION
    return on_demand_response(
        request,
        registration,
        filename=certificate.FILENAME,
        context=context,
        wait=lambda: rate_limits.take((limit, str(registration.pk))),
    )


@require_safe
@private_page
def find(request: HttpRequest) -> HttpResponse:
    form = CertificateForm(request.GET or None)
    if form.is_valid():
        return redirect("certificate_check", number=form.cleaned_data["number"])
    return render(request, "registrations/public/certificates.html", {"form": form})


@require_safe
@private_page
def check(request: HttpRequest, number: str) -> HttpResponse:
    """Show only what is needed to compare a certificate; all other numbers get the same 404 page."""
    number = certificate_number.parse(number)
    found = (
        Registration.objects.without_dry_runs()
        .certified()
        .select_related("event")
        .filter(certificate_number=number)
        .first()
    )
    if found is None:
        return render(request, "registrations/public/certificate_unknown.html", status=404)
    context = {"webinar": found.event, "initials": certificate.initials(found), "number": number}
    return render(request, "registrations/public/certificate_check.html", context)
