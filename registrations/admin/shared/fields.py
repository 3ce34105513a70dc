"""Form fields of the admin: a day of the browser's calendar with an hour as people type it, and Markdown."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from registrations.text import hour_of_day

SUGGESTED_HOURS = [time(9), time(9, 30), time(10), time(11), time(14), time(14, 30), time(16), time(18)]
SUGGESTED = "suggested-hours"  # id of the datalist of templates/admin/hours.html


class HourInput(forms.TextInput):
    """A text field: a native one takes neither « 14h » nor « 14 h 30 », and follows the browser's language."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"data-hour": "", "autocomplete": "off", "list": SUGGESTED, "size": 8, **(attrs or {})})

    def format_value(self, value: Any) -> str | None:
        return hour_of_day.spoken(value) if isinstance(value, time) else super().format_value(value)


class HourField(forms.TimeField):
    """Takes 14h, 14h30, 14 h 30, 14:30, 1430, and shows what it understood."""

    widget = HourInput
    default_error_messages = {"invalid": _("Type an hour, for example “14:30”.")}

    def to_python(self, value: Any) -> time | None:
        if value in self.empty_values or isinstance(value, time):
            return value or None
        try:
            return hour_of_day.read(str(value))
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentWidget(forms.SplitDateTimeWidget):
    """A day of the browser's calendar and an hour, each with its own label."""

    labels: tuple[Any, Any] = (_("Day"), _("Hour"))
    supports_microseconds = False

    def __init__(self, attrs: dict[str, Any] | None = None, **_options: Any) -> None:
        day = forms.DateInput(format="%Y-%m-%d")
        day.input_type = "date"
        super(forms.SplitDateTimeWidget, self).__init__([day, HourInput()], attrs)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return render_to_string("admin/moment.html", self.get_context(name, value, attrs))

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0" if id_ else id_

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for part, words in zip(context["widget"]["subwidgets"], self.labels, strict=True):
            part["label"] = words
        return context


class MomentField(forms.SplitDateTimeField):
    widget = MomentWidget

    def __init__(self, **kwargs: Any) -> None:
        fields = (forms.DateField(error_messages={"invalid": _("Choose a day.")}), HourField())
        super(forms.SplitDateTimeField, self).__init__(fields, **kwargs)


class StartWidget(MomentWidget):
    labels = (_("Date"), _("Start"))


class EndWidget(MomentWidget):
    """Without a day when it is the day of the start, which is set by the form."""

    labels = (_("Last day, if there are several"), _("End"))
    start: datetime | None = None

    def decompress(self, value: Any) -> tuple[date | None, time | None]:
        day, hour = super().decompress(value)
        is_same_day = self.start is not None and day == timezone.localtime(self.start).date()
        return None if is_same_day else day, hour


class EndField(MomentField):
    """An hour alone is returned as such: the form knows the day."""

    widget = EndWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, require_all_fields=False)
        self.fields[0].required = False
        self.fields[1].error_messages["incomplete"] = _("Type the hour of the end.")

    def compress(self, data_list: Any) -> Any:
        day, hour = data_list or (None, None)
        return hour if day is None else super().compress(data_list)


def end_at(end: Any, start: datetime | None) -> datetime | None:
    """The moment of an end that may be an hour alone: then it is on the day of the start."""
    if not isinstance(end, time):
        return end if isinstance(end, datetime) else None
    return start and from_current_timezone(datetime.combine(timezone.localtime(start).date(), end))


class MarkdownInput(forms.Textarea):
    """With buttons for bold, link, list and title, made by static/js/markdown.js."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": 6, "class": "vLargeTextField", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        words = {"bold": _("Bold"), "link": _("Link"), "list": _("List"), "title": _("Heading")}
        context["widget"]["attrs"] |= {f"data-{tool}": words[tool] for tool in words}
        return context
