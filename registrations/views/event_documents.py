"""The PDFs of an event: public ones at an address that changes with their content, others behind a personal link."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from registrations.domain import dry_runs
from registrations.models import EventDocument
from registrations.models.dry_run_moment import MOMENT
from registrations.models.event import Event
from registrations.views.documents import unavailable
from registrations.views.personal import registration_of
from registrations.views.pictures import FOR_GOOD
from registrations.web.responses import pdf_response, private_page

logger = logging.getLogger(__name__)
Audience = EventDocument.Audience


@require_safe
def public(request: HttpRequest, digest: str) -> HttpResponse:
    """Browsers keep it for good."""
    published = EventDocument.objects.exclude(event__status=Event.Status.DRAFT).exclude(file="")
    document = published.filter(digest=digest, audience=Audience.EVERYBODY).first()
    content = _content(document) if document else None
    if document is None or content is None:
        raise Http404
    response = pdf_response(content, document.filename)
    response["Cache-Control"] = FOR_GOOD
    return response


@require_safe
@private_page
def of_registrant(request: HttpRequest, join_code: str, pk: int) -> HttpResponse:
    """What is for after the session is not found before; a dry run looks at it as if the session were over."""
    registration = registration_of(join_code)
    dry_runs.simulate_moment(registration, request.GET.get(MOMENT, ""))
    event = registration.event
    document = get_object_or_404(event.documents.exclude(file=""), pk=pk)
    if document.is_for_afterwards and not event.is_over:
        raise Http404
    if (content := _content(document)) is None:
        return unavailable(request, {"event": event, "registration": registration}, can_be_made=True)
    return pdf_response(content, document.filename)


def _content(document: EventDocument) -> bytes | None:
    try:
        with document.file.open("rb") as file:
            return bytes(file.read())
    except OSError:
        logger.exception("The file of document %s could not be read", document.pk)
        return None
