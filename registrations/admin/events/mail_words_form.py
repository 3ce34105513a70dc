"""The form of one's own words in one kind of mail: subject, opening and closing in each language."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.utils.translation import gettext as _

from registrations.admin.messages.forms import known_only
from registrations.mailing import own_words, placeholders
from registrations.models import Event, MailText
from registrations.models.mail_kinds import OWN_WORDS, Kind
from registrations.models.mail_text import TEXT_MAX, WORDS


class WordsForm(forms.Form):
    """Fields named after their word and language: subject_fr, opening_fr, closing_fr, subject_en …"""

    def __init__(self, event: Event, kind: Kind, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        self.event, self.kind = event, kind
        self.declared = OWN_WORDS[kind]
        super().__init__(data, initial=initial if initial is not None else self._saved())
        for code, _name in settings.LANGUAGES:
            self._add_fields(code)

    def _saved(self) -> dict[str, Any]:
        texts = MailText.objects.filter(event=self.event, kind=self.kind)
        return {f"{name}_{text.language}": getattr(text, name) for text in texts for name in WORDS}

    def _add_fields(self, code: str) -> None:
        body = placeholders.shown(own_words.in_body(self.declared))
        filled_in = _("Filled in for each person: %(names)s.") % {"names": body}
        if self.declared.subject_reasons:
            self.fields[f"subject_{code}"] = forms.CharField(
                label=_("Subject"),
                max_length=90,
                required=False,
                widget=AdminTextInputWidget,
                help_text=self._help_of_subject(code),
            )
        if self.declared.has_opening:
            after_hello = _("After “Hello”. Empty: the sentence of the site. In Markdown.")
            self.fields[f"opening_{code}"] = _text_field(_("Opening"), f"{after_hello} {filled_in}", rows=6)
        at_the_end = _("At the end. Empty: the team of the organiser signs. In Markdown.")
        self.fields[f"closing_{code}"] = _text_field(_("Closing"), f"{at_the_end} {filled_in}", rows=3)

    def _help_of_subject(self, code: str) -> str:
        words = _("Empty: “%(subject)s”. Filled in: %(names)s.")
        subject = own_words.site_subject(self.event, self.kind, code)
        return words % {"subject": subject, "names": placeholders.shown(placeholders.IN_SUBJECT)}

    def fieldsets(self) -> list[Any]:
        """One of each language."""
        return [
            (name, {"fields": [field for field in self.fields if field.endswith(f"_{code}")]})
            for code, name in settings.LANGUAGES
        ]

    def clean(self) -> dict[str, Any]:
        for name, value in list(self.cleaned_data.items()):
            known = placeholders.IN_SUBJECT if name.startswith("subject") else own_words.in_body(self.declared)
            try:
                self.cleaned_data[name] = known_only(self._tidy(name, value), known)
            except forms.ValidationError as error:
                self.add_error(name, error)
        return self.cleaned_data

    def _tidy(self, name: str, value: str) -> str:
        """A subject is one line, whatever was pasted."""
        if name.startswith("subject"):
            return str(MailText._meta.get_field("subject").to_python(value))
        return value.replace("\r\n", "\n").strip()

    def typed(self) -> dict[str, dict[str, str]]:
        """By language and word; a word that this kind does not have is left out."""
        return {
            code: {
                name: self.cleaned_data[f"{name}_{code}"] for name in WORDS if f"{name}_{code}" in self.cleaned_data
            }
            for code, _name in settings.LANGUAGES
        }

    def language_to_show(self) -> str:
        """The first language in which something is written."""
        return next((code for code, words in self.typed().items() if any(words.values())), settings.LANGUAGE_CODE)


def _text_field(label: str, help_text: str, *, rows: int) -> forms.CharField:
    widget = AdminTextareaWidget({"rows": rows})
    return forms.CharField(label=label, required=False, max_length=TEXT_MAX, widget=widget, help_text=help_text)
