"""Long operations: carried out within the request when they are short, else by a worker, with a page of their own."""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.shared.model_admin import WebinarModelAdmin, page
from registrations.admin_site.login import with_fresh_password
from registrations.admin_site.pages import AdminPage, list_path
from registrations.models import Broadcast, Event, Job, Registration, WorkerPresence
from registrations.security import audit, event_access
from registrations.web.responses import pdf_response
from registrations.worker import jobs

LEVELS = {"success": messages.SUCCESS, "info": messages.INFO, "warning": messages.WARNING, "error": messages.ERROR}
PERMISSIONS = [
    f"registrations.{name}"
    for name in (
        "view_registration",
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
    """A short job runs now, and its outcome is shown on the next page: `then`, or the page it came from. A long job is
    left to a worker, and its own page opens."""
    job.asked_by = request.user.pk or 0
    if not jobs.is_short(job):
        return HttpResponseRedirect(address(jobs.enqueue(job)))
    try:
        outcome = jobs.perform(job)
    except jobs.Refused as reason:
        messages.error(request, str(reason))
        return HttpResponseRedirect(request.get_full_path())
    if outcome.document:
        return document_response(job, outcome.document, outcome.filename)
    for level, sentence in outcome_messages(job, outcome.told):
        messages.add_message(request, LEVELS[level], sentence)
    return HttpResponseRedirect(then or request.get_full_path())


def outcome_messages(job: Job, sentences: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The messages of its outcome, and the names of skipped people. Names are read now: erased people have none."""
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


def document_response(job: Job, document: bytes, filename: str) -> HttpResponse:
    """Each download of a list is recorded in the audit log."""
    audit.record(audit.Action.EXPORTED, about=job.event, **job.detail)
    return pdf_response(document, filename)


def address(job: Job, name: str = "change") -> str:
    return reverse(f"admin:registrations_job_{name}", args=[job.pk])


def event_of(job: Job) -> Event:
    """The event of a job that must have one."""
    if job.event is None:
        raise ValueError(f"Operation {job.pk} has no event.")
    return job.event


def of_event(event: Event, user: Any) -> list[Job]:
    """The latest jobs of the event that this account may see."""
    return list(visible(event.jobs.all(), user)[:SHOWN])


def visible(rows: QuerySet[Job], user: Any) -> QuerySet[Job]:
    return rows.filter(permission__in=[name for name in PERMISSIONS if user.has_perm(name)]).defer(
        "document", "parameters"
    )


def note_history(account: int, people: Iterable[Registration], flag: int, words: str) -> None:
    """Add an entry to the history of each person. It holds a number: a name would remain after erasure."""
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


def document(request: HttpRequest, object_id: str) -> HttpResponseBase:
    """The file that an operation has made, for accounts that have the permission of the operation."""
    job = cast(JobAdmin, admin.site.get_model_admin(Job)).found(request, object_id)
    if not job.filename:
        raise Http404
    return document_response(job, bytes(job.document), job.filename)


@admin.register(Job)
class JobAdmin(WebinarModelAdmin[Job]):
    """The operations of the last day. The page of each shows its progress, and then its outcome."""

    pages: ClassVar = [
        AdminPage("<path:object_id>/document/", document, "document", permissions=(), needs_fresh_password=True)
    ]

    list_display = ["title", "event", "state", "who", "created_at"]
    list_display_links = ["title"]
    list_select_related = ["event"]
    list_per_page = 50
    change_list_template = "admin/registrations/job/change_list.html"

    def limited(self, rows: QuerySet[Job], request: HttpRequest) -> QuerySet[Job]:
        """What an account started on people whom it chose in a list names no event."""
        if (events := event_access.named_events(request.user)) is None:
            return rows
        return rows.filter(Q(event__in=events) | Q(event=None, asked_by=request.user.pk))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        accounts = get_user_model().objects.filter(pk=OuterRef("asked_by"))
        rows = visible(super().get_queryset(request), request.user).select_related("event")
        return rows.annotate(account=Subquery(accounts.values("username")[:1]))

    @admin.display(description=gettext_lazy("who"), ordering="asked_by")
    def who(self, job: Any) -> str:
        return job.account or _("deleted account")

    def has_view_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        wanted = [obj.permission] if obj else PERMISSIONS
        return any(request.user.has_perm(name) for name in wanted) and self._is_theirs(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The progress; a POST starts a failed operation again."""
        job = self.found(request, object_id)
        if request.method == "POST":
            return cast(HttpResponse, with_fresh_password(self._start_again)(request, job))
        response = page(
            request,
            Job,
            "admin/job.html",
            title=job.title,
            job=job,
            message=Broadcast.objects.filter(pk=job.detail.get("broadcast")).first(),
            told=outcome_messages(job, job.told) if job.is_done else [],
            progress=job.progress if job.is_under_way else None,
            document=job.detail.get("download") or address(job, "document"),
            registrations=list_path(Registration, **({"event__id__exact": job.event_id} if job.event_id else {})),
            is_unattended=job.is_under_way and not WorkerPresence.objects.alive(),
        )
        response["Cache-Control"] = "no-store, private"
        return response

    def _start_again(self, request: HttpRequest, job: Job) -> HttpResponse:
        """In the name of the account that pressed the button: it has the permission, and has typed its password."""
        if job.has_failed and not jobs.restart(job, by=request.user.pk or 0):
            messages.info(request, _("This was asked for once more in the meantime, and is under way."))
        return HttpResponseRedirect(address(job))

    def found(self, request: HttpRequest, object_id: str) -> Job:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_object(request, unquote(object_id))
        if job is None:
            raise Http404
        return job
