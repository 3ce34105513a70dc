"""Pictures and colours, at addresses that change with their content: browsers keep them for good."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from registrations.models import PictureFile, SiteIdentity

FOR_GOOD = "public, max-age=31536000, immutable"


@require_safe
def picture(request: HttpRequest, digest: str, width: int) -> HttpResponse:
    file = get_object_or_404(PictureFile, picture__digest=digest, width=width)
    return kept_for_good(bytes(file.content), "image/webp")


@require_safe
def colours(request: HttpRequest, digest: str) -> HttpResponse:
    """A page kept somewhere may name former colours: it is shown in the colours of now, which are not kept for it."""
    identity = SiteIdentity.objects.first()
    if identity is None or not identity.accent:
        raise Http404
    if digest != identity.stylesheet_digest:
        return redirect("colours", digest=identity.stylesheet_digest)
    return kept_for_good(identity.stylesheet.encode(), "text/css; charset=utf-8")


def kept_for_good(content: bytes, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Cache-Control"] = FOR_GOOD
    return response
