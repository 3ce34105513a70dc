"""Inside the web process of the tests: makes the data of a page, and lets faults happen on request."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model, login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation

from registrations.mailing import composer
from registrations.models import Delivery, Event, Registration, SiteIdentity, Speaker
from registrations.web import errors
from tests.browser.pages import PAGES

FAULTS: dict[str, Exception] = {
    "unreadable": BadRequest("asked for"),
    "database": OperationalError("asked for"),
    "defect": RuntimeError("asked for"),
}


def prepare(request: HttpRequest, name: str) -> HttpResponse:
    """Make what the page of that name shows, and go there; to a page of the admin, as the organiser.

    What the pages before have made is gone, or lists and filters would grow with each page.
    """
    page = next(page for page in PAGES if page.name == name)
    events_before = Event.objects.exclude(pk=Event.objects.earliest("pk").pk)
    Registration.objects.filter(event__in=events_before).delete()
    events_before.delete()
    SiteIdentity.objects.all().delete()
    Speaker.objects.all().delete()
    with translation.override(request.GET.get("language", "fr")):
        path = page.prepare()
    if page.admin:
        organiser = get_user_model().objects.get(is_superuser=True)
        login(request, organiser, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(path)


def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of a mail in a page of its own, which may have the inline styles that mails need."""
    message = composer.compose(Delivery.objects.get(pk=pk))
    html = next(str(content) for content, mimetype in message.alternatives if mimetype == "text/html")
    response = HttpResponse(html)
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def refused(request: HttpRequest, status: int) -> HttpResponse:
    """The pages that only a flood, a huge body or a refused permission would show."""
    pages: dict[int, Callable[[], HttpResponse]] = {
        403: lambda: errors.forbidden(request, PermissionDenied()),
        413: lambda: errors.too_large(request),
        507: lambda: errors.no_room(request),
        429: lambda: errors.too_many_requests(request, timedelta(minutes=3)),
    }
    return pages[status]()


class Faults:
    """`?get=database` makes a GET of that address meet a database that is away; `?post=…` the POST that follows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        if fault := request.GET.get(str(request.method).lower()):
            raise FAULTS[fault]
