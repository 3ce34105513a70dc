"""Custom questions of an event, asked in addition to the standard fields of the form."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from registrations.models.event import Event, EventQuerySet
from registrations.models.event_validators import non_empty_lines, validate_lines
from registrations.models.one_line import OneLineField
from registrations.models.registration import Registration
from registrations.models.texts import HasTexts, Text, english, labels

QUESTIONS_MAX = 20  # of one event
CHOICES_MAX = 30  # of one question: all boxes of a form stay under DATA_UPLOAD_MAX_NUMBER_FIELDS
CHOICES_MIN = 2
YES, NO = "yes", "no"


class EventQuestionQuerySet(models.QuerySet["EventQuestion"]):
    def asked(self) -> Self:
        """Questions that are on the form, in its order."""
        return self.filter(is_asked=True)

    def annotate_events(self, events: EventQuerySet) -> EventQuerySet:
        """Annotate each event with `has_own_questions`, so that no second query is needed to know."""
        return events.annotate(has_own_questions=Exists(self.asked().filter(event=OuterRef("pk"))))


class EventQuestion(HasTexts, models.Model):
    """One custom question. The answers are in `Registration.own_answers`, by the id of this row."""

    FIELD_PREFIX = "answer_"  # of the names of the form fields

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        ONE = "one", _("One choice")
        SEVERAL = "several", _("Several choices")
        YES_NO = "yes_no", _("Yes or no")

    event = models.ForeignKey(Event, models.CASCADE, related_name="own_questions", verbose_name=_("event"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    label = OneLineField(_("question"), max_length=200)
    label_en = english(OneLineField, _("question in English"), max_length=200)
    kind = models.CharField(_("answered by"), max_length=10, choices=Kind, default=Kind.TEXT)
    choices = models.TextField(
        _("choices"),
        blank=True,
        validators=[validate_lines],
        help_text=_("One per line, for the two kinds with choices. Answers already given keep their words."),
    )
    choices_en = english(
        models.TextField,
        _("choices in English"),
        help_text=_("As many lines as in French, in the same order. Empty: the French lines are shown."),
    )
    help_text = OneLineField(_("hint"), max_length=300, blank=True, help_text=_("Shown under the question."))
    help_text_en = english(OneLineField, _("hint in English"), max_length=300)
    required = models.BooleanField(_("required"), default=False)
    is_asked = models.BooleanField(
        _("still asked"), default=True, help_text=_("Unticked: no longer on the form; answers already given stay.")
    )

    objects = EventQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question of the event’s own")
        verbose_name_plural = _("questions of the event’s own")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.label

    @property
    def key(self) -> str:
        """Key of the answer in `Registration.own_answers`."""
        return str(self.pk)

    @property
    def field_name(self) -> str:
        return f"{self.FIELD_PREFIX}{self.pk}"

    @property
    def has_choices(self) -> bool:
        return self.kind in {self.Kind.ONE, self.Kind.SEVERAL}

    @property
    def choice_lines(self) -> list[str]:
        return non_empty_lines(self.choices)

    def answer_words(self, answer: str) -> str:
        """One answer as people read it."""
        if self.kind == self.Kind.YES_NO:
            return gettext("Yes") if answer == YES else gettext("No")
        return self.labels.get(answer, answer)

    @property
    def labels(self) -> dict[str, Text]:
        return labels(self.choices, self.choices_en)

    @property
    def is_answered(self) -> bool:
        """Whether any registration has an answer, withdrawn ones included."""
        return (
            Registration.objects.without_dry_runs().filter(event=self.event_id, own_answers__has_key=self.key).exists()
        )

    def clean(self) -> None:
        if self.has_choices:
            self._check_choices()
        if self.pk and EventQuestion.objects.filter(pk=self.pk).exclude(kind=self.kind).exists() and self.is_answered:
            words = _("People have answered: the kind stays as it is. Untick “still asked” and add another question.")
            raise ValidationError({"kind": words})

    def _check_choices(self) -> None:
        lines = self.choice_lines
        if len(lines) < CHOICES_MIN:
            raise ValidationError({"choices": _("Write at least two choices, one per line.")})
        if len(lines) > CHOICES_MAX:
            words = ngettext("At most %(count)s choice.", "At most %(count)s choices.", CHOICES_MAX)
            raise ValidationError({"choices": words % {"count": CHOICES_MAX}})
        if self.choices_en and len(non_empty_lines(self.choices_en)) != len(lines):
            raise ValidationError({"choices_en": _("Write as many lines as in French, in the same order.")})
        if len(set(lines)) < len(lines):
            raise ValidationError({"choices": _("Two choices are the same.")})
