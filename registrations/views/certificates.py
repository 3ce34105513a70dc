"""The certificate of attendance: its download from the personal page, and the public page that checks a number."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from registrations.documents import certificate, certificate_number, pdf
from registrations.models import Registration
from registrations.views.self_service import own_page
from registrations.web.forms import CertificateForm
from registrations.web.responses import pdf_response, private_page

logger = logging.getLogger(__name__)

RETRY_AFTER = 60  # seconds


@own_page
def download(request: HttpRequest, registration: Registration) -> HttpResponse:
    if not registration.has_certificate:
        raise Http404
    try:
        content = certificate.certificate(registration)
    except pdf.RenderingFailed as error:
        can_be_made = not isinstance(error, pdf.PangoMissing)
        logger.exception("The certificate of registration %s could not be made", registration.pk)
        context = {"event": registration.event, "registration": registration, "can_be_made": can_be_made}
        response = render(request, "registrations/personal/certificate_unavailable.html", context, status=503)
        response["Retry-After"] = str(RETRY_AFTER)
        return response
    return pdf_response(content, certificate.FILENAME)


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
