"""By what the list of people is narrowed, besides their own columns."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from registrations.admin.shared.model_admin import EventFilter
from registrations.models import Delivery, Registration, unresolved_mails
from registrations.models.delivery import DeliveryQuerySet
from registrations.models.registration import VERY_MANY, RegistrationQuerySet
from registrations.security import event_access

EVENT = "event__id__exact"
TO_SEE = "to_see"  # value of the filter: some mail needs somebody


def people_to_see(mails: DeliveryQuerySet) -> QuerySet[Any, Any]:
    """Numbers of the people of whom one of these mails needs somebody."""
    of_people = unresolved_mails.to_see(mails).filter(registration__isnull=False)
    return of_people.order_by("-registration").values_list("registration", flat=True).distinct()


class PeopleEventFilter(EventFilter):
    """Chosen already in the list of one event: it offers no others there, and asks for none."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return [] if EVENT in request.GET else super().field_choices(field, request, model_admin)

    def has_output(self) -> bool:
        return True


class MailStateFilter(admin.SimpleListFilter):
    title = _("state of the mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(TO_SEE, _("A mail to see")), *Delivery.State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        if not self.value():
            return queryset
        if self.value() == TO_SEE:
            return queryset.filter(pk__in=list(people_to_see(Delivery.objects.all())[:VERY_MANY]))
        mails = Delivery.objects.filter(state=self.value())
        named = mails.filter(registration__isnull=False).order_by("-registration")
        people = list(named.values_list("registration", flat=True).distinct()[:VERY_MANY])
        if len(people) < VERY_MANY:  # by primary key when they are few, else by a scan of the latest
            return queryset.filter(pk__in=people)
        return queryset.filter(Exists(mails.filter(registration=OuterRef("pk"))))


class TerritoryFilter(admin.SimpleListFilter):
    """The territories that people have named; there is no choice for those who named none."""

    title = _("territory")
    parameter_name = "territory"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        people = event_access.limited(Registration.objects.without_dry_runs(), request.user, "event")
        return [(territory, territory) for territory in cast(RegistrationQuerySet, people).territories()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        return queryset.filter(territory=self.value()) if self.value() else queryset
