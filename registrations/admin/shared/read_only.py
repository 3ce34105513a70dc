"""Tables of the desk that are there to be read."""

from typing import Any

from django.http import HttpRequest


class ReadOnlyInline:
    """What hangs on a row, shown below it; changed elsewhere, or never."""

    template = "admin/read_only_inline.html"
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # who may see the row may see this

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
