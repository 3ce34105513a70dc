"""The image that others show beside a link to the event."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from registrations.models import Event, ShareImage
from registrations.views.pictures import kept_for_good

RETRY_AFTER = 15  # seconds: a worker looks every ten


@require_safe
def share_image(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    """A link shared earlier gets the image of now, which is not kept for it."""
    published = Event.objects.published().filter(slug=slug)
    image = ShareImage.objects.filter(event__in=published).first()
    if image is None:
        return _not_made_yet() if published.exists() else _no_such_event()
    is_english = bool(digest) and digest == image.digest_en
    response = kept_for_good(bytes((image.content_en or b"") if is_english else image.content), "image/png")
    if digest not in {image.digest, image.digest_en}:
        response["Cache-Control"] = "no-cache"
    return response


def _no_such_event() -> HttpResponse:
    raise Http404


def _not_made_yet() -> HttpResponse:
    return HttpResponse(status=503, headers={"Retry-After": str(RETRY_AFTER)})
