"""Custom questions of an event: written in its form, corrected on a registrant's page, counted on their own page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import CharField, TextField, prefetch_related_objects
from django.forms import Field, ModelForm, Textarea, TextInput
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.shared import model_admin
from registrations.admin_site.pages import AdminPage
from registrations.domain import custom_questions
from registrations.models import Event, EventQuestion, Registration
from registrations.models.event_question import QUESTIONS_MAX
from registrations.web.fields import answer_field


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
    fields = [
        "position",
        "label",
        "label_en",
        "kind",
        "choices",
        "choices_en",
        "help_text",
        "help_text_en",
        "required",
        "is_asked",
    ]
    formfield_overrides = {
        CharField: {"widget": TextInput({"class": "vLargeTextField"})},
        TextField: {"widget": Textarea({"rows": 5, "class": "vLargeTextField"})},
    }

    def get_formset(self, request: HttpRequest, obj: Event | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"validate_max": True, **kwargs})


def own_questions(registration: Registration) -> list[EventQuestion]:
    """Read from the database once, however often the page needs them."""
    prefetch_related_objects([registration], "event__own_questions")
    return custom_questions.asked_or_answered(registration)


def typed_answers(typed: dict[str, Any]) -> dict[str, Any]:
    """What was typed into the fields of `answers_form`, by question key; None removes the answer."""
    prefix = EventQuestion.FIELD_PREFIX
    return {name.removeprefix(prefix): value or None for name, value in typed.items() if name.startswith(prefix)}


def answers_form(form: Any, registration: Registration) -> Any:
    """This form class with a field for each question. None is required: organisers only correct answers."""
    return type("AnswersForm", (form,), _fields(registration))


def answers_fieldset(registration: Registration) -> list[tuple[Any, dict[str, Any]]]:
    """Empty for an event without questions of its own."""
    names: list[Any] = [question.field_name for question in own_questions(registration)]
    return [(gettext_lazy("Answers to the event’s own questions"), {"fields": names})] if names else []


def _fields(registration: Registration) -> dict[str, Field]:
    return {question.field_name: _field(question, registration) for question in own_questions(registration)}


def _field(question: EventQuestion, registration: Registration) -> Field:
    answer = registration.own_answers.get(question.key)
    field = answer_field(question, answer=answer, required=False)
    field.initial = answer
    if question.kind == EventQuestion.Kind.TEXT:
        field.widget.attrs["class"] = "vLargeTextField"
    return field


def answer_counts(request: HttpRequest, pk: int) -> HttpResponse:
    """« Réponses aux questions » of an event."""
    event = get_object_or_404(Event, pk=pk)
    return model_admin.page(
        request,
        Event,
        "admin/answers.html",
        title=_("Answers to the questions"),
        event=event,
        counted=custom_questions.answer_counts(event),
        listed=event.registrations.without_dry_runs().not_cancelled().count(),
    )


MAY_SEE = ("registrations.view_event", "registrations.view_registration")
PAGES = [AdminPage("<int:pk>/answers/", answer_counts, name="answers", permissions=MAY_SEE)]
