"""Logo and colour of the organisation: one row: a second form writes over it."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
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

    @admin.display(description=_("logo as it is now"))
    def shown_logo(self, identity: SiteIdentity) -> str:
        return pictures.shown(identity.logo)
