"""What goes with an event that is deleted: counted, since Django's own page reads every row, table by table."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from registrations.models import Event

type Deleted = tuple[list[str], dict[str, int], set[str], list[str]]


def deleted_objects(events: Any, request: HttpRequest) -> Deleted:
    """As ModelAdmin.get_deleted_objects: the rows, how many of each kind, which kinds are forbidden, what protects."""
    found = list(_counted([event.pk for event in events]))
    counts = {relation: sum(getattr(event, _name(relation)) for event in found) for relation in _relations()}
    present = {relation.related_model: count for relation, count in counts.items() if count}
    names = {str(model._meta.verbose_name_plural): count for model, count in present.items()}
    forbidden = {str(model._meta.verbose_name) for model in [Event, *present] if not _may_delete(model, request)}
    rows = [str(event) for event in found]
    return rows, {str(Event._meta.verbose_name_plural): len(found), **names}, forbidden, []


def _relations() -> list[Any]:
    return list(Event._meta.related_objects)


def _name(relation: Any) -> str:
    return f"count_of_{relation.related_model._meta.model_name}_{relation.field.name}"


def _counted(keys: list[int]) -> QuerySet[Event]:
    """The events with the number of their rows in each table: one query."""
    return Event.objects.filter(pk__in=keys).annotate(**{_name(one): _count(one) for one in _relations()})


def _count(relation: Any) -> Coalesce:
    field = relation.field.name
    rows = relation.related_model._base_manager.filter(**{field: OuterRef("pk")}).order_by().values(field)
    counted = rows.annotate(total=Count("*")).values("total")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _may_delete(model: Any, request: HttpRequest) -> bool:
    """As Django asks it: only of what has pages in the desk."""
    model_admin = admin.site._registry.get(model)
    return model_admin is None or model_admin.has_delete_permission(request)
