"""Lists of very many rows. They are counted by an index; what only a search finds is counted up to a limit."""

from typing import Any, ClassVar

from django.contrib.admin.options import ShowFacets
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from registrations.admin.shared.model_admin import WebinarModelAdmin

COUNTED_UP_TO = 1000
PAGES = 100  # that a list offers: beyond them, a filter or a search is faster


class AndMore(int):
    def __str__(self) -> str:
        return _("more than 1,000")


class LongListPaginator(Paginator[Any]):
    @cached_property
    def num_pages(self) -> int:
        return min(int(super().num_pages), PAGES)


class SearchPaginator(LongListPaginator):
    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found = rows[: COUNTED_UP_TO + 1].count()
        return found if found <= COUNTED_UP_TO else AndMore(found)


class LongListAdmin[M: Model](WebinarModelAdmin[M]):
    """`searches`: names in the address of what no index counts."""

    searches: ClassVar[set[str]] = {SEARCH_VAR}
    list_max_show_all = 0
    show_facets = ShowFacets.NEVER  # a count for each choice of each filter

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], per_page: int, *args: Any, **options: Any
    ) -> LongListPaginator:
        is_search = any(request.GET.get(name) for name in self.searches)
        paginator = SearchPaginator if is_search else LongListPaginator
        return paginator(queryset, per_page, *args, **options)
