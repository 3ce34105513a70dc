"""A page that asks before an action that writes to people is carried out.

@admin.action(description=_("Give a seat"), permissions=["change"])
def give_seat(model_admin, request, queryset):
    chosen = queryset.filter(status="waitlisted")
    if not confirmation.given(request, count := chosen.count()):
        return confirmation.ask(request, chosen, count=count, title=…, sentences=[…], button=…)
    …
"""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminForm
from django.contrib.admin.options import ActionLocation
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest
from django.template.response import TemplateResponse

from registrations.admin.shared import model_admin
from registrations.models.search import folded

TEMPLATE = "admin/confirm.html"
FORM_TEMPLATE = "admin/form.html"
ANSWER, TYPED = "confirmed", "typed"
NAMES_SHOWN = 20
ON_THE_FORM = f"{ActionLocation.CHANGE_FORM.value}-action"


def given(request: HttpRequest, count: int, *, to_type: str = "") -> bool:
    """Whether the page was answered for this number of rows. If the number has changed, the page asks again.

    `to_type`: words that were asked to be typed; their order, capitals, accents and blanks do not matter.
    """
    typed, wanted = (sorted(folded(words).split()) for words in (request.POST.get(TYPED, ""), to_type))
    is_typed = not to_type or typed == wanted
    return request.POST.get(ANSWER) == str(count) and is_typed


def ask(
    request: HttpRequest,
    chosen: QuerySet[Any],
    *,
    count: int,
    title: str,
    sentences: list[str],
    button: str,
    to_type: str = "",
    is_feared: bool = False,
) -> TemplateResponse:
    """The page of an action of a list or of a form: what will happen, to whom, and a button that says so.

    `to_type`: what has to be typed before anything is done, for what cannot be taken back.
    """
    first = chosen.prefetch_related(None)
    if is_across(request):
        first = first.order_by("pk")  # with very many rows, this order costs nothing
    return page(
        request,
        chosen.model,
        title=title,
        sentences=sentences,
        button=button,
        to_type=to_type,
        is_wrong=bool(to_type) and request.POST.get(ANSWER) == str(count),
        is_feared=is_feared or bool(to_type),
        names=[str(row) for row in first[:NAMES_SHOWN]],
        unnamed=max(count - NAMES_SHOWN, 0),
        hidden=[(ANSWER, count), *_selection(request, first)],
        back=request.get_full_path(),
    )


def page(
    request: HttpRequest, model: type[Model], *, title: str, template: str = TEMPLATE, **context: Any
) -> TemplateResponse:
    """`sentences`, `button`, `hidden` (pairs that the form sends) and `back` (where its link leads) fill the page."""
    known = {"media": admin.site.get_model_admin(model).media, "subtitle": None}
    return model_admin.page(request, model, template, title=title, **{**known, **context})


def form_page(
    request: HttpRequest,
    model: type[Model],
    form: BaseForm,
    *,
    title: str,
    template: str = FORM_TEMPLATE,
    **context: Any,
) -> TemplateResponse:
    """The page before it, with a form that looks like the other forms of the admin."""
    of_model = admin.site.get_model_admin(model)
    drawn = AdminForm(cast(Any, form), [(None, {"fields": list(form.fields)})], {}, model_admin=of_model)
    context = {"form": form, "adminform": drawn, "media": of_model.media + drawn.media, **context}
    return page(request, model, title=title, template=template, **context)


def is_across(request: HttpRequest) -> bool:
    """Whether all rows of the list were chosen, on whatever page."""
    return request.POST.get("select_across") == "1"


def _selection(request: HttpRequest, chosen: QuerySet[Any]) -> list[tuple[str, Any]]:
    """What the form sends to call the action again for the same rows: all rows of the list, or each by its number."""
    name = ON_THE_FORM if ON_THE_FORM in request.POST else "action"
    across = is_across(request)
    pks = chosen.values_list("pk", flat=True)
    rows: list[tuple[str, Any]] = [(ACTION_CHECKBOX_NAME, pk) for pk in (pks[:1] if across else pks)]
    return [(name, request.POST[name]), *rows, *([("select_across", 1)] if across else [])]
