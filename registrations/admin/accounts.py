"""The accounts of staff and their groups: Django's own pages, with the rule for the filters of all lists."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import EmailField
from django.http import HttpRequest
from django.utils.text import capfirst

from registrations.admin.shared.model_admin import OnlyOfferedLookups
from registrations.web.fields import AddressField

admin.site.unregister([User, Group])


class NamedAfterItself(OnlyOfferedLookups):
    """Titles name the thing itself, as those of the site's own pages do."""

    opts: Any
    show_facets = ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        return cast(Any, super()).changelist_view(request, context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        context = {"title": capfirst(self.opts.verbose_name), **(extra_context or {})}
        return cast(Any, super()).change_view(request, object_id, form_url, context)


@admin.register(User)
class UserAdmin(NamedAfterItself, DjangoUserAdmin[User]):
    formfield_overrides = {EmailField: {"form_class": AddressField}}


@admin.register(Group)
class GroupAdmin(NamedAfterItself, DjangoGroupAdmin):
    pass
