"""The accounts of staff and their groups: Django's own pages, with the rule for the filters of all lists."""

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, UserCreationForm
from django.contrib.auth.models import Group, User
from django.db.models import EmailField

from registrations.admin.shared.model_admin import NamedTitles, OnlyOfferedLookups
from registrations.web.fields import AddressField

admin.site.unregister([User, Group])


class PasswordChangeForm(AdminPasswordChangeForm[User]):
    """Without the choice of an account that has no password: there is no other way to log in here."""

    usable_password = None


class NamedAccounts(NamedTitles, OnlyOfferedLookups):
    show_facets = ShowFacets.NEVER


@admin.register(User)
class UserAdmin(NamedAccounts, DjangoUserAdmin[User]):
    formfield_overrides = {EmailField: {"form_class": AddressField}}
    add_form = UserCreationForm
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)
    change_password_form = PasswordChangeForm


@admin.register(Group)
class GroupAdmin(NamedAccounts, DjangoGroupAdmin):
    pass
