"""The bilan of an event: a page, the same on paper, and how the rules read what was typed."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from registrations.documents import event_report, pdf
from registrations.models import Event
from registrations.statistics import event_figures
from registrations.web.responses import pdf_response

MAY_SEE = ["registrations.view_event", "registrations.view_registration"]
NAMES_SHOWN = 60  # of each group


class Read(NamedTuple):
    """A group with the names that were taken for it, and how often each stands there; `more` of them are not shown."""

    group: Any
    names: list[tuple[str, int]]
    more: int


def readings(counted: event_figures.Figures) -> Iterator[tuple[str, list[Read]]]:
    """What the rules did not recognise stands first. Names of organisations and titles, not of persons."""
    for dimension, (groups, group_of) in event_figures.GROUPS.items():
        found = defaultdict(list)
        for name, counts in counted.named[event_figures.TYPED[dimension]]:
            if name:
                found[group_of(name)].append((name, counts.registered))
        yield (
            str(dimension.label),
            [
                _read(groups(group), found[group])
                for group in [*groups.values[-1:], *groups.values[:-1]]
                if found[group]
            ],
        )


def _read(group: Any, names: list[tuple[str, int]]) -> Read:
    names.sort(key=lambda pair: (-pair[1], pair[0].casefold()))
    return Read(group.label, names[:NAMES_SHOWN], max(len(names) - NAMES_SHOWN, 0))


class Bilan:
    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, Callable[..., HttpResponse]] = {"figures": self.figures, "figures_pdf": self.figures_pdf}
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        mine = [
            path(
                f"<int:pk>/{name.replace('_', '/')}/",
                self.admin_site.admin_view(view),
                name=f"registrations_event_{name}",
            )
            for name, view in pages.items()
        ]
        return [*mine, *urls]

    def figures(self, request: HttpRequest, pk: int) -> HttpResponse:
        counted = event_figures.figures(_visible(request, pk))
        context = {
            **self.admin_site.each_context(request),
            **event_report.context(counted),
            "opts": self.opts,
            "title": _("Report in figures"),
            "readings": list(readings(counted)),
        }
        return TemplateResponse(request, "admin/figures.html", context)

    def figures_pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = _visible(request, pk)
        try:
            return pdf_response(event_report.event_report(event), f"bilan-{event.slug}.pdf")
        except pdf.RenderingFailed:
            messages.error(request, pdf.excuse())
        return HttpResponseRedirect(reverse("admin:registrations_event_figures", args=[pk]))


def _visible(request: HttpRequest, pk: int) -> Event:
    if not request.user.has_perms(MAY_SEE):
        raise PermissionDenied
    return get_object_or_404(Event, pk=pk)
