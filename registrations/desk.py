"""The organiser's desk: Django's admin under our name.

Not in the `admin` package, whose modules register themselves on this site as they are imported.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class OrganisersDesk(admin.AdminSite):
    site_title = gettext_lazy("Webinars")
    index_title = gettext_lazy("Organiser’s desk")
    empty_value_display = "–"

    @property
    def site_header(self) -> str:  # type: ignore[override] # the stock one is a plain attribute
        return _("%(name)s – webinars") % {"name": settings.LEGAL_NAME}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"mail_health": mail_health(), "without_room": without_room(), **(extra_context or {})}
        return super().index(request, context)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("documents/<path:name>", self.admin_view(document), name="document"), *super().get_urls()]


def mail_health() -> dict[str, Any]:
    """What an organiser must know of the mails before anything else."""
    from registrations.models import Delivery, WorkerPresence  # here: the desk is made before the models are ready

    return {
        "late": Delivery.objects.overdue().count(),
        "failed": Delivery.objects.filter(state=Delivery.State.FAILED).count(),
        "refused": Delivery.objects.refused().count(),
        "nobody_works": not WorkerPresence.objects.seen_lately().exists(),
    }


def without_room() -> list[Any]:
    """The events that take place soon and have no link to the room."""
    from registrations.models import Event  # here, as above

    coming = Event.objects.filter(status=Event.Status.PUBLISHED, connection_url="", ends_at__gt=timezone.now())
    return [event for event in coming if event.lacks_its_room]


@permission_required("registrations.view_event", raise_exception=True)
def document(request: HttpRequest, name: str) -> HttpResponse | FileResponse:
    """An uploaded file, for staff: the link that a file field shows leads here."""
    if not default_storage.exists(name):
        raise Http404
    response = FileResponse(default_storage.open(name), as_attachment=True)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "no-store, private"
    return response


class DeskPages:
    """Titles that name the things themselves, in place of « Sélectionnez l’objet … à changer »."""

    opts: Any

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[misc]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        name = capfirst(self.opts.verbose_name)
        title = name if object_id else _("Add: %(name)s") % {"name": self.opts.verbose_name}
        return super().changeform_view(request, object_id, form_url, {"title": title, **(extra_context or {})})  # type: ignore[misc]
