"""Logo and colour of the organisation: one row, whose form is the only page."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from registrations.admin.shared import pictures
from registrations.admin.shared.model_admin import WebinarModelAdmin
from registrations.documents.uploaded_picture import Use
from registrations.models import SiteIdentity


class SiteIdentityForm(pictures.PictureForm):
    picture_field = "logo"
    use = Use.LOGO

    class Meta:
        widgets: ClassVar[Any] = {name: forms.TextInput({"size": 8}) for name in ("accent", "dark_accent")}


@admin.register(SiteIdentity)
class SiteIdentityAdmin(WebinarModelAdmin[SiteIdentity]):
    form = SiteIdentityForm
    fields: ClassVar[Any] = ["shown_logo", "upload", "accent", "dark_accent"]
    readonly_fields: ClassVar[Any] = ["shown_logo"]

    def get_fields(self, request: HttpRequest, obj: SiteIdentity | None = None) -> Any:
        return pictures.without_upload(self.fields, may_change=self.has_change_permission(request, obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Straight to the one row, or to the form that makes it."""
        row = SiteIdentity.objects.first()
        if row and self.has_view_or_change_permission(request, row):
            return redirect("admin:registrations_siteidentity_change", row.pk)
        if row is None and self.has_add_permission(request):
            return redirect("admin:registrations_siteidentity_add")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    @admin.display(description=_("logo as it is now"))
    def shown_logo(self, identity: SiteIdentity) -> str:
        return pictures.shown(identity.logo)
