"""Organisers' texts in two languages: the French one in the column, the English one in a column `…_en` beside it."""

from typing import Any, cast

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from registrations.models.event_validators import non_empty_lines
from registrations.models.one_line import OneLineField

FRENCH, ENGLISH = "fr", "en"
SUFFIX = "_en"
HINT = _("Empty: the French text is shown.")


def english(field: type[models.Field[Any, Any]], name: Any, **options: Any) -> Any:
    """The column of an English text."""
    words = {"help_text": HINT, **options}
    return field(name, blank=True, default="", db_default="", **words)


class Text(str):
    """An organiser's text, with the language that it is written in."""

    language: str

    __slots__ = ("language",)

    def __new__(cls, words: str, language: str) -> "Text":
        text = super().__new__(cls, words)
        text.language = language
        return text


class Texts:
    """The texts of a row by the names of their French columns, as the reader of the active language gets them.

    A text that is not written in that language is the one in the other language.
    """

    def __init__(self, row: models.Model) -> None:
        self.row = row

    def __getattr__(self, name: str) -> Text:
        texts = {FRENCH: getattr(self.row, name), ENGLISH: getattr(self.row, f"{name}{SUFFIX}")}
        language, other = (ENGLISH, FRENCH) if get_language() == ENGLISH else (FRENCH, ENGLISH)
        if texts[other] and not texts[language]:
            language = other
        return Text(texts[language], language)


class HasTexts:
    """For models with columns `…_en`."""

    @property
    def texts(self) -> Texts:
        return Texts(cast(models.Model, self))


def labels(choices: str, choices_en: str) -> dict[str, Text]:
    """What is shown for each choice, one per line. The answer is the French line, whatever is shown."""
    lines, translated = non_empty_lines(choices), non_empty_lines(choices_en)
    if get_language() == ENGLISH and len(lines) == len(translated):
        return {line: Text(words, ENGLISH) for line, words in zip(lines, translated, strict=True)}
    return {line: Text(line, FRENCH) for line in lines}


class EventTexts(HasTexts, models.Model):
    """The English texts of an event."""

    title_en = english(OneLineField, _("title in English"), max_length=200)
    short_title_en = english(
        OneLineField, _("short title in English"), max_length=80, help_text=_("Empty: made from the English title.")
    )
    summary_en = english(models.TextField, _("summary in English"))
    description_en = english(models.TextField, _("description in English"))
    connection_notes_en = english(models.TextField, _("notes on the connection, in English"))
    organiser_words_en = english(models.TextField, _("the organiser’s words in English"))
    origins_en = english(
        models.TextField,
        _("origins in English"),
        help_text=_("As many lines as in French, in the same order. Empty: the French lines are shown."),
    )
    newsletter_label_en = english(OneLineField, _("words of the newsletter box, in English"), max_length=200)
    follow_up_present_en = english(models.TextField, _("words to those who came, in English"))
    follow_up_absent_en = english(models.TextField, _("words to those who did not come, in English"))

    origins: Any

    class Meta:
        abstract = True

    @property
    def origin_labels(self) -> dict[str, Text]:
        return labels(self.origins, self.origins_en)

    @property
    def shown_texts(self) -> list[Text]:
        """Those that make the page: what it says of its language speaks of them."""
        texts = [self.texts.title, self.texts.summary, self.texts.description]
        return [text for text in texts if text]
