"""Django's admin under the product's name.

Not in the `admin` package, whose modules register themselves on this site as they are imported.
"""

from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin_site import login as login_pages
from registrations.admin_site.help import help_page
from registrations.admin_site.invitation import InvitationView
from registrations.admin_site.pages import AdminPage
from registrations.admin_site.search import search_page
from registrations.models import Event
from registrations.security import audit, event_access
from registrations.web.errors import session_ended

SENSITIVE = {"delete_selected", "erase_on_request", "disown", "take_data"}  # actions that ask for a fresh password


class WebinarAdminSite(admin.AdminSite):
    site_title = gettext_lazy("Webinars")
    index_title = gettext_lazy("Organiser’s desk")
    empty_value_display = "–"
    enable_nav_sidebar = False

    @property
    def site_header(self) -> str:  # type: ignore[override] # a plain attribute in Django
        return _("%(name)s – webinars") % {"name": settings.LEGAL_NAME}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from registrations.admin_site import dashboard  # here: the site is made before the models are ready

        return super().index(request, {**dashboard.context(request), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            *(page.url(self) for page in self.pages()),
            path("code/", login_pages.code, name="code"),
            path("set-up/", login_pages.set_up, name="set_up"),
            path("invitation/<uidb64>/<token>/", InvitationView.as_view(), name="invitation"),
            *super().get_urls(),
        ]

    @staticmethod
    def pages() -> list[AdminPage]:
        """Those that belong to no model. The pages before the second factor are not among them: see `get_urls`."""
        return [
            AdminPage("aide/", help_page, name="help", permissions=()),
            AdminPage("chercher/", search_page, name="search", permissions=()),
            AdminPage("confirm/", login_pages.confirm_password, name="confirm_password", permissions=()),
            AdminPage("documents/<path:name>", document, name="document", permissions=("registrations.view_event",)),
        ]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """No field of this admin uses it."""
        raise Http404

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not login_pages.is_needed(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "GET" and self._waits_for_code(request):
            return redirect(login_pages.to("code", login_pages.next_address(request)))
        stock = super().login
        return login_pages.counted_login(request, lambda: stock(request, extra_context))

    def _waits_for_code(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and login_pages.is_needed(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wraps every page: second factor first, a fresh password for deletions, and the account for the audit log.

        A form that is sent after the session has ended is kept.
        """
        stock = super().admin_view(recorded(view), cacheable)

        @wraps(stock)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            waits_for_code = self._waits_for_code(request)
            is_logout = request.resolver_match and request.resolver_match.url_name == "logout"
            if request.POST and not is_logout and (waits_for_code or request.user.is_anonymous):
                return session_ended(request)
            if request.resolver_match and request.resolver_match.url_name == "view_on_site":
                _refuse_others_events(request, **kwargs)
            if not waits_for_code:
                return stock(request, *args, **kwargs)
            return self.logout(request) if is_logout else redirect(login_pages.to("code", request.get_full_path()))

        return page


def recorded(view: Any) -> Any:
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with audit.acting(request.user):
            guarded = login_pages.with_fresh_password(view) if is_sensitive(request) else view
            return guarded(request, *args, **kwargs)

    return page


def is_sensitive(request: HttpRequest) -> bool:
    """Whether the request is for the deletion page of a row, or for an action that deletes rows or takes data out."""
    if request.resolver_match and (request.resolver_match.url_name or "").endswith("_delete"):
        return True
    return any(value in SENSITIVE for name, value in request.POST.items() if name.endswith("action"))


def _refuse_others_events(request: HttpRequest, content_type_id: str = "", object_id: str = "") -> None:
    """Django would lead to any object: an account that is limited goes to its own events only."""
    own = {str(pk) for pk in event_access.named_events(request.user) or ()}
    of_events = str(ContentType.objects.get_for_model(Event).pk)
    if _is_limited(request) and not (content_type_id == of_events and object_id in own):
        raise Http404


def _is_limited(request: HttpRequest) -> bool:
    return event_access.is_limited(request.user)


def document(request: HttpRequest, name: str) -> HttpResponse | FileResponse:
    """An uploaded file, for staff: file fields in the admin link to it."""
    is_named = Q(report_file=name) | Q(documents__file=name)
    is_theirs = Event.objects.filter(is_named, pk__in=event_access.named_events(request.user) or ())
    if not default_storage.exists(name) or (_is_limited(request) and not is_theirs.exists()):
        raise Http404
    response = FileResponse(default_storage.open(name), as_attachment=True)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "no-store, private"
    return response
