"""What the admins of all models have in common."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from registrations.admin_site.pages import AdminPage


class WebinarModelAdmin[M: Model](admin.ModelAdmin[M]):
    """Titles name the thing itself, in place of « Sélectionnez l’objet … à changer ».

    `pages` are the pages of this model besides Django's own.
    """

    pages: ClassVar[Sequence[AdminPage]] = ()

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [*(page.url(self.admin_site, prefix) for page in self.pages), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        return super().changelist_view(request, context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        name = capfirst(self.opts.verbose_name)
        title = name if object_id else _("Add: %(name)s") % {"name": self.opts.verbose_name}
        return super().changeform_view(request, object_id, form_url, {"title": title, **(extra_context or {})})


def page(request: HttpRequest, model: type[Model], template: str, *, title: str, **context: Any) -> TemplateResponse:
    """A page of this model: what all pages of the admin show, and `context`."""
    shared = {**admin.site.each_context(request), "opts": model._meta, "title": title}
    return TemplateResponse(request, template, {**shared, **context})


def log_change(request: HttpRequest, row: Model, words: str) -> None:
    """In Django's log of the admin, which is the history of this row."""
    admin.site.get_model_admin(type(row)).log_change(request, row, words)
