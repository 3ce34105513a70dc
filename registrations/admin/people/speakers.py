"""The speakers: an address book from which events take them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from registrations.admin.shared import pictures
from registrations.admin.shared.model_admin import WebinarModelAdmin
from registrations.models import Speaker
from registrations.security import event_access


class SpeakerForm(pictures.PictureForm):
    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        if data.get(pictures.UPLOAD) and not data.get("picture_description"):
            words = _("Describe the picture for those who do not see it.")
            raise ValidationError({"picture_description": words})
        return data


@admin.register(Speaker)
class SpeakerAdmin(WebinarModelAdmin[Speaker]):
    form = SpeakerForm
    fields: ClassVar[Any] = [
        "name",
        "role",
        "role_en",
        "organisation",
        "bio",
        "bio_en",
        "portrait",
        "upload",
        "picture_description",
        "picture_description_en",
    ]
    readonly_fields: ClassVar[Any] = ["portrait"]
    list_display = ["name", "role", "organisation", "event_count"]
    search_fields = ["name", "organisation"]

    def get_fields(self, request: HttpRequest, obj: Speaker | None = None) -> Any:
        return pictures.without_upload(self.fields, may_change=self.has_change_permission(request, obj))

    def limited(self, rows: QuerySet[Speaker], request: HttpRequest) -> QuerySet[Speaker]:
        if not event_access.is_limited(request.user):
            return rows
        return rows.filter(pk__in=event_access.speakers(request.user).values("pk"))

    def has_change_permission(self, request: HttpRequest, obj: Speaker | None = None) -> bool:
        is_others_too = obj is not None and obj.pk and event_access.is_named_elsewhere(request.user, obj)
        return super().has_change_permission(request, obj) and not is_others_too

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("picture").annotate(events=Count("appearances"))

    @admin.display(description=_("picture as it is now"))
    def portrait(self, speaker: Speaker) -> str:
        return pictures.shown(speaker.picture)

    @admin.display(description=_("events"), ordering="events")
    def event_count(self, speaker: Any) -> int:
        return int(speaker.events)
