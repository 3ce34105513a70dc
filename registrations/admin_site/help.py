"""The organiser's guide, for every member of staff."""

from email.utils import parseaddr

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


def help_page(request: HttpRequest) -> TemplateResponse:
    _name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    context = {**admin.site.each_context(request), "title": _("Help"), "sender": sender}
    return TemplateResponse(request, "admin/help.html", context)
