"""Lists that never count a large table: the live counts are read, or rows are counted up to a limit."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from registrations.admin.shared.model_admin import WebinarModelAdmin
from registrations.models.live_count import LiveCountQuerySet

COUNTED_UP_TO = 1000
LEAVES_NOTHING_OUT = {*IGNORED_PARAMS, PAGE_VAR, ERROR_FLAG} - {SEARCH_VAR}
PAGES = 100  # that a list offers: beyond them, a filter or a search is faster


class AndMore(int):
    def __str__(self) -> str:
        return _("more than 1,000")


class QuickPaginator(Paginator[Any]):
    def __init__(self, *args: Any, known: int | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.known = known

    @cached_property
    def numbers(self) -> list[int]:
        """Primary keys of the rows, in their order, up to the limit of counting."""
        rows: Any = self.object_list
        return list(rows.values_list("pk", flat=True)[: COUNTED_UP_TO + 1])

    @cached_property
    def count(self) -> int:
        if self.known is not None:
            return self.known
        found = len(self.numbers)
        return found if found <= COUNTED_UP_TO else AndMore(found)

    def page(self, number: Any) -> Any:
        """The primary keys of the page are read first, from an index alone; then the rows, by these keys only."""
        page = super().page(number)
        listed: Any = self.object_list
        rows = listed.all()
        start = (page.number - 1) * self.per_page
        numbers = self.numbers if self.known is None else rows.values("pk")
        found = numbers[start : start + self.per_page]
        rows.query.clear_where()
        page.object_list = rows.filter(pk__in=found)
        return page

    @cached_property
    def num_pages(self) -> int:
        return min(int(super().num_pages), PAGES)


class CountedChangeList(ChangeList):
    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Django's view calls this a second time before it runs an action: the first result is used again."""
        if exclude_parameters or not hasattr(self, "queryset"):
            return super().get_queryset(request, exclude_parameters)
        return cast(QuerySet[Any], self.queryset.all())

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:  # Django reads without LIMIT, and the database plans for all rows
            self.result_list = self.paginator.page(1).object_list
        self.full_result_count = cast(CountedModelAdmin[Any], self.model_admin).full_count()
        self.show_admin_actions = bool(self.result_count)

    def exact_count(self) -> int:
        return self.queryset.count() if isinstance(self.result_count, AndMore) else int(self.result_count)


class CountedModelAdmin[M: Model](WebinarModelAdmin[M]):
    """`live_count` are the live counts of this table. They are read when all filters are among `counted_filters`.

    `counted_filters` maps a filter's name in the address to a lookup of the counts, or each of its values to one.
    """

    live_count: ClassVar[LiveCountQuerySet | None] = None
    counted_filters: ClassVar[dict[str, str | dict[str, dict[str, Any]]]] = {}
    show_full_result_count = False
    list_max_show_all = 0

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return CountedChangeList

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> QuickPaginator:
        return QuickPaginator(queryset, per_page, known=self._known(request))

    def full_count(self) -> int | None:
        return None if self.live_count is None else self.live_count.all().total()

    def count_of(
        self,
        request: HttpRequest,
        chosen: QuerySet[Any],
        narrowed: Callable[[QuerySet[Any]], QuerySet[Any]] = QuerySet.all,
    ) -> int:
        """How many of the rows chosen for an action remain once they are narrowed."""
        count = self._count_of(request) if request.POST.get("select_across") == "1" else None
        return narrowed(chosen).count() if count is None else cast(LiveCountQuerySet, narrowed(count)).total()

    def _known(self, request: HttpRequest) -> int | None:
        count = self._count_of(request)
        return None if count is None else count.total()

    def _count_of(self, request: HttpRequest) -> LiveCountQuerySet | None:
        asked = request.GET.keys() - LEAVES_NOTHING_OUT
        if self.live_count is None or not asked <= self.counted_filters.keys():
            return None
        found = self.live_count
        try:
            for name in asked:
                found = found.filter(**_meaning(self.counted_filters[name], str(request.GET[name])))
        except (ValueError, ValidationError):
            return None
        return found


def _meaning(known: str | dict[str, dict[str, Any]], value: str) -> dict[str, Any]:
    if isinstance(known, dict):
        return known.get(value, {})
    return {known: value.split(",") if known.endswith("__in") else value}
