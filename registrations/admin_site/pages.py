"""Pages of the admin besides those that Django makes for each model."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse

from registrations.admin_site.login import with_fresh_password

type AdminView = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class AdminPage:
    """One page: a function of the request and of what its address holds.

    All `permissions` are needed to open it. A page without any is open to all staff, or checks for itself.
    A page with `needs_fresh_password` asks for the password again when it was typed more than an hour ago.
    """

    route: str
    view: AdminView
    name: str
    permissions: tuple[str, ...]
    needs_fresh_password: bool = False

    def url(self, site: AdminSite, prefix: str = "") -> URLPattern:
        """`prefix` of the URL's name: `registrations_event_`, for example."""
        view = self._with_permission()
        if self.needs_fresh_password:
            view = with_fresh_password(view)
        address: URLPattern = path(self.route, site.admin_view(view), name=f"{prefix}{self.name}")
        return address

    def _with_permission(self) -> AdminView:
        @wraps(self.view)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perms(self.permissions):
                raise PermissionDenied
            return self.view(request, *args, **kwargs)

        return view


def list_path(model: type[Model], **filters: Any) -> str:
    """The list of this model, filtered: `list_path(Delivery, state__exact="failed")`."""
    listing = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{listing}?{urlencode(filters, safe=',')}" if filters else listing
