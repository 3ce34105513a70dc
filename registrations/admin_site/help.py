"""The organiser's guide, for every member of staff."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


def help_page(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "admin/help.html", {**admin.site.each_context(request), "title": _("Help")})
