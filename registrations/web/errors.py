"""Error pages. They have the header and footer of the site, and do not need the database."""

import errno
import math
import sys
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_BAD_ORIGIN, REASON_MALFORMED_REFERER, REASON_NO_REFERER
from django.shortcuts import redirect, render
from django.urls import ResolverMatch, is_valid_path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import requires_csrf_token

from registrations.runtime import full_disk, log_context
from registrations.web.responses import SHOWN_AGAIN, too_many
from registrations.web.unverified import form_shown_again

RETRY_AFTER = 30  # seconds
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
STRAY_SIGNS = " \u00a0.,;:!?…)]}>»”’'\"*"  # what may stand after a link in a sentence
NOT_TYPED = {"csrfmiddlewaretoken"}
FORMS_SHOWN_AGAIN = {"sign_up", "resend", "correct_address", "correct", "change_address"}  # names of their addresses
FROM_THIS_SITE = "CSRF "  # begins Django's reasons once the form is known to come from a page of this site
OF_NO_PAGE = {REASON_BAD_ORIGIN % "null", REASON_NO_REFERER, REASON_MALFORMED_REFERER}


class Cause(Enum):
    """Why a form was not accepted."""

    EXPIRED = auto()
    HIDDEN = auto()  # the browser, or an extension, does not say from which page it came
    ANOTHER_SITE = auto()


HEADINGS = {
    Cause.EXPIRED: gettext_lazy("The page has expired"),
    Cause.HIDDEN: gettext_lazy("Your browser hides where the form comes from"),
    Cause.ANOTHER_SITE: gettext_lazy("The form came from another site"),
}
WHY_SHOWN_AGAIN = {
    Cause.EXPIRED: gettext_lazy(
        "This page had expired, or your browser keeps no cookie of this site. Nothing was sent yet: your answers have "
        "been kept, send them again."
    ),
    Cause.HIDDEN: gettext_lazy(
        "Your browser, or one of its extensions, hides from which page this form comes, so that it was not accepted. "
        "Nothing was sent yet, and your answers have been kept: allow it for this site, then send them again; or use "
        "another browser."
    ),
    Cause.ANOTHER_SITE: gettext_lazy(
        "This form came from another site. Nothing was sent yet: your answers have been kept, send them again from "
        "here."
    ),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Unlike Django's view, it does not read POST, which may be what could not be read: that would be a 500."""
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def too_large(request: HttpRequest) -> HttpResponse:
    return render(request, "413.html", status=413)


def no_room(request: HttpRequest) -> HttpResponse:
    return render(request, "507.html", status=507)


def too_many_requests(request: HttpRequest, wait: timedelta) -> HttpResponse:
    """For a login or a code: these forms are not shown again with the error."""
    return too_many(render(request, "429.html", {"minutes": math.ceil(wait / timedelta(minutes=1))}), wait)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What was typed is kept: in the form itself, with a fresh token; a lone button is on a page that sends it again.

    A form that came from another site is never offered to be sent in the name of somebody who is logged in.
    """
    match, cause = request.resolver_match, _cause(reason)
    if match and match.url_name in FORMS_SHOWN_AGAIN and request.POST:
        return _shown_again(request, match, WHY_SHOWN_AGAIN[cause])
    has_files = bool(request.FILES)
    if match and match.namespace == "admin" and cause is Cause.EXPIRED and request.POST:
        why = _("This page had stayed open for too long. Nothing was saved yet: look through it and send it again.")
        if response := form_shown_again(request, match, why):
            response["Cache-Control"] = "no-store, private"
            return response
    return _kept(request, HEADINGS[cause], cause, has_files=has_files)


def _cause(reason: str) -> Cause:
    """From the reason that Django gives."""
    if reason.startswith(FROM_THIS_SITE):
        return Cause.EXPIRED
    return Cause.HIDDEN if reason in OF_NO_PAGE else Cause.ANOTHER_SITE


def session_ended(request: HttpRequest) -> HttpResponse:
    """For a form of the admin that was sent after the session had ended."""
    return _kept(request, _("Your session has ended"), Cause.EXPIRED, has_ended=True)


def _shown_again(request: HttpRequest, match: ResolverMatch, why: Any) -> HttpResponse:
    """The answer to a GET of the same page, which does nothing; `wait_of_form` says what has happened."""
    request.META[SHOWN_AGAIN] = why
    request.method = "GET"
    try:
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    finally:
        request.method = "POST"
    if response.status_code == 200:
        response.status_code = 403
    return response


def _kept(
    request: HttpRequest, heading: Any, cause: Cause, *, has_files: bool = False, **context: Any
) -> HttpResponse:
    sent = [(name, value) for name, values in request.POST.lists() if name not in NOT_TYPED for value in values]
    typed = [(name, value) for name, value in sent if "password" not in name]
    context |= {
        "heading": heading,
        "may_be_sent": cause is Cause.EXPIRED,
        "is_hidden": cause is Cause.HIDDEN,
        "typed": typed,
        "texts": [value for _name, value in typed if len(value.split()) > 1 and cause is not Cause.ANOTHER_SITE],
        "is_incomplete": len(typed) < len(sent) or has_files or bool(request.FILES),
    }
    response = render(request, "403_csrf.html", context, status=403)
    response["Cache-Control"] = "no-store, private"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; a link that was pasted with the sign after it leads to its page."""
    if address := _without_stray_signs(request):
        return redirect(address)
    return render(request, "404.html", status=404)


def _is_sign_up(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.url_name == "sign_up"


def _what_was_sent(request: HttpRequest) -> str:
    """What may be lost: a `registration`, something else (`form`), or nothing, when a page was only looked at."""
    if request.method != "POST":
        return ""
    return "registration" if _is_sign_up(request) else "form"


def _without_stray_signs(request: HttpRequest) -> str:
    """The address without the signs at its end, if it is one of the site's; otherwise empty."""
    path = request.path.rstrip(STRAY_SIGNS)
    if path == request.path or request.method not in {"GET", "HEAD"}:
        return ""
    return next((known for known in (path, f"{path}/") if is_valid_path(known)), "")


def _typed(request: HttpRequest) -> list[tuple[str, Any]]:
    """(name, value) of the sign-up form that was sent; nothing of other forms, which may contain passwords."""
    if not _is_sign_up(request):
        return []
    return [(name, value) for name, values in request.POST.lists() if name not in NOT_TYPED for value in values]


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500; 507 when the disk is full for what was sent; 503 when the database is away, with a form to send again."""
    error = sys.exc_info()[1]
    if isinstance(error, OSError) and error.errno in DISK_FULL and request.method == "POST":
        return no_room(request)
    if not isinstance(error, DatabaseError | InterfaceError):
        facts = {"reference": log_context.request_id.get(), "was_sent": _what_was_sent(request)}
        return render(request, "500.html", facts, status=500)
    full_disk.note(error)
    context = {"typed": _typed(request), "was_sent": _what_was_sent(request)}
    response = render(request, "503.html", context, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    response["Cache-Control"] = "no-store, private"
    return response
