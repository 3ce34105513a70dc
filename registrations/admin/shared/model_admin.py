"""What the admins of all models have in common."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest
from django.db import DataError
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from registrations.admin_site.pages import AdminPage, AdminView
from registrations.models import Delivery, Event, Registration, unresolved_mails
from registrations.security import event_access
from registrations.text import desk_words

PRIMARY_KEY_DIGITS = 19

OFFERED = ["{}__exact", "{}__isnull", "{}__id__exact", "{}__gte", "{}__lt"]  # by Django's filter on a field


class OnlyOfferedLookups:
    """A list is narrowed by its filters only, and by `linked_lookups`, for which the site has links.

    Django would accept every lookup on every column: secret codes could be read letter by letter.
    """

    linked_lookups: ClassVar[Collection[str]] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        listed: Sequence[Any] = cast(Any, self).get_list_filter(request)
        filters = [one[0] if isinstance(one, tuple) else one for one in listed]  # (field, its filter)
        names = {one.parameter_name for one in filters if not isinstance(one, str)}
        of_fields = {name.format(one) for one in filters if isinstance(one, str) for name in OFFERED}
        return lookup in {*names, *of_fields, *self.linked_lookups}

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """A value that no column can hold leads back to the whole list, as values that Django recognises do."""
        try:
            return cast(ChangeList, cast(Any, super()).get_changelist_instance(request))
        except (OverflowError, DataError) as error:
            raise IncorrectLookupParameters from error


class EventFilter(admin.RelatedFieldListFilter):
    """The events that the account may see, each with its date, the latest first."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        events = event_access.limited(Event.objects.order_by("-starts_at"), request.user, "pk")
        return [(event.pk, desk_words.named_with_date(event)) for event in events]


class NamedTitles:
    """Titles name the thing itself, in place of « Sélectionnez l’objet … à changer »."""

    opts: Any

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        return cast(Any, super()).changelist_view(request, context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        name = capfirst(self.opts.verbose_name)
        title = name if object_id else _("Add: %(name)s") % {"name": self.opts.verbose_name}
        return cast(Any, super()).changeform_view(
            request, object_id, form_url, {"title": title, **(extra_context or {})}
        )


class WebinarModelAdmin[M: Model](NamedTitles, OnlyOfferedLookups, admin.ModelAdmin[M]):
    """What all lists and forms share.

    `pages` are the pages of this model besides Django's own. `event_path` leads from a row to its event: an account
    that is limited to some events sees the rows of these, and no row of a model without a path.
    """

    pages: ClassVar[Sequence[AdminPage]] = ()
    event_path: ClassVar[str] = ""

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        own = [replace(page, view=self._of_visible_row(page.view)) for page in self.pages]
        return [*(page.url(self.admin_site, prefix) for page in own), *super().get_urls()]

    def _of_visible_row(self, view: AdminView) -> AdminView:
        """For a page that names a row by `pk`: not found when this account may not see the row."""

        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if "pk" in kwargs and not self._is_visible(request, kwargs["pk"]):
                raise Http404
            return view(request, *args, **kwargs)

        return wrapper

    def _is_visible(self, request: HttpRequest, pk: Any) -> bool:
        if not event_access.is_limited(request.user):
            return True
        return self.limited(self.model._default_manager.filter(pk=pk), request).exists()

    def limited(self, rows: QuerySet[M], request: HttpRequest) -> QuerySet[M]:
        return event_access.limited(rows, request.user, self.event_path)

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        return self.limited(super().get_queryset(request), request)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_view_permission(request, obj) and self._is_theirs(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_theirs(request, obj)

    def _is_theirs(self, request: HttpRequest, obj: M | None) -> bool:
        return obj is None or obj.pk is None or self._is_visible(request, obj.pk)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A form offers the events that its account may see."""
        if db_field.related_model is Event and event_access.is_limited(request.user):
            kwargs["queryset"] = event_access.limited(Event.objects.all(), request.user, "pk")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """A list of the people or of the mails of one event is a page of this event."""
        event = event_of(request, request.GET.get("event__id__exact", ""))
        return super().changelist_view(request, {"event": event, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if "_saveasnew" in request.POST and not self.save_as:
            raise BadRequest("No form of this site asks for a copy.")
        return super().changeform_view(request, object_id, form_url, extra_context)


def is_key(typed: str) -> bool:
    return typed.isdecimal() and len(typed) < PRIMARY_KEY_DIGITS


def event_of(request: HttpRequest, key: str) -> Event | None:
    """The event of this key with what its tabs show; None when there is none that this account may see."""
    is_theirs = is_key(key) and event_access.may_see(request.user, int(key))
    event: Any = _with_numbers(Event.objects.filter(pk=key)).first() if is_theirs else None
    if event:
        event.seats_taken = event.seats
    return cast("Event | None", event)


def _with_numbers(events: QuerySet[Event]) -> QuerySet[Any]:
    """With what its tabs show, in the same query: seats taken, and mails that need somebody."""
    people = Registration.objects.without_dry_runs().seated().filter(event=OuterRef("pk"))
    mails = unresolved_mails.to_see(Delivery.objects.filter(event=OuterRef("pk")))
    return events.annotate(seats=_count(people), mails_to_see=_count(mails))


def _count(rows: QuerySet[Any]) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values("event").annotate(total=Count("*")).values("total")), 0)


def page(request: HttpRequest, model: type[Model], template: str, *, title: str, **context: Any) -> TemplateResponse:
    """A page of this model: what all pages of the admin show, and `context`."""
    shared = {**admin.site.each_context(request), "opts": model._meta, "title": title}
    return TemplateResponse(request, template, {**shared, **context})


def log_change(request: HttpRequest, row: Model, words: str) -> None:
    """In Django's log of the admin, which is the history of this row."""
    admin.site.get_model_admin(type(row)).log_change(request, row, words)
