"""The desk asks before it acts: one page stands in front of every action that writes to people.

@admin.action(description=_("Give a seat"), permissions=["change"])
def give_seat(self, request, queryset):
    chosen = queryset.filter(status="waitlisted")
    if not confirmation.given(request, count := chosen.count()):
        return confirmation.ask(self, request, chosen, count=count, title=…, sentences=[…], button=…)
    …
"""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminForm
from django.contrib.admin.options import ActionLocation
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest
from django.template.response import TemplateResponse

TEMPLATE = "admin/confirm.html"
FORM_TEMPLATE = "admin/form.html"
ANSWER = "confirmed"
NAMES_SHOWN = 20
ON_THE_FORM = f"{ActionLocation.CHANGE_FORM.value}-action"


def given(request: HttpRequest, count: int) -> bool:
    """Whether the page was answered for as many as there are now; when their number has changed, it asks again."""
    return request.POST.get(ANSWER) == str(count)


def ask(
    model_admin: ModelAdmin[Any],
    request: HttpRequest,
    chosen: QuerySet[Any],
    *,
    count: int,
    title: str,
    sentences: list[str],
    button: str,
) -> TemplateResponse:
    """The page of an action of a list or of a form: what will happen, to whom, and a button that says so."""
    first = chosen.prefetch_related(None)
    if _is_across(request):
        first = first.order_by("pk")  # of very many: those that cost nothing to find
    return page(
        model_admin,
        request,
        title=title,
        sentences=sentences,
        button=button,
        names=[str(row) for row in first[:NAMES_SHOWN]],
        unnamed=max(count - NAMES_SHOWN, 0),
        hidden=[(ANSWER, count), *_selection(request, first)],
        back=request.get_full_path(),
    )


def page(
    model_admin: ModelAdmin[Any], request: HttpRequest, *, title: str, template: str = TEMPLATE, **context: Any
) -> TemplateResponse:
    """`sentences`, `button`, `hidden` (pairs that the form sends) and `back` (where its link leads) fill the page."""
    desk = model_admin.admin_site.each_context(request)
    known = {"opts": model_admin.opts, "media": model_admin.media, "title": title, "subtitle": None}
    return TemplateResponse(request, template, {**desk, **known, **context})


def form_page(
    model_admin: ModelAdmin[Any],
    request: HttpRequest,
    form: BaseForm,
    *,
    title: str,
    template: str = FORM_TEMPLATE,
    **context: Any,
) -> TemplateResponse:
    """The page before: what is to be typed, drawn as the admin draws its own forms."""
    drawn = AdminForm(form, [(None, {"fields": list(form.fields)})], {}, model_admin=model_admin)  # type: ignore[arg-type]
    context = {"form": form, "adminform": drawn, **context}
    response = page(model_admin, request, title=title, template=template, **context)
    response.context_data["media"] += drawn.media  # type: ignore[index]
    return response


def _is_across(request: HttpRequest) -> bool:
    """Whether everybody was chosen whom the list holds, on whatever page."""
    return request.POST.get("select_across") == "1"


def _selection(request: HttpRequest, chosen: QuerySet[Any]) -> list[tuple[str, Any]]:
    """The action once more, for the same rows: all that the list holds, or each by its number."""
    name = ON_THE_FORM if ON_THE_FORM in request.POST else "action"
    across = _is_across(request)
    pks = chosen.values_list("pk", flat=True)
    rows: list[tuple[str, Any]] = [(ACTION_CHECKBOX_NAME, pk) for pk in (pks[:1] if across else pks)]
    return [(name, request.POST[name]), *rows, *([("select_across", 1)] if across else [])]
