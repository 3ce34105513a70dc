"""Long acts in the desk: done while the page is awaited, or followed on a page of their own until they have ended."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.shared.pages import AdminTitles
from registrations.admin_site.login import with_fresh_password
from registrations.models import Broadcast, Event, Job, Registration, WorkerPresence
from registrations.security import audit
from registrations.web.responses import pdf_response
from registrations.worker import jobs

LEVELS = {"success": messages.SUCCESS, "info": messages.INFO, "warning": messages.WARNING, "error": messages.ERROR}
PERMISSIONS = [
    f"registrations.{name}"
    for name in (
        "add_registration",
        "change_registration",
        "delete_registration",
        "export_registration",
        "change_event",
        "write_to_registrants",
    )
]
NAMES_SHOWN = 20
SHOWN = 5  # on the page of an event
LOG_BATCH = 500


def carry_out(request: HttpRequest, job: Job, *, then: str = "") -> HttpResponse:
    """A short one now: its end is told on the next page (`then`, or the one it came from). A long one has its own."""
    job.asked_by = request.user.pk or 0
    if not jobs.is_short(job):
        return HttpResponseRedirect(address(jobs.enqueue(job)))
    try:
        outcome = jobs.perform(job)
    except jobs.Refused as reason:
        messages.error(request, str(reason))
        return HttpResponseRedirect(request.get_full_path())
    if outcome.document:
        return taken_out(job, outcome.document, outcome.filename)
    for level, sentence in told(job, outcome.told):
        messages.add_message(request, LEVELS[level], sentence)
    return HttpResponseRedirect(then or request.get_full_path())


def told(job: Job, sentences: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is said at its end, with the names of those passed over as they are now: who is erased has none."""
    if not job.skipped:
        return [*sentences]
    people = Registration.objects.without_dry_runs().filter(pk__in=job.skipped).order_by("pk")
    if not (count := people.count()):
        return [*sentences, ("info", _("Whoever could not be dealt with is no longer there."))]
    names = [str(one) for one in people[:NAMES_SHOWN]] + ["…"] * (count > NAMES_SHOWN)
    sentence = ngettext(
        "%(count)s person could not be dealt with: %(names)s. Choose them and try again; "
        "if it fails once more, tell the operator.",
        "%(count)s people could not be dealt with: %(names)s. Choose them and try again; "
        "if it fails once more, tell the operator.",
        count,
    )
    return [*sentences, ("error", sentence % {"count": count, "names": ", ".join(names)})]


def taken_out(job: Job, document: bytes, filename: str) -> HttpResponse:
    """A list leaves the site: the audit log knows of it each time."""
    audit.record(audit.Action.EXPORTED, about=job.event, **job.detail)
    return pdf_response(document, filename)


def address(job: Job, page: str = "change") -> str:
    return reverse(f"admin:registrations_job_{page}", args=[job.pk])


def event_of(job: Job) -> Event:
    """Of one that is about an event."""
    if job.event is None:
        raise ValueError(f"Operation {job.pk} has no event.")
    return job.event


def of_event(event: Event, user: Any) -> list[Job]:
    """The last ones that this person may see."""
    return list(visible(event.jobs.all(), user)[:SHOWN])


def visible(rows: QuerySet[Job], user: Any) -> QuerySet[Job]:
    return rows.filter(permission__in=[name for name in PERMISSIONS if user.has_perm(name)]).defer(
        "document", "parameters"
    )


def note_history(account: int, people: Iterable[Registration], flag: int, words: str) -> None:
    """In the history of each person, by number: a name would outlive its erasure."""
    kind = ContentType.objects.get_for_model(Registration)
    entries = [
        LogEntry(
            user_id=account,
            content_type=kind,
            object_id=str(one.pk),
            object_repr=f"n° {one.pk}",
            action_flag=flag,
            change_message=words,
        )
        for one in people
    ]
    LogEntry.objects.bulk_create(entries, batch_size=LOG_BATCH)


@admin.register(Job)
class JobAdmin(AdminTitles, admin.ModelAdmin[Job]):
    """Those of the last day; each page shows how far it is, and then what has become of it."""

    list_display = ["title", "event", "state", "who", "created_at"]
    list_display_links = ["title"]
    list_select_related = ["event"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        accounts = get_user_model().objects.filter(pk=OuterRef("asked_by"))
        rows = visible(super().get_queryset(request), request.user).select_related("event")
        return rows.annotate(account=Subquery(accounts.values("username")[:1]))

    @admin.display(description=gettext_lazy("who"), ordering="asked_by")
    def who(self, job: Any) -> str:
        return job.account or _("deleted account")

    def has_view_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        wanted = [obj.permission] if obj else PERMISSIONS
        return any(request.user.has_perm(name) for name in wanted)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(with_fresh_password(self.document))
        urls: list[URLPattern] = super().get_urls()
        return [path("<path:object_id>/document/", view, name="registrations_job_document"), *urls]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """How far it is; a POST starts again one that has stopped."""
        job = self._found(request, object_id)
        if request.method == "POST":
            return with_fresh_password(self._start_again)(request, job)  # type: ignore[return-value]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": job.title,
            "job": job,
            "message": Broadcast.objects.filter(pk=job.detail.get("broadcast")).first(),
            "told": told(job, job.told) if job.is_done else [],
            "progress": job.progress if job.is_under_way else None,
            "is_unattended": job.is_under_way and not WorkerPresence.objects.alive(),
        }
        return TemplateResponse(request, "admin/job.html", context, headers={"Cache-Control": "no-store, private"})

    def _start_again(self, request: HttpRequest, job: Job) -> HttpResponse:
        """In the name of who presses the button: they have the permission, and are asked for their password."""
        if job.has_failed and not jobs.restart(job, by=request.user.pk or 0):
            messages.info(request, _("This was asked for once more in the meantime, and is under way."))
        return HttpResponseRedirect(address(job))

    def document(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        job = self._found(request, object_id)
        if not job.filename:
            raise Http404
        return taken_out(job, bytes(job.document), job.filename)

    def _found(self, request: HttpRequest, object_id: str) -> Job:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_object(request, unquote(object_id))
        if job is None:
            raise Http404
        return job
