"""Pictures, at addresses that change with their content: browsers keep them for good."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from registrations.models import PictureFile

FOR_GOOD = "public, max-age=31536000, immutable"


@require_safe
def picture(request: HttpRequest, digest: str, width: int) -> HttpResponse:
    file = get_object_or_404(PictureFile, picture__digest=digest, width=width)
    return kept_for_good(bytes(file.content), "image/webp")


def kept_for_good(content: bytes, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Cache-Control"] = FOR_GOOD
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
