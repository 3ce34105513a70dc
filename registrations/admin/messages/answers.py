"""The answers by which the recipients of a message may be chosen: to the event's own questions of choice."""

from registrations.domain import custom_questions
from registrations.models import Broadcast, Event, EventQuestion

Kind = EventQuestion.Kind
SEPARATOR = ":"  # between the number of the question and the answer
CHOOSING = [Kind.ONE, Kind.SEVERAL, Kind.YES_NO]


def value(broadcast: Broadcast) -> str:
    """As the form sends it; empty when the message is not for those who gave an answer."""
    question = broadcast.answered_question_id
    return f"{question}{SEPARATOR}{broadcast.answer}" if question else ""


def offered(event: Event, broadcast: Broadcast) -> list[tuple[str, list[tuple[str, str]]]]:
    """By question: each answer with the number of people who gave it, former choices included."""
    if not event.own_questions.filter(kind__in=CHOOSING).exists():
        return []
    counted = [one for one in custom_questions.answer_counts(event) if one.question.kind in CHOOSING]
    groups = [(one.question.label, [_option(one.question, choice) for choice in one.choices]) for one in counted]
    kept, question = value(broadcast), broadcast.answered_question
    if question and all(kept != key for _label, options in groups for key, _words in options):
        groups.append((question.label, [(kept, f"{question.answer_words(broadcast.answer)} (0)")]))
    return groups


def _option(question: EventQuestion, choice: custom_questions.Choice) -> tuple[str, str]:
    return f"{question.pk}{SEPARATOR}{choice.answer}", f"{choice.words} ({choice.number})"
