"""The public form: what is asked, how it is checked, and what keeps robots out."""

import re
import time
import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.http import QueryDict
from django.utils.encoding import punycode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registrations.models import Event

NAME_MAX = 100
TEXT_MAX = 255
EMAIL_MAX = 254  # RFC 5321, section 4.5.3.1.3
QUESTION_MAX = 1000
COMBINING_MAX = 8
FORM_MAX_SECONDS = 24 * 3600
STAMP_SALT = "registrations.forms.stamp"

FORBIDDEN_IN_NAMES = re.compile(r"[<>@/\\{}\[\]=$;]|\bwww\.|\w{3,}\.[^\W\d_]{2,}", re.IGNORECASE)
JOINERS = "\u200c\u200d"  # used by several scripts inside words


class LimitedText(forms.CharField):
    """Text of a limited length, normalised to NFC, whose error says both numbers.

    The page prints no maxlength: browsers cut a pasted text without a word.
    """

    def __init__(self, *, limit: int, too_long: Any, multiline: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit, self.too_long, self.multiline = limit, too_long, multiline

    def clean(self, value: Any) -> str:
        text: str = unicodedata.normalize("NFC", super().clean(value))
        if len(text) > self.limit:
            numbers = {"limit": self.limit, "length": len(text)}
            raise ValidationError(self.too_long % numbers, code="too_long")
        allowed = JOINERS + ("\n\r\t" if self.multiline else "")
        if any(unicodedata.category(sign).startswith("C") and sign not in allowed for sign in text):
            raise ValidationError(_("Remove the invisible characters from this answer."), code="invisible")
        return text


class NameField(LimitedText):
    """A name is the only typed text that goes into a mail: it carries no address of a site, and no advert."""

    def clean(self, value: Any) -> str:
        name: str = super().clean(value)
        if FORBIDDEN_IN_NAMES.search(name) or sum(map(bool, map(unicodedata.combining, name))) > COMBINING_MAX:
            raise ValidationError(
                _("A name cannot contain the address of a site, nor these signs: < > @ / \\ { }."),
                code="advert",
            )
        return name


class AddressField(forms.CharField):
    """One address that SMTP can carry without extensions: ASCII before the @, IDNA (RFC 5891) after it."""

    def clean(self, value: Any) -> str:
        address: str = super().clean(value)
        if not address:
            return address
        local_part, at, domain = address.rpartition("@")
        try:
            address = f"{local_part}{at}{punycode(domain).lower()}"
            if not local_part.isascii() or '"' in local_part or len(address) > EMAIL_MAX:
                raise ValidationError("")
            EmailValidator()(address)
        except (ValidationError, UnicodeError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        return address


class RegistrationForm(forms.Form):
    required_css_class = "required"
    first_name = NameField(
        label=_("First name"),
        limit=NAME_MAX,
        too_long=_("The first name must not exceed %(limit)s characters; you typed %(length)s."),
        error_messages={"required": _("Enter your first name.")},
        widget=forms.TextInput({"autocomplete": "given-name", "spellcheck": "false"}),
    )
    last_name = NameField(
        label=_("Last name"),
        limit=NAME_MAX,
        too_long=_("The last name must not exceed %(limit)s characters; you typed %(length)s."),
        error_messages={"required": _("Enter your last name.")},
        widget=forms.TextInput({"autocomplete": "family-name", "spellcheck": "false"}),
    )
    email = AddressField(
        label=_("Email address"),
        help_text=_(
            "To receive the confirmation, the connection link and the study report. "
            "Example: firstname.name@example.org"
        ),
        error_messages={
            "required": _("Enter your email address."),
            "invalid": _("Enter a complete email address, for example firstname.name@example.org."),
        },
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"}),
    )
    organisation = LimitedText(
        label=_("Organisation"),
        help_text=_("Town, local authority, family benefits office, association, State service…"),
        limit=TEXT_MAX,
        too_long=_("The organisation must not exceed %(limit)s characters; you typed %(length)s."),
        error_messages={"required": _("Enter the name of your organisation.")},
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    job_title = LimitedText(
        label=_("Job title"),
        help_text=_("For example: urban policy project manager, elected representative, CTG coordinator"),
        limit=TEXT_MAX,
        too_long=_("The job title must not exceed %(limit)s characters; you typed %(length)s."),
        error_messages={"required": _("Enter your job title.")},
        widget=forms.TextInput({"autocomplete": "organization-title"}),
    )
    territory = forms.ChoiceField(
        label=_("Department where you work"),
        required=False,
        error_messages={"invalid_choice": _("Choose a department from the list.")},
    )
    heard_from = forms.ChoiceField(
        label=_("How did you hear about this webinar?"),
        required=False,
        error_messages={"invalid_choice": _("Choose an answer from the list.")},
        widget=forms.RadioSelect,
    )
    question = LimitedText(
        label=_("A question to ask during the webinar?"),
        help_text=_("1,000 characters at most. It may be read out during the webinar, without your name."),
        required=False,
        limit=QUESTION_MAX,
        too_long=_("Your question must not exceed %(limit)s characters; you typed %(length)s."),
        multiline=True,
        widget=forms.Textarea({"rows": 4}),
    )
    newsletter = forms.BooleanField(required=False, help_text=_("Optional. No effect on your registration."))
    site_web = forms.CharField(required=False)  # people never see it, robots fill it in
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, event: Event) -> None:
        super().__init__(data, label_suffix="")
        self.event = event
        self._offer("territory", event.territory_choices, blank=_("Choose a department"))
        self._offer("heard_from", event.origin_choices)
        if event.newsletter_label:
            self.fields["newsletter"].label = event.newsletter_label
        else:
            del self.fields["newsletter"]
        if event.is_over:
            self.fields["question"].label = _("A question for the team?")
            self.fields["question"].help_text = _("1,000 characters at most.")
        self.initial["stamp"] = fresh_stamp()

    def _offer(self, name: str, choices: list[str], *, blank: Any = None) -> None:
        """The event's own choices; a question without choices is not asked."""
        field = self.fields[name]
        if choices and isinstance(field, forms.ChoiceField):
            field.choices = [*([("", blank)] if blank else []), *((choice, choice) for choice in choices)]
        else:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        filled_by_a_robot = bool(cleaned.pop("site_web", ""))
        self._replace("site_web", "")  # a browser may have filled it in: the next try must pass
        in_human_time = self._took_a_human_time(cleaned.pop("stamp", ""))
        if not self.errors and (filled_by_a_robot or not in_human_time):
            raise ValidationError(
                _(
                    "Too many forms sent in a short time. Wait a minute, then send it again: "
                    "your answers have been kept."
                ),
                code="too_fast",
            )
        return cleaned

    def _took_a_human_time(self, stamp: str) -> bool:
        """Between two seconds and a day since the form was shown. A stale stamp is replaced by a fresh one."""
        try:
            shown_at = float(signing.loads(stamp, salt=STAMP_SALT, max_age=FORM_MAX_SECONDS))
        except signing.BadSignature:
            self._replace("stamp", fresh_stamp())
            return False
        return time.time() - shown_at >= settings.FORM_MIN_SECONDS

    def _replace(self, name: str, value: str) -> None:
        if isinstance(self.data, QueryDict):
            self.data = self.data.copy()
            self.data[name] = value

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
    def shown_groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        groups = [
            (_("Your contact details"), ["first_name", "last_name", "email"]),
            (_("Your work"), ["organisation", "job_title", "territory"]),
            (
                _("About this webinar") if self.event.is_over else _("To prepare the webinar"),
                ["heard_from", "question"],
            ),
            (_("Keeping in touch"), ["newsletter"]),
        ]
        shown = [(legend, [self[name] for name in names if name in self.fields]) for legend, names in groups]
        return [(legend, fields) for legend, fields in shown if fields]


def fresh_stamp() -> str:
    """The time at which the form is shown, signed."""
    return signing.dumps(str(time.time()), salt=STAMP_SALT)
