"""What goes with an event that is deleted: counted, since Django's own page reads every row, table by table."""

from typing import Any

from django.contrib import admin
from django.db.models import PROTECT, Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from registrations.models import Event

type Deleted = tuple[list[str], dict[str, int], set[str], list[str]]  # rows, rows by kind, kinds forbidden, obstacles


def deleted_objects(events: Any, request: HttpRequest) -> Deleted:
    """In place of ModelAdmin.get_deleted_objects. Obstacles: rows that keep their event from being deleted."""
    found = list(_counted([event.pk for event in events]))
    totals = {one: sum(getattr(event, _name(one)) for event in found) for one in Event._meta.related_objects}
    present = {one: total for one, total in totals.items() if total}
    gone = {one.related_model: total for one, total in present.items() if one.on_delete is not PROTECT}
    obstacles = [_in_words(one.related_model, total) for one, total in present.items() if one.on_delete is PROTECT]
    counts = {_plural(Event): len(found), **{_plural(model): total for model, total in gone.items()}}
    kinds: list[Any] = [Event, *gone]
    forbidden = {str(model._meta.verbose_name) for model in kinds if not _may_delete(model, request)}
    return [str(event) for event in found], counts, forbidden, obstacles


def _counted(keys: list[int]) -> QuerySet[Event]:
    """The events with the number of their rows in each table: one query."""
    return Event.objects.filter(pk__in=keys).annotate(
        **{_name(one): _count(one) for one in Event._meta.related_objects}
    )


def _count(relation: Any) -> Coalesce:
    field = relation.field.name
    rows = relation.related_model._base_manager.filter(**{field: OuterRef("pk")}).order_by().values(field)
    return Coalesce(Subquery(rows.annotate(total=Count("*")).values("total"), output_field=IntegerField()), 0)


def _name(relation: Any) -> str:
    return f"rows_of_{relation.related_model._meta.model_name}"


def _plural(model: Any) -> str:
    return str(model._meta.verbose_name_plural)


def _in_words(model: Any, total: int) -> str:
    return _("%(name)s: %(note)s") % {"name": capfirst(_plural(model)), "note": total}


def _may_delete(model: Any, request: HttpRequest) -> bool:
    """As Django asks it: only of what has pages in the desk."""
    model_admin = admin.site._registry.get(model)
    return model_admin is None or model_admin.has_delete_permission(request)
