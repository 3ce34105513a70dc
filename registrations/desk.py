"""The organiser's desk: Django's admin under our name.

Not in the `admin` package, whose modules register themselves on this site as they are imported.
"""

from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations import audit
from registrations.views import staff


class OrganisersDesk(admin.AdminSite):
    site_title = gettext_lazy("Webinars")
    index_title = gettext_lazy("Organiser’s desk")
    empty_value_display = "–"

    @property
    def site_header(self) -> str:  # type: ignore[override] # the stock one is a plain attribute
        return _("%(name)s – webinars") % {"name": settings.LEGAL_NAME}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from registrations.admin import first_page  # here: the desk is made before the models are ready

        return super().index(request, {**first_page.context(request), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from registrations.admin.help import help_page  # here: its package registers models on this site

        return [
            path("aide/", self.admin_view(help_page), name="help"),
            path("code/", staff.code, name="code"),
            path("set-up/", staff.set_up, name="set_up"),
            path("confirm/", self.admin_view(staff.confirm_password), name="confirm_password"),
            path("documents/<path:name>", self.admin_view(document), name="document"),
            *super().get_urls(),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not staff.is_needed(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "GET" and self._waits_for_code(request):
            return redirect(staff.to("code", staff.next_address(request)))
        stock = super().login
        return staff.counted_login(request, lambda: stock(request, extra_context))

    def _waits_for_code(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and staff.is_needed(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page of the desk: code first, a fresh password for erasures, and the audit log knows who it is."""
        stock = super().admin_view(recorded(view), cacheable)

        @wraps(stock)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self._waits_for_code(request):
                return stock(request, *args, **kwargs)
            if request.resolver_match and request.resolver_match.url_name == "logout":
                return self.logout(request)
            return redirect(staff.to("code", request.get_full_path()))

        return page


def recorded(view: Any) -> Any:
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with audit.acting(request.user):
            guarded = staff.with_fresh_password(view) if erases(request) else view
            return guarded(request, *args, **kwargs)

    return page


def erases(request: HttpRequest) -> bool:
    """One thing by its own page, or several by the action of a list."""
    if request.resolver_match and (request.resolver_match.url_name or "").endswith("_delete"):
        return True
    return "delete_selected" in [value for name, value in request.POST.items() if name.endswith("action")]


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


class NamelessHistory:
    """Django's own history keeps names for ever: here a number, which says nothing once the person is erased."""

    def log_addition(self, *args: Any) -> Any:
        return _without_name(super().log_addition(*args))  # type: ignore[misc]

    def log_change(self, *args: Any) -> Any:
        return _without_name(super().log_change(*args))  # type: ignore[misc]

    def log_deletions(self, *args: Any) -> Any:
        return [_without_name(entry) for entry in super().log_deletions(*args)]  # type: ignore[misc]


def _without_name(entry: Any) -> Any:
    entry.object_repr = f"n° {entry.object_id}"
    entry.save(update_fields=["object_repr"])
    return entry
