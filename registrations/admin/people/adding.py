"""A person whom the organiser registers: for the event of the page, or for one that is chosen."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registrations.admin.shared import model_admin
from registrations.models import Event, Registration
from registrations.text import desk_words

Status = Registration.Status


def event_asked(request: HttpRequest) -> Event | None:
    """The event that the address names. One that does not exist, or that is not this account's, is not found."""
    if "event" not in request.GET:
        return None
    if not hasattr(request, "event_asked"):
        event = model_admin.event_of(request, request.GET["event"])
        if event is None:
            raise Http404
        cast(Any, request).event_asked = event
    asked: Event | None = cast(Any, request).event_asked
    return asked


def choice_of_event(field: Any) -> Any:
    """Each event with its date, and without the links of Django to the pages of events."""
    field.widget = field.widget.widget
    field.label = _("Webinar")
    field.empty_label = _("Choose a webinar")
    field.label_from_instance = desk_words.named_with_date
    return field


class AddByHandForm(forms.ModelForm[Registration]):
    """The organiser chooses between a seat and the waiting list, whatever the number of seats."""

    status = forms.ChoiceField(
        label=_("Status"),
        choices=[(Status.CONFIRMED, Status.CONFIRMED.label), (Status.WAITLISTED, Status.WAITLISTED.label)],
        initial=Status.CONFIRMED,
        widget=forms.RadioSelect,
        help_text=_("A confirmed person is given a seat even when all are taken; the desk then says so."),
    )

    class Meta:
        model = Registration
        fields = ["status"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = getattr(self.fields.get("event"), "queryset", Event.objects.none())
        if full := ", ".join(event.short_title for event in _full_events(offered)):
            sentence = _("Full at the moment: %(events)s.") % {"events": full}
            self.fields["status"].help_text = f"{self.fields['status'].help_text} {sentence}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        event = cleaned.get("event")
        if event and cleaned.get("status") == Status.WAITLISTED and event.has_started:
            self.add_error("status", _("This event has started: its waiting list leads nowhere any more."))
        return cleaned


def _full_events(events: QuerySet[Event]) -> list[Event]:
    coming = events.filter(status=Event.Status.PUBLISHED, starts_at__gt=timezone.now(), capacity__isnull=False)
    return [event for event in coming if not event.has_free_seat]
