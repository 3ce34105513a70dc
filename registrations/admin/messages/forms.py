"""The forms to write to the registrants: recipients and text, then the number of recipients."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from registrations.admin.messages import answers
from registrations.admin.messages.review import first_chosen
from registrations.admin.shared.fields import MarkdownInput
from registrations.domain import broadcasts
from registrations.mailing import placeholders
from registrations.models import Broadcast, Event
from registrations.models.gave_answer import GaveAnswer
from registrations.models.registration import RegistrationQuerySet

Audience = Broadcast.Audience
DAYS = ["%Y-%m-%d", "%d/%m/%Y"]
HOURS = ["%H:%M", "%Hh%M", "%Hh", "%H h %M", "%H h", "%H%M", "%H"]


class MessageForm(forms.ModelForm[Broadcast]):
    """Recipients and text. No audience is preselected, so that nobody is written to by accident."""

    audience = forms.MultipleChoiceField(
        label=gettext_lazy("To whom"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Several may be ticked: nobody receives it twice."),
        error_messages={"required": gettext_lazy("Choose to whom: until then it is for nobody.")},
    )
    answer = forms.ChoiceField(
        label=gettext_lazy("Which answer"),
        required=False,
        help_text=gettext_lazy("For “Those who gave an answer”. The numbers are of everyone on the list."),
    )
    territory = forms.ChoiceField(label=gettext_lazy("Only of this territory"), required=False)

    class Meta:
        model = Broadcast
        fields = ["audience", "answer", "territory", "newsletter_only", "subject", "body"]
        widgets = {"subject": AdminTextInputWidget, "body": MarkdownInput({"rows": 16})}

    def __init__(self, *args: Any, chosen: RegistrationQuerySet | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        event = self.instance.event
        self.is_chosen_now = chosen is not None
        self.people_chosen = self.instance.people_chosen() if chosen is None else chosen
        self.first_chosen = first_chosen(self.people_chosen) if self.is_chosen_now or self.instance.pk else ([], 0)
        self.initial["audience"] = self.instance.audiences
        self._offer_filters(event)
        self._offer_answers(event)
        cast(forms.MultipleChoiceField, self.fields["audience"]).choices = list(self._audiences(event))
        self.fields["subject"].help_text = _("Filled in: %(names)s.") % {
            "names": placeholders.shown(placeholders.IN_SUBJECT)
        }
        self.fields["body"].help_text = _(
            "In Markdown: **bold**, [words](https://…), - lists. Filled in for each person: %(names)s."
        ) % {"names": placeholders.shown(placeholders.IN_BODY)}

    def fieldsets(self) -> list[Any]:
        words = ["subject", "body"]
        return [
            (pgettext("message", "To whom"), {"fields": [name for name in self.fields if name not in words]}),
            (_("What"), {"fields": words}),
        ]

    def _audiences(self, event: Event) -> Iterator[tuple[str, Any]]:
        for value, label in possible_audiences(event):
            if value == Audience.CHOSEN:
                if number := self.first_chosen[1]:
                    yield value, f"{label} ({number})"
            elif value != Audience.ANSWERED or "answer" in self.fields:
                yield value, label

    def _offer_answers(self, event: Event) -> None:
        self.initial["answer"] = answers.value(self.instance)
        if offered := answers.offered(event, self.instance):
            cast(forms.ChoiceField, self.fields["answer"]).choices = [("", "–"), *offered]
        else:
            del self.fields["answer"]

    def _offer_filters(self, event: Event) -> None:
        territories = event.registrations.without_dry_runs().territories()
        if territories:
            choices = [("", _("any")), *((name, name) for name in territories)]
            cast(forms.ChoiceField, self.fields["territory"]).choices = choices
        else:
            del self.fields["territory"]
        if not event.newsletter_label:
            del self.fields["newsletter_only"]

    def clean_audience(self) -> str:
        return ",".join(self.cleaned_data["audience"])

    def clean_answer(self) -> str:
        """Kept with the message in two columns: the question and the answer."""
        typed = str(self.cleaned_data["answer"])
        question, _separator, answer = typed.partition(answers.SEPARATOR)
        self.instance.answered_question_id = int(question) if question else None
        is_meant = Audience.ANSWERED in self.cleaned_data.get("audience", "").split(",")
        if is_meant and not answer:
            raise ValidationError(_("Choose the answer."), code="required")
        if answer and not is_meant:
            raise ValidationError(_("Tick “Those who gave an answer” above, or choose no answer."), code="unticked")
        return answer

    def clean_subject(self) -> str:
        return known_only(self.cleaned_data["subject"], placeholders.IN_SUBJECT)

    def clean_body(self) -> str:
        return known_only(self.cleaned_data["body"].replace("\r\n", "\n"), placeholders.IN_BODY)

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        if "{lien}" in typed.get("body", "") and self._includes_waiting(typed.get("audience", "").split(",")):
            self.add_error("body", _("Who waits has no link to the room: take {lien} out."))
        return typed

    def _includes_waiting(self, audiences: list[str]) -> bool:
        if Audience.CHOSEN in audiences and self.people_chosen.on_waiting_list().exists():
            return True
        if Audience.ANSWERED in audiences and self.instance.answered_question_id:
            waiting = self.instance.event.registrations.without_dry_runs().on_waiting_list()
            gave_it = GaveAnswer(str(self.instance.answered_question_id), self.cleaned_data.get("answer", ""))
            return Audience.WAITING in audiences or waiting.filter(gave_it).exists()
        return Audience.WAITING in audiences

    def save(self, commit: bool = True) -> Broadcast:
        """With the people who were chosen in the address of the page."""
        broadcast = super().save(commit)
        if self.is_chosen_now:
            broadcasts.choose(broadcast, self.people_chosen)
        return broadcast


def known_only(text: str, known: list[str]) -> str:
    if stranger := placeholders.unknown(text, known):
        words = _("“%(found)s” cannot be filled in. What can: %(names)s.")
        raise ValidationError(words % {"found": stranger, "names": placeholders.shown(known)}, code="placeholder")
    return text


def possible_audiences(event: Event) -> list[tuple[str, Any]]:
    """Without those who were present before the start, and without those who were absent before the end."""
    took_place = event.status == Event.Status.PUBLISHED
    not_yet = {Audience.PRESENT} if not (took_place and event.has_started) else set()
    if not (took_place and event.is_over):
        not_yet.add(Audience.ABSENT)
    return [(audience.value, audience.label) for audience in Audience if audience not in not_yet]


class PlanForm(forms.Form):
    """A day and an hour of the event's zone, which is the active one while the form is read."""

    day = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), input_formats=DAYS
    )
    hour = forms.TimeField(
        label=gettext_lazy("Hour"),
        input_formats=HOURS,
        widget=forms.TextInput({"inputmode": "text", "autocomplete": "off", "size": 8}),
        help_text=gettext_lazy("14h, 14h30 or 14:30."),
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        if "day" in typed and "hour" in typed:
            typed["at"] = from_current_timezone(datetime.combine(typed["day"], typed["hour"]))
            if typed["at"] <= timezone.now():
                self.add_error("hour", _("This hour has passed."))
        return typed


class CountForm(forms.Form):
    """The organiser types the number of recipients, which shows that they have read it."""

    typed = forms.IntegerField(
        label=gettext_lazy("Type the number of people"),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "size": 8}),
    )

    def __init__(self, data: Any = None, *, count: int) -> None:
        super().__init__(data)
        self.count = count

    def clean_typed(self) -> int:
        if self.cleaned_data["typed"] != self.count:
            words = ngettext(
                "It is for %(count)s person: type this number.",
                "It is for %(count)s people: type this number.",
                self.count,
            )
            raise ValidationError(words % {"count": self.count}, code="count")
        return self.count
