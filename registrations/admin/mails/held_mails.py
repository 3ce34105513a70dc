"""Mails held back since a backup was restored: an organiser releases them or gives them up.

Two actions of the list of mails.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registrations.admin.shared import confirmation
from registrations.models import Delivery
from registrations.security import audit

PERMISSION = "registrations.write_to_registrants"


@admin.action(description=gettext_lazy("Let the mails held back leave"), permissions=["write"])
def release(model_admin: Any, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
    held = _held(queryset)
    if not (count := _some(request, held)):
        return None
    if not confirmation.given(request, count):
        return _ask_to_release(request, held, count)
    count = held.release()
    audit.record(audit.Action.BULK_MAIL, act="let_leave", count=count)
    done = ngettext("%(count)s mail is on its way.", "%(count)s mails are on their way.", count)
    messages.success(request, done % {"count": count})
    return None


@admin.action(description=gettext_lazy("Give up the mails held back"), permissions=["write"])
def give_up(model_admin: Any, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
    held = _held(queryset)
    if not (count := _some(request, held)):
        return None
    if not confirmation.given(request, count):
        return _ask_to_give_up(request, held, count)
    count = held.give_up(gettext_lazy("given up by the organiser after a restore"))
    audit.record(audit.Action.BULK_MAIL, act="give_up", count=count)
    done = ngettext("%(count)s mail will not leave.", "%(count)s mails will not leave.", count)
    messages.success(request, done % {"count": count})
    return None


def _held(queryset: QuerySet[Delivery]) -> Any:
    """The held mails among the ticked ones, without the order and joins of the list: one UPDATE can change them."""
    return Delivery.objects.held().filter(pk__in=queryset.order_by().values("pk")).order_by("pk")


def _some(request: HttpRequest, held: QuerySet[Delivery]) -> int:
    if not (count := held.count()):
        messages.warning(request, _("None of the mails you have ticked is held back."))
    return count


def _ask_to_release(request: HttpRequest, held: QuerySet[Delivery], count: int) -> HttpResponse:
    question = ngettext(
        "%(count)s mail leaves now. It may have left before the backup was restored: "
        "its recipient then receives it twice, as one and the same message.",
        "%(count)s mails leave now. They may have left before the backup was restored: "
        "their recipients then receive them twice, as one and the same message.",
        count,
    )
    sentences = [question % {"count": count}, _("Those that are no longer true or useful do not leave.")]
    button = ngettext("Send %(count)s mail", "Send %(count)s mails", count) % {"count": count}
    title = _("Let the mails held back leave")
    return confirmation.ask(request, held, count=count, title=title, sentences=sentences, button=button)


def _ask_to_give_up(request: HttpRequest, held: QuerySet[Delivery], count: int) -> HttpResponse:
    question = ngettext(
        "%(count)s mail will never leave. Someone who has not received it before will not receive it.",
        "%(count)s mails will never leave. People who have not received them before will not receive them.",
        count,
    )
    button = ngettext("Give up %(count)s mail", "Give up %(count)s mails", count) % {"count": count}
    sentences, title = [question % {"count": count}], _("Give up the mails held back")
    return confirmation.ask(request, held, count=count, title=title, sentences=sentences, button=button)
