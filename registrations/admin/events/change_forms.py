"""The forms for a change of an event that registrants are told of: what is typed, and what the event becomes."""

import copy
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registrations.admin.shared.fields import EndField, MomentField, StartWidget, end_at
from registrations.domain import event_changes
from registrations.models import Delivery, Event
from registrations.text import dates

Kind, Reason, Status = Delivery.Kind, Delivery.Reason, Event.Status
NOTES = ("connection_notes", "connection_notes_en")


class PostponeForm(forms.Form):
    """The words to the registrants, and the function of `event_changes` that makes the change."""

    slug: ClassVar[str] = "postpone"
    title: ClassVar[Any] = gettext_lazy("Postpone without a new date")
    possible_from: ClassVar[set[str]] = {Status.PUBLISHED}
    kind: ClassVar[Delivery.Kind] = Kind.CHANGED

    words = forms.CharField(
        label=gettext_lazy("Your words to the people registered"),
        required=False,
        widget=AdminTextareaWidget({"rows": 5}),
        help_text=gettext_lazy("Optional. They stand in the mail and on the page of the event."),
    )

    words_en = forms.CharField(
        label=gettext_lazy("Your words in English"),
        required=False,
        widget=AdminTextareaWidget({"rows": 5}),
        help_text=gettext_lazy("Optional. Without them, people who signed up in English read the French ones."),
    )

    def __init__(self, event: Event, data: Any = None) -> None:
        super().__init__(data)
        self.event = event

    @classmethod
    def title_for(cls, event: Event) -> str:
        return str(cls.title)

    @property
    def reason(self) -> str:
        return Reason.POSTPONED

    @property
    def changes_nothing(self) -> bool:
        return False

    @property
    def _words(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("words", "words_en")}

    def changed(self) -> Event:
        """A copy of the event as it will be; nothing is saved."""
        event = copy.copy(self.event)
        event.organiser_words, event.organiser_words_en = self._words.values()
        event.status = Status.POSTPONED
        return event

    def run(self) -> int:
        return event_changes.postpone(self.event, **self._words)


class CancelForm(PostponeForm):
    slug = "cancel"
    title = gettext_lazy("Cancel the webinar")
    possible_from: ClassVar[set[str]] = {Status.PUBLISHED, Status.POSTPONED}
    kind = Kind.CANCELLED

    @property
    def reason(self) -> str:
        return ""

    def changed(self) -> Event:
        event = super().changed()
        event.status = Status.CANCELLED
        return event

    def run(self) -> int:
        return event_changes.cancel(self.event, **self._words)


class RescheduleForm(PostponeForm):
    """Its hours are read and shown in the active time zone: that of the event."""

    slug = "reschedule"
    title = gettext_lazy("Change the date, the hour or the note on the connection")
    possible_from: ClassVar[set[str]] = {Status.PUBLISHED, Status.POSTPONED, Status.CANCELLED}

    starts_at = MomentField(label=gettext_lazy("Start"), widget=StartWidget)
    ends_at = EndField(label=gettext_lazy("End"))
    connection_notes = forms.CharField(
        label=gettext_lazy("Note on the connection"),
        required=False,
        widget=AdminTextareaWidget({"rows": 3}),
        help_text=gettext_lazy("Shown when the room is open. A note that changes alone is sent to who has a seat."),
    )
    connection_notes_en = forms.CharField(
        label=gettext_lazy("Note on the connection, in English"),
        required=False,
        widget=AdminTextareaWidget({"rows": 3}),
        help_text=gettext_lazy("Empty: the French note is shown."),
    )
    field_order = ("starts_at", "ends_at", *NOTES, "words", "words_en")

    def __init__(self, event: Event, data: Any = None) -> None:
        super().__init__(event, data)
        self.fields["words"].help_text = _("Optional. They stand in the mail.")
        for name in ("starts_at", "ends_at", *NOTES):
            self.fields[name].initial = getattr(event, name)
        self.fields["ends_at"].widget.start = event.starts_at
        for name in ("starts_at", "ends_at"):
            self.fields[name].help_text = f"{capfirst(dates.zone_name(event))}."

    @classmethod
    def title_for(cls, event: Event) -> str:
        return str(cls.title) if event.status == Status.PUBLISHED else _("Set a new date")

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        if "starts_at" not in typed or "ends_at" not in typed:
            return typed
        typed["ends_at"] = end_at(typed["ends_at"], typed["starts_at"])
        if typed["ends_at"] <= typed["starts_at"]:
            self.add_error("ends_at", _("The end must come after the start."))
        elif typed["ends_at"] <= timezone.now():
            self.add_error("starts_at", _("This date has passed: choose one to come."))
        elif self.reason == Reason.NOTES and self.event.connection_notes and not typed["connection_notes"]:
            self.add_error("connection_notes", _("An empty note would tell people nothing: write what holds now."))
        return typed

    @property
    def reason(self) -> str:
        typed = self.cleaned_data
        return event_changes.reason_of(self.event, starts_at=typed["starts_at"], ends_at=typed["ends_at"])

    @property
    def changes_nothing(self) -> bool:
        same_notes = all(self.cleaned_data[name] == getattr(self.event, name) for name in NOTES)
        return self.reason == Reason.NOTES and same_notes

    def changed(self) -> Event:
        event = super().changed()
        event.status = Status.PUBLISHED
        event.former_starts_at, event.former_ends_at = event_changes.announced_dates(self.event)
        for name in ("starts_at", "ends_at", *NOTES):
            setattr(event, name, self.cleaned_data[name])
        return event

    def run(self) -> int:
        return event_changes.reschedule(self.event, **self.cleaned_data)


FORMS = [RescheduleForm, PostponeForm, CancelForm]
