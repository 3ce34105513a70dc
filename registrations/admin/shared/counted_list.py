"""Lists of the desk that never count a large table: the tallies know, or it is counted as far as a glance goes."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from registrations.models.counter import LiveTallyQuerySet

COUNTED_UP_TO = 1000
LEAVES_NOTHING_OUT = {*IGNORED_PARAMS, PAGE_VAR, ERROR_FLAG} - {SEARCH_VAR}
PAGES = 100  # that a list offers: further on, a filter or a word finds faster


class AndMore(int):
    def __str__(self) -> str:
        return _("more than 1,000")


class QuickPaginator(Paginator[Any]):
    def __init__(self, *args: Any, known: int | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.known = known

    @cached_property
    def numbers(self) -> list[int]:
        """Of the rows, in their order, as far as they are counted."""
        rows: Any = self.object_list
        return list(rows.values_list("pk", flat=True)[: COUNTED_UP_TO + 1])

    @cached_property
    def count(self) -> int:
        if self.known is not None:
            return self.known
        found = len(self.numbers)
        return found if found <= COUNTED_UP_TO else AndMore(found)

    def page(self, number: Any) -> Any:
        """Rows are found by their numbers, from an index alone, before they are read: then by nothing else."""
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
        """The stock view asks a second time before it acts."""
        if exclude_parameters or not hasattr(self, "queryset"):
            return super().get_queryset(request, exclude_parameters)
        return cast(QuerySet[Any], self.queryset.all())

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:  # the stock one reads without an end, and the database prepares for very many
            self.result_list = self.paginator.page(1).object_list
        self.full_result_count = self.model_admin.full_count()  # type: ignore[attr-defined]
        self.show_admin_actions = bool(self.result_count)

    def exact_count(self) -> int:
        return self.queryset.count() if isinstance(self.result_count, AndMore) else int(self.result_count)


class CountedList:
    """`tally` knows how many rows the filters leave that are `tallied`: their name in the address, and what it means
    there, as a field or for each value."""

    tally: ClassVar[LiveTallyQuerySet | None] = None
    tallied: ClassVar[dict[str, str | dict[str, dict[str, Any]]]] = {}
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
        return None if self.tally is None else self.tally.all().total()

    def count_of(
        self,
        request: HttpRequest,
        chosen: QuerySet[Any],
        narrowed: Callable[[QuerySet[Any]], QuerySet[Any]] = QuerySet.all,
    ) -> int:
        """How many of the rows chosen for an act there are once they are narrowed."""
        tally = self._tally_of(request) if request.POST.get("select_across") == "1" else None
        return narrowed(chosen).count() if tally is None else cast(LiveTallyQuerySet, narrowed(tally)).total()

    def _known(self, request: HttpRequest) -> int | None:
        tally = self._tally_of(request)
        return None if tally is None else tally.total()

    def _tally_of(self, request: HttpRequest) -> LiveTallyQuerySet | None:
        asked = request.GET.keys() - LEAVES_NOTHING_OUT
        if self.tally is None or not asked <= self.tallied.keys():
            return None
        found = self.tally
        try:
            for name in asked:
                found = found.filter(**_meaning(self.tallied[name], str(request.GET[name])))
        except (ValueError, ValidationError):
            return None
        return found


def _meaning(known: str | dict[str, dict[str, Any]], value: str) -> dict[str, Any]:
    if isinstance(known, dict):
        return known.get(value, {})
    return {known: value.split(",") if known.endswith("__in") else value}
