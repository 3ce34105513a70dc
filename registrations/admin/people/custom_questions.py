"""Questions of an event's own in the desk: written in its form, corrected on a person's page, counted on their own."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import CharField, TextField, prefetch_related_objects
from django.forms import Field, ModelForm, Textarea, TextInput
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.domain import custom_questions
from registrations.models import Event, EventQuestion, Registration
from registrations.models.event_question import QUESTIONS_MAX
from registrations.web.fields import answer_field

MAY_SEE = ["registrations.view_event", "registrations.view_registration"]
SHOWN = "own_answers_shown"


class OwnQuestionsFormSet(BaseInlineFormSet[EventQuestion, Event, ModelForm[EventQuestion]]):
    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            if form.instance.is_answered:
                words = _("People have answered “%(question)s”: it is not deleted. Untick “still asked” instead.")
                raise ValidationError(words % {"question": form.instance.label})


class OwnQuestionInline(admin.StackedInline[EventQuestion, Event]):
    model = EventQuestion
    formset = OwnQuestionsFormSet
    extra = 0
    max_num = QUESTIONS_MAX
    verbose_name = gettext_lazy("question")
    verbose_name_plural = gettext_lazy("questions of the event’s own")
    fields = ["position", "label", "kind", "choices", "help_text", "required", "is_asked"]
    formfield_overrides = {
        CharField: {"widget": TextInput({"class": "vLargeTextField"})},
        TextField: {"widget": Textarea({"rows": 5, "class": "vLargeTextField"})},
    }

    def get_formset(self, request: HttpRequest, obj: Event | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"validate_max": True, **kwargs})


def own_questions(registration: Registration) -> list[EventQuestion]:
    """Looked for once, however often the page asks."""
    prefetch_related_objects([registration], "event__own_questions")
    return custom_questions.asked_or_answered(registration)


def typed_answers(typed: dict[str, Any]) -> dict[str, Any]:
    """Of the fields below, by question; an emptied one takes the answer away."""
    prefix = EventQuestion.FIELD_PREFIX
    return {name.removeprefix(prefix): value or None for name, value in typed.items() if name.startswith(prefix)}


class OwnAnswers:
    """On a person's page; none is required there: the organiser corrects, and does not answer for others."""

    form: Any
    has_change_permission: Any

    def get_form(
        self, request: HttpRequest, obj: Registration | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj and self.has_change_permission(request, obj):
            kwargs["form"] = type("AnswersForm", (kwargs.get("form", self.form),), _fields(obj))
        return super().get_form(request, obj, change, **kwargs)  # type: ignore[misc]

    def own_answers_fieldset(self, request: HttpRequest, obj: Registration) -> list[tuple[Any, dict[str, Any]]]:
        """None for an event that asks nothing."""
        names = [question.field_name for question in own_questions(obj)]
        if not names:
            return []
        shown = names if self.has_change_permission(request, obj) else [SHOWN]
        return [(gettext_lazy("Answers to the event’s own questions"), {"fields": shown})]

    @admin.display(description=gettext_lazy("answers"))
    def own_answers_shown(self, registration: Registration) -> str:
        lines = ((one.question.label, ", ".join(one.lines)) for one in custom_questions.answered(registration))
        return format_html_join("", '<span class="desk-line"><strong>{}</strong> {}</span>', lines)


def _fields(registration: Registration) -> dict[str, Field]:
    return {question.field_name: _field(question, registration) for question in own_questions(registration)}


def _field(question: EventQuestion, registration: Registration) -> Field:
    answer = registration.own_answers.get(question.key)
    field = answer_field(question, answer=answer, required=False)
    field.initial = answer
    if question.kind == EventQuestion.Kind.TEXT:
        field.widget.attrs["class"] = "vLargeTextField"
    return field


class AnswerCounts:
    """The page behind « Réponses aux questions » on an event's form."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.answer_counts)
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("<int:pk>/answers/", view, name="registrations_event_answers"), *urls]

    def answer_counts(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perms(MAY_SEE):
            raise PermissionDenied
        event = get_object_or_404(Event, pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Answers to the questions"),
            "event": event,
            "counted": custom_questions.answer_counts(event),
            "listed": event.registrations.on_the_list().count(),
        }
        return TemplateResponse(request, "admin/answers.html", context)
