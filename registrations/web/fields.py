"""Form fields for what people type: the checks, and the message of each error."""

import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils import formats
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from registrations.models import EventQuestion
from registrations.models.event_question import NO, YES
from registrations.models.one_line import one_line
from registrations.models.person_fields import Kind, PersonField
from registrations.text import email_address, names
from registrations.text.names import JOINERS
from registrations.text.typography import french

EMAIL_MAX = 254  # RFC 5321, section 4.5.3.1.3
ANSWER_MAX = 1000
ANSWER_TOO_LONG = _("Your answer must not exceed %(limit)s characters; you typed %(length)s.")

CONTROL = {"Cc", "Cs", "Co", "Cn"}  # general categories of Unicode


def visible(text: str) -> str:
    """Remove invisible characters that a paste may contain (byte order mark, soft hyphen, direction mark)."""
    text = text.replace("\r\n", "\n")
    return "".join(char for char in text if unicodedata.category(char) != "Cf" or char in JOINERS)


def grouped(number: int) -> str:
    """1 204 in French, 1,204 in English."""
    return formats.number_format(number, force_grouping=True).replace("\u202f", "\u00a0")


class LimitedText(forms.CharField):
    """Text of limited length, normalised to NFC. The error states the limit and the length.

    There is no maxlength attribute, because browsers then cut a pasted text silently.
    """

    def __init__(self, *, limit: int, too_long: Any, multiline: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit, self.too_long, self.multiline = limit, too_long, multiline

    def clean(self, value: Any) -> str:
        text = visible(unicodedata.normalize("NFC", super().clean(value))).strip()
        text = text if self.multiline else one_line(text)
        if self.required and not text:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(text) > self.limit:
            numbers = {"limit": grouped(self.limit), "length": grouped(len(text))}
            raise ValidationError(self.too_long % numbers, code="too_long")
        allowed = "\n\t" if self.multiline else ""
        if any(unicodedata.category(char) in CONTROL and char not in allowed for char in text):
            raise ValidationError(_("Remove the control characters from this answer."), code="control")
        return text


class NameField(LimitedText):
    """A name, as `text.names` defines it, of the public form, of an import and of the admin alike."""

    def clean(self, value: Any) -> str:
        name: str = super().clean(value)
        if name and not names.is_name(name):
            raise ValidationError(
                _(
                    "A name cannot contain the address of a site, a digit, or a sign other than an apostrophe, "
                    "a hyphen and the full stop of an abbreviation."
                ),
                code="advert",
            )
        return name


class AddressField(forms.CharField):
    """An address for SMTP without extensions, as `text.email_address` reads it, here and in each import."""

    default_error_messages = {
        "invalid": _("Enter a complete email address, for example firstname.name@example.org."),
    }

    def clean(self, value: Any) -> str:
        address: str = super().clean(value)
        if not address:
            return address
        try:
            address = email_address.read(address)
        except email_address.AnotherAddressMeant as error:
            raise ValidationError(str(error), code="invalid") from error
        except email_address.NotAnAddress as error:
            raise ValidationError(f"{self.error_messages['invalid']} {error}", code="invalid") from error
        if '"' in address or len(address) > EMAIL_MAX:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        EmailValidator(self.error_messages["invalid"])(address)
        return address


def marked(words: str) -> str:
    """Typeset an organiser's words, with their language for screen readers on a page in another one."""
    language = getattr(words, "language", settings.LANGUAGE_CODE)
    words = french(words)
    return words if get_language() == language else format_html('<span lang="{}">{}</span>', language, words)


def person_field(field: PersonField) -> forms.Field:
    """The form field for a row of the table; the form itself adds the event's choices or words."""
    asked = field.asked
    if asked is None:
        raise ValueError(f"No form asks for {field.name}.")
    errors = {"required": asked.missing, "invalid_choice": asked.not_offered}
    options: dict[str, Any] = {
        "label": field.form_label,
        "help_text": asked.help_text,
        "required": asked.is_required,
        "error_messages": {code: words for code, words in errors.items() if words},
    }
    attrs = {"autocomplete": asked.autocomplete} if asked.autocomplete else {}
    limited = {**options, "limit": field.column.max_length, "too_long": asked.too_long or ANSWER_TOO_LONG}
    match asked.kind:
        case Kind.NAME:
            return NameField(widget=forms.TextInput({**attrs, "spellcheck": "false"}), **limited)
        case Kind.ADDRESS:
            as_typed = {"spellcheck": "false", "autocapitalize": "none"}
            return AddressField(widget=forms.EmailInput({**attrs, **as_typed}), **options)
        case Kind.LONG_TEXT:
            return LimitedText(widget=forms.Textarea({**attrs, "rows": 4}), multiline=True, **limited)
        case Kind.LIST:
            return forms.ChoiceField(widget=forms.Select(attrs), **options)
        case Kind.RADIO:
            return forms.ChoiceField(widget=forms.RadioSelect(attrs), **options)
        case Kind.BOX:
            return forms.BooleanField(widget=forms.CheckboxInput(attrs), **options)
    return LimitedText(widget=forms.TextInput(attrs), **limited)


def answer_field(question: EventQuestion, *, answer: Any, required: bool) -> forms.Field:
    """The form field for one of the event's own questions. `answer`: what the person has answered so far, or None."""
    options: dict[str, Any] = {
        "label": french(question.texts.label),
        "help_text": french(question.texts.help_text),
        "required": required,
        "error_messages": _answer_errors(question),
    }
    match question.kind:
        case EventQuestion.Kind.TEXT:
            widget = forms.Textarea({"rows": 3})
            return LimitedText(limit=ANSWER_MAX, too_long=ANSWER_TOO_LONG, multiline=True, widget=widget, **options)
        case EventQuestion.Kind.SEVERAL:
            boxes = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(choices=_own_choices(question, answer or []), widget=boxes, **options)
    choices = _choices(question, answer)
    back = [("", _("No answer"))] if answer and not required else []
    return forms.ChoiceField(choices=[*choices, *back], widget=forms.RadioSelect, **options)


def _choices(question: EventQuestion, answer: Any) -> list[tuple[str, Any]]:
    if question.kind == EventQuestion.Kind.YES_NO:
        return [(YES, _("Yes")), (NO, _("No"))]
    return _own_choices(question, [answer] if answer else [])


def _own_choices(question: EventQuestion, chosen: list[str]) -> list[tuple[str, Any]]:
    """The choices, with those that this person had chosen and that are no longer offered."""
    labels = question.labels
    gone = {line: line for line in chosen if line not in labels}
    return [(line, marked(words)) for line, words in {**labels, **gone}.items()]


def _answer_errors(question: EventQuestion) -> dict[str, Any]:
    unknown = _("Choose an answer from the list.")
    required = format_html(str(_("Answer the question: {question}")), question=marked(question.texts.label))
    return {"required": required, "invalid_choice": unknown, "invalid_list": unknown}
