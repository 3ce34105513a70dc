"""Tables of the admin that are only read."""

from typing import Any

from django.http import HttpRequest


class ReadOnlyInline:
    """Related rows, shown below the form of a row; they are changed elsewhere, or never."""

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
