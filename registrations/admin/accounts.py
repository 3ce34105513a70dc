"""The accounts of staff and their groups: Django's own pages, with the rule for the filters of all lists."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import EmailField

from registrations.admin.shared.model_admin import OnlyOfferedLookups
from registrations.web.fields import AddressField

admin.site.unregister([User, Group])


@admin.register(User)
class UserAdmin(OnlyOfferedLookups, DjangoUserAdmin[User]):
    formfield_overrides = {EmailField: {"form_class": AddressField}}


@admin.register(Group)
class GroupAdmin(OnlyOfferedLookups, DjangoGroupAdmin):
    pass
