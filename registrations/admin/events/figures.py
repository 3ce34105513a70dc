"""The report in figures of an event (« bilan »): a page, the same as a PDF, and how typed names were classified.

A worker makes the PDF, which may take longer than two seconds: the page of the operation follows it, and can be left.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from registrations.admin.shared import jobs as jobs_admin
from registrations.admin.shared import model_admin
from registrations.admin_site.pages import AdminPage
from registrations.documents import event_report, pdf
from registrations.models import Event, Job
from registrations.models.job import Outcome
from registrations.runtime import pango
from registrations.statistics import event_figures
from registrations.web.responses import pdf_response
from registrations.worker import jobs

PERMISSION = "registrations.view_registration"
NAMES_SHOWN = 60  # of each group


class Read(NamedTuple):
    """A group, the typed names that were classified in it with their counts, and how many more are not shown."""

    group: Any
    names: list[tuple[str, int]]
    more: int


def readings(counted: event_figures.Figures) -> Iterator[tuple[str, list[Read]]]:
    """By dimension. Unclassified names come first. These are names of organisations and job titles, not of persons."""
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


def figures(request: HttpRequest, pk: int) -> HttpResponse:
    event = get_object_or_404(Event, pk=pk)
    counted = event_figures.figures(event)
    shown = event_report.context(counted)
    return model_admin.page(
        request,
        Event,
        "admin/figures.html",
        title=_("Report in figures"),
        readings=list(readings(counted)),
        glyph_warning=event_report.glyph_warning(shown),
        has_questions=event.own_questions.exists(),
        **shown,
    )


def figures_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """A POST asks for the PDF of now; a GET downloads the latest that was made, which is kept for a day."""
    event = get_object_or_404(Event, pk=pk)
    if request.method == "POST" and pango.is_installed():
        job = Job(
            kind=Job.Kind.FIGURES,
            title=_("Report in figures (PDF)"),
            event=event,
            permission=PERMISSION,
            total=1,
            detail={"download": reverse("admin:registrations_event_figures_pdf", args=[pk])},
        )
        return jobs_admin.carry_out(request, job)
    made = event.jobs.filter(kind=Job.Kind.FIGURES, state=Job.State.DONE).order_by("-pk").first()
    if request.method != "POST" and made:
        return pdf_response(bytes(made.document), made.filename)
    if request.method == "POST":
        messages.error(request, pdf.excuse())
    return HttpResponseRedirect(reverse("admin:registrations_event_figures", args=[pk]))


@jobs.handler(Job.Kind.FIGURES, short=0, is_one_transaction=False)
def typeset(job: Job) -> Outcome:
    event = jobs_admin.event_of(job)
    try:
        return Outcome([], event_report.event_report(event), f"bilan-{event.slug}.pdf")
    except pdf.RenderingFailed as error:
        raise jobs.Refused(pdf.excuse()) from error


MAY_SEE = ("registrations.view_event", PERMISSION)
PAGES = [
    AdminPage("<int:pk>/figures/", figures, name="figures", permissions=MAY_SEE),
    AdminPage("<int:pk>/figures/pdf/", figures_pdf, name="figures_pdf", permissions=MAY_SEE),
]
