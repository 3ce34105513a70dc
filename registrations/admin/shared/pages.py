"""What pages of the admin have in common: their titles, and a log without names."""

from typing import Any

from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _


class AdminTitles:
    """Titles that name the things themselves, in place of « Sélectionnez l’objet … à changer »."""

    opts: Any

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        return super().changelist_view(request, context)  # type: ignore[misc]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        name = capfirst(self.opts.verbose_name)
        title = name if object_id else _("Add: %(name)s") % {"name": self.opts.verbose_name}
        return super().changeform_view(request, object_id, form_url, {"title": title, **(extra_context or {})})  # type: ignore[misc]


class AnonymousLog:
    """Django's own log keeps names for ever: here a number, which says nothing once the person is erased."""

    def log_addition(self, *args: Any) -> Any:
        return _without_name(super().log_addition(*args))  # type: ignore[misc]

    def log_change(self, *args: Any) -> Any:
        return _without_name(super().log_change(*args))  # type: ignore[misc]

    def log_deletions(self, *args: Any) -> Any:
        return [_without_name(entry) for entry in super().log_deletions(*args)]  # type: ignore[misc]


def _without_name(entry: Any) -> Any:
    entry.object_repr = f"n° {entry.object_id}"
    entry.save(update_fields=["object_repr"])
    return entry
