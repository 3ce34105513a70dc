"""Sitemap and robots.txt. Personal pages are not listed in robots.txt: they send noindex themselves."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap, views
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from registrations.models import Event

ROBOTS = "User-agent: *\nDisallow:\n\nSitemap: {}/sitemap.xml\n"


class _Pages[Item](Sitemap[Item]):
    """URLs on BASE_URL, not on the host of the request."""

    i18n = alternates = x_default = True

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.BASE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.BASE_URL).netloc


class EventPages(_Pages[Event]):
    def items(self) -> QuerySet[Event]:
        return Event.objects.published()


class LegalPages(_Pages[str]):
    def items(self) -> list[str]:
        return ["accessibility", "personal_data", "legal_notice"]

    def location(self, item: str) -> str:
        return reverse(item)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = views.sitemap(request, {"events": EventPages, "legal": LegalPages})
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS.format(settings.BASE_URL), content_type="text/plain")
