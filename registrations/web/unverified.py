"""Show the form of a request that has no valid CSRF token, as it was typed, and do nothing else.

The page's own view is called, so that the form comes back whole, with the rows that were added to it. Meanwhile each
form that was sent is refused before it is cleaned: it tries no password and changes no object. And the database takes
no statement that writes.
"""

from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import connection
from django.forms.formsets import ManagementForm
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import ResolverMatch
from django.utils.translation import gettext as _

from registrations.web import uploads

WRITES_NOTHING = ("SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")

_full_clean = forms.BaseForm.full_clean


class WouldWriteError(Exception):
    """The view went on to a statement that writes: there was no form to refuse."""


@dataclass
class Unverified:
    """What was sent, and the forms that were refused."""

    typed: QueryDict
    files: set[str]
    refused: list[forms.BaseForm] = field(default_factory=list)


_shown: ContextVar[Unverified | None] = ContextVar("unverified", default=None)


def is_unverified() -> bool:
    return _shown.get() is not None


def install() -> None:
    """Here and not in each form: Django's own (login, password, accounts) are among them: none is forgotten."""
    forms.BaseForm.full_clean = _refused_or_cleaned  # type: ignore[method-assign, assignment]


def form_shown_again(request: HttpRequest, match: ResolverMatch, why: str) -> HttpResponse | None:
    """The page with its form as it was typed, and `why`; None where the request is for no form."""
    unverified = Unverified(request.POST, set(request.FILES))
    messages.error(request, why)
    uploads.drop(request)
    request.csrf_processing_done = True  # type: ignore[attr-defined] # the admin's own check would come here again
    token = _shown.set(unverified)
    try:
        with suppress(WouldWriteError, Http404, BadRequest), connection.execute_wrapper(_read_only):
            response = _rendered(match.func(request, *match.args, **match.kwargs))
            if unverified.refused and response.status_code == 200:
                response.status_code = 403
                return response
    finally:
        _shown.reset(token)
    list(messages.get_messages(request))  # read, and so not shown on another page
    return None


def _rendered(response: HttpResponse) -> HttpResponse:
    return response.render() if isinstance(response, TemplateResponse) else response


def _read_only(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if not sql.lstrip(" (\n").upper().startswith(WRITES_NOTHING):
        raise WouldWriteError
    return execute(sql, params, many, context)


def _refused_or_cleaned(form: forms.BaseForm) -> None:
    unverified = _shown.get()
    if unverified and form.is_bound and form.data is unverified.typed and not isinstance(form, ManagementForm):
        _refuse(form, unverified)
    else:
        _full_clean(form)


def _refuse(form: forms.BaseForm, unverified: Unverified) -> None:
    form._errors = forms.utils.ErrorDict(renderer=form.renderer)  # type: ignore[attr-defined]
    form.cleaned_data = {}
    if not unverified.refused or form in unverified.refused:  # said once, above the first
        form.add_error(None, _("Nothing is saved yet."))
    unverified.refused.append(form)
    for name, one in form.fields.items():
        if form.add_prefix(name) in unverified.files:
            form.add_error(name, _("Choose this file again: it could not be kept."))
        elif isinstance(one.widget, forms.PasswordInput):
            form.add_error(name, _("Type it again: it is not kept."))
