"""Custom questions of an event: those asked, the answers of one person, the counted answers of all."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from registrations.models import Event, EventQuestion, Registration
from registrations.models.event_question import NO, YES
from registrations.runtime.rows import in_chunks

Kind = EventQuestion.Kind
CHUNK = 1000  # registrations in memory
TEXTS_KEPT = 200  # of one question


def may_ask(event: Event) -> bool:
    """False only if `annotate_events` has found that the event has none."""
    return bool(getattr(event, "has_own_questions", True))


def asked(event: Event) -> list[EventQuestion]:
    """The questions that are asked now, in the order of the form."""
    return list(event.own_questions.asked()) if may_ask(event) else []


def asked_or_answered(registration: Registration) -> list[EventQuestion]:
    """The questions that are asked now, and those that this person answered before they were removed."""
    questions = registration.event.own_questions.all()
    return [one for one in questions if one.is_asked or one.key in registration.own_answers]


def words(question: EventQuestion, answer: Any) -> list[str]:
    """An answer as people read it: one line, or one for each choice."""
    return [question.answer_words(str(one)) for one in (answer if isinstance(answer, list) else [answer])]


class Answered(NamedTuple):
    question: EventQuestion
    lines: list[str]


def answered(registration: Registration) -> list[Answered]:
    """The answers of this person, in the order of the form."""
    answers = registration.own_answers
    questions = registration.event.own_questions.all() if answers else []
    return [Answered(one, words(one, answers[one.key])) for one in questions if one.key in answers]


class Choice(NamedTuple):
    answer: str  # as it is stored
    words: str
    number: int
    share: int  # per cent of those who answered
    is_offered: bool


@dataclass
class Counted:
    """One question, and the counted answers of the people on the list."""

    question: EventQuestion
    answered: int = 0
    numbers: Counter[str] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)  # sorted, so that the order reveals nobody

    def add(self, answer: Any) -> None:
        self.answered += 1
        if self.question.kind != Kind.TEXT:
            self.numbers.update(answer if isinstance(answer, list) else [answer])
        elif len(self.texts) < TEXTS_KEPT:
            self.texts.append(str(answer))

    @property
    def choices(self) -> list[Choice]:
        """The choices on offer, in their order, then former ones that somebody has chosen."""
        if self.question.kind == Kind.TEXT:
            return []
        offered = [YES, NO] if self.question.kind == Kind.YES_NO else self.question.choice_lines
        gone = [answer for answer, _number in self.numbers.most_common() if answer not in offered]
        return [self._choice(answer, answer in offered) for answer in [*offered, *gone]]

    def _choice(self, answer: str, is_offered: bool) -> Choice:
        number = self.numbers[answer]
        share = round(100 * number / self.answered) if self.answered else 0
        return Choice(answer, self.question.answer_words(answer), number, share, is_offered)


def answer_counts(event: Event) -> list[Counted]:
    """Each question that is asked or was answered, with the counted answers. Two queries, streamed."""
    counted = {question.key: Counted(question) for question in event.own_questions.all()}
    if counted:
        _count(event, counted)
    for one in counted.values():
        one.texts.sort()
    return [one for one in counted.values() if one.question.is_asked or one.answered]


def _count(event: Event, counted: dict[str, Counted]) -> None:
    answering = event.registrations.without_dry_runs().not_cancelled().exclude(own_answers={}).order_by("pk")
    for answers in in_chunks(answering.values_list("own_answers", flat=True), CHUNK):
        for key in answers.keys() & counted.keys():
            counted[key].add(answers[key])
