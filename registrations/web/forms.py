"""The public form: what is asked, how it is checked, and how robots are kept out."""

import copy
import math
import time
from collections.abc import Hashable, Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from registrations.documents import certificate_number
from registrations.domain import custom_questions
from registrations.models import Event, EventQuestion
from registrations.models.person_fields import PERSON_FIELDS, Group, PersonField, Question
from registrations.text import report_name
from registrations.web.fields import answer_field, marked, person_field

FORM_MAX_SECONDS = 24 * 3600
STAMP_SALT = "registrations.forms.stamp"
_NAMES = {group: [one.name for one in PERSON_FIELDS if one.asked and one.asked.group == group] for group in Group}
ASKED = {one.name: person_field(one) for one in PERSON_FIELDS if one.asked}  # copied into each form, as Django does


def _shape(field: forms.Field) -> Iterator[Hashable]:
    yield field.widget.__class__.__name__
    yield from (field.required, str(field.label), str(field.help_text), str(field.initial))
    yield from ((name, str(value)) for name, value in field.widget.attrs.items())
    yield from ((str(value), str(words)) for value, words in getattr(field.widget, "choices", ()))


class SummarisedForm(forms.Form):
    """A form whose errors are listed above the page's title, each with a link to its field."""

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Where and what: (id of the field to correct, message), in the order of the page."""
        return [
            (self._first_input(name), str(message)) for name in self.fields for message in self.errors.get(name, [])
        ]

    def _first_input(self, name: str) -> str:
        bound = self[name]
        radio = isinstance(bound.field.widget, forms.RadioSelect)
        return f"{bound.auto_id}_0" if radio else bound.auto_id

    @property
    def summary_title(self) -> str:
        return ngettext(
            "One answer must be corrected before sending",
            "%(count)s answers must be corrected before sending",
            len(self.summary),
        ) % {"count": len(self.summary)}

    @property
    def shape(self) -> tuple[Hashable, ...]:
        """Everything that the empty form shows, as a key for the page cache."""
        return tuple((name, *_shape(field)) for name, field in self.fields.items())

    def refuse(self, message: str) -> None:
        """Show what was typed again, with this message instead of the fields' errors."""
        self.full_clean()
        self.errors.clear()
        self.add_error(None, message)


class AddressForm(SummarisedForm):
    email = ASKED["email"]


class CertificateForm(SummarisedForm):
    number = forms.CharField(
        label=_("Number of the certificate"),
        help_text=_("Twelve letters and digits, with or without dashes. It stands on the certificate."),
        error_messages={"required": _("Enter the number of the certificate.")},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, label_suffix="")

    def clean_number(self) -> str:
        number = certificate_number.parse(self.cleaned_data["number"])
        if not number:
            raise ValidationError(
                _("Enter the twelve letters and digits of the number, for example 7KQ2-M9XD-4HTR."), code="invalid"
            )
        return number


class NewAddressForm(AddressForm):
    """Asks for an address other than the current one."""

    def __init__(self, data: QueryDict | None = None, *, current: str) -> None:
        super().__init__(data)
        self.current = current

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if address.lower() == self.current.lower():
            raise ValidationError(_("Your emails already go to this address."), code="unchanged")
        return address


class AnswersForm(SummarisedForm):
    """What a person says about themselves, without the address, which is changed on a page of its own."""

    corrects = True  # answers that were given before, by the person

    def __init__(self, data: QueryDict | None = None, *, event: Event, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="", initial=initial)
        self.event = event
        for field in PERSON_FIELDS:
            is_for_this_form = field.corrected_by_person or not self.corrects
            if field.asked and is_for_this_form and field.name not in self.fields:
                self._ask_for(field, field.asked)
        self.own_questions = self._asked(event)
        for own in self.own_questions:
            self._ask(own, (initial or {}).get("own_answers", {}).get(own.key))
        self.order_fields([name for _group, names in self._groups() for name in names])
        if event.is_over:
            self.fields["question"].label = _("A question for the team?")
            self.fields["question"].help_text = _("1,000 characters at most.")

    def _ask_for(self, field: PersonField, asked: Question) -> None:
        """Add a field with the event's choices or words, unless it needs some and the event has none."""
        offer = asked.offers(self.event) if asked.offers else None
        if asked.offers and not offer:
            return
        form_field = self.fields[field.name] = copy.deepcopy(ASKED[field.name])
        if isinstance(form_field, forms.ChoiceField):
            self._offer_choices(form_field, offer, asked.no_choice)
        elif offer:
            form_field.label = offer

    def _offer_choices(self, form_field: forms.ChoiceField, choices: Any, no_choice: Any) -> None:
        """On a page in another language, mark them as the organiser's words that they are."""
        is_list = isinstance(form_field.widget, forms.RadioSelect)
        labels = choices if isinstance(choices, dict) else {choice: choice for choice in choices}
        shown = [(choice, marked(words) if is_list else words) for choice, words in labels.items()]
        form_field.choices = [*([("", no_choice)] if no_choice else []), *shown]
        if not is_list and get_language() != settings.LANGUAGE_CODE:
            form_field.widget.attrs["lang"] = settings.LANGUAGE_CODE

    def _asked(self, event: Event) -> list[EventQuestion]:
        return custom_questions.asked(event)

    def _ask(self, own: EventQuestion, answer: Any) -> None:
        field = answer_field(own, answer=answer, required=own.required)
        field.label, field.help_text = marked(own.texts.label), marked(own.texts.help_text)
        self.fields[own.field_name] = field
        self.initial[own.field_name] = answer

    def clean(self) -> dict[str, Any]:
        """Gather the answers to the event's own questions under `own_answers`, by key; None for no answer."""
        cleaned = super().clean() or self.cleaned_data
        answers = {own.key: cleaned.pop(own.field_name, None) or None for own in self.own_questions}
        return {**cleaned, "own_answers": answers}

    @property
    def shown_groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """(legend, fields) as the page shows them."""
        shown = [(legend, [self[name] for name in names if name in self.fields]) for legend, names in self._groups()]
        return [(legend, fields) for legend, fields in shown if fields]

    def _groups(self) -> list[tuple[Any, list[str]]]:
        of_webinar = _("About this webinar") if self.event.is_over else _("To prepare the webinar")
        return [
            (_("Your contact details"), _NAMES[Group.CONTACT]),
            (_("Your work"), _NAMES[Group.WORK]),
            (_("Questions from the organiser"), [own.field_name for own in self.own_questions]),
            (of_webinar, _NAMES[Group.WEBINAR]),
            (_("Keeping in touch"), _NAMES[Group.TOUCH]),
        ]


class RegistrationForm(AnswersForm, AddressForm):
    corrects = False

    site_web = forms.CharField(required=False)  # honeypot: hidden from people, filled in by robots
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ["first_name", "last_name", "email"]

    def __init__(self, data: QueryDict | None = None, *, event: Event, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, event=event, initial=initial)
        self.initial["stamp"] = fresh_stamp()

    @property
    def shown_groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        example = _("Example: firstname.name@example.org")
        self["email"].help_text = f"{self._what_the_address_is_for()} {example}"
        return super().shown_groups

    def _what_the_address_is_for(self) -> Any:
        report = {"report": report_name.the_report(self.event)}
        match self.event.is_over, self.event.offers_report:
            case True, True:
                return _("To receive the confirmation, your personal link and %(report)s.") % report
            case True, False:
                return _("To receive the confirmation and your personal link.")
            case False, True:
                return _("To receive the confirmation, the connection link and %(report)s.") % report
        return _("To receive the confirmation and the connection link.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned["own_answers"] = {key: answer for key, answer in cleaned["own_answers"].items() if answer}
        hidden_field_is_filled = bool(cleaned.pop("site_web", ""))
        self._replace("site_web", "")  # the browser may have filled it in, so the next try has to pass
        seconds = self._seconds_since_shown(cleaned.pop("stamp", ""))
        if self.errors:
            return cleaned
        if seconds is None:
            raise ValidationError(
                _("This page had been open for long. Check your answers, then send it again."), "stale"
            )
        if hidden_field_is_filled:
            raise ValidationError(
                _(
                    "Your browser had filled in a hidden field that only robots fill in. It is empty again: check "
                    "your answers, then send them again."
                ),
                code="hidden_field",
            )
        if seconds < settings.FORM_MIN_SECONDS:
            raise ValidationError(
                _("This form was sent faster than it can be read. Your answers have been kept: send them again."),
                code="too_fast",
            )
        return cleaned

    def _seconds_since_shown(self, stamp: str) -> float | None:
        """None, and a fresh stamp in the form, when the stamp is invalid or older than a day."""
        try:
            shown_at = float(signing.loads(stamp, salt=STAMP_SALT, max_age=FORM_MAX_SECONDS))
        except signing.BadSignature:
            self._replace("stamp", fresh_stamp())
            return None
        return time.time() - shown_at

    def _replace(self, name: str, value: str) -> None:
        if isinstance(self.data, QueryDict):
            self.data = self.data.copy()
            self.data[name] = value


def too_many_forms(wait: timedelta) -> str:
    minutes = math.ceil(wait / timedelta(minutes=1))
    return ngettext(
        "Very many forms have come from your network. Wait %(count)s minute, then send this one again: "
        "your answers have been kept.",
        "Very many forms have come from your network. Wait %(count)s minutes, then send this one again: "
        "your answers have been kept.",
        minutes,
    ) % {"count": minutes}


def fresh_stamp() -> str:
    """The time at which the form is shown, signed."""
    return signing.dumps(str(time.time()), salt=STAMP_SALT)
