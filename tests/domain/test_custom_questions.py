"""Questions of an event's own, as visitors and registrants meet them: asked, answered, corrected, never mailed."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone, translation

from registrations.domain import custom_questions, duplication
from registrations.models import Event, EventQuestion, Registration
from registrations.security import rate_limits
from tests.factories import answers, make_event, make_question, make_questions, make_registration
from tests.journey import Journey, without_line_breaks
from tests.test_query_budget import queries

pytestmark = pytest.mark.django_db
LONG = "Pourquoi ? " * 100


def form_path(event: Event, language: str = "") -> str:
    return f"{language}/evenements/{event.slug}/inscription/"


def errors(page: Any) -> dict[str, list[str]]:
    return {name: list(map(str, messages)) for name, messages in page.context["form"].errors.items()}


def given(own: EventQuestion, value: Any) -> dict[str, Any]:
    """One field of the form."""
    return {own.field_name: value}


def answering(event: Event, **fields: Any) -> tuple[list[EventQuestion], Registration]:
    """Someone who has answered one question of each kind."""
    asked = make_questions(event)
    said = ["Comprendre", "Habitat", ["Finances", "École"], "no"]
    own_answers = {question.key: answer for question, answer in zip(asked, said, strict=True)}
    return asked, make_registration(event, own_answers=own_answers, **fields)


# on the form


def test_one_answer_of_each_kind_is_recorded(journey: Journey) -> None:
    event = make_event()
    text, one, several, yes_no = make_questions(event, required=True)
    typed: dict[str, Any] = {
        text.field_name: "  Comprendre\r\nles enjeux ",
        one.field_name: "Habitat",
        several.field_name: ["Finances", "École"],
        yes_no.field_name: "no",
    }
    journey.sign_up(event, **typed)
    assert Registration.objects.get().own_answers == {
        text.key: "Comprendre\nles enjeux",
        one.key: "Habitat",
        several.key: ["Finances", "École"],
        yes_no.key: "no",
    }


def test_what_is_not_answered_leaves_nothing_so_that_no_is_no_silence(journey: Journey) -> None:
    event = make_event()
    *_others, yes_no = make_questions(event)
    journey.sign_up(event, email="silent@example.org")
    journey.sign_up(event, email="no@example.org", **given(yes_no, "no"))
    silent, no = Registration.objects.order_by("pk")
    assert (silent.own_answers, no.own_answers) == ({}, {yes_no.key: "no"})


def test_each_group_of_choices_is_a_fieldset_with_its_hint(client: Client) -> None:
    event = make_event(origins="")
    several = make_question(event, "several", label="Quels ateliers ?", help_text="Deux au plus !")
    page = client.get(form_path(event)).text
    name = f"id_{several.field_name}"
    assert f'<fieldset class="field" aria-describedby="{name}_helptext">' in page
    assert re.search(r"<legend>Quels ateliers\u00a0\?\s*<span", page)
    assert f'<p class="hint" id="{name}_helptext">Deux au plus\u00a0!</p>' in page
    assert f'<label for="{name}_0">Finances</label>' in page
    assert page.count('type="checkbox"') == 4
    assert page.count("Questions de l’équipe") == 1


def test_a_required_question_is_named_beside_its_field_and_in_the_summary(journey: Journey) -> None:
    event = make_event()
    asked = make_questions(event, required=True)
    page = journey.sign_up(event, first_name="")
    assert errors(page) == {
        "first_name": ["Saisissez votre prénom."],
        **{own.field_name: [f"Répondez à la question\u00a0: Question {own.kind}\u00a0?"] for own in asked},
    }
    text, one, several, yes_no = asked
    assert [where for where, _message in page.context["form"].summary] == [
        "id_first_name",
        f"id_{text.field_name}",
        f"id_{one.field_name}_0",
        f"id_{several.field_name}_0",
        f"id_{yes_no.field_name}_0",
    ]
    assert f'aria-describedby="id_{one.field_name}_error"' in page.text
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("kind", "typed", "message"),
    [
        ("one", "Autre", "Choisissez une réponse dans la liste."),
        ("one", "100 % <b>", "Choisissez une réponse dans la liste."),
        ("several", ["Finances", "Autre"], "Choisissez une réponse dans la liste."),
        ("yes_no", "peut-être", "Choisissez une réponse dans la liste."),
        (
            "text",
            LONG,
            "Votre réponse ne doit pas dépasser\u00a01\u00a0000 caractères\u00a0; vous en avez saisi\u00a01\u00a0099.",
        ),
        ("text", "a\x00b", "caractère nul"),
        ("text", "a\x07b", "caractères de contrôle"),
    ],
)
def test_what_was_not_offered_or_is_too_long_is_refused(journey: Journey, kind: str, typed: Any, message: str) -> None:
    event = make_event()
    own = make_question(event, kind, label="À 100 % ?")
    page = journey.sign_up(event, **given(own, typed))
    assert list(errors(page)) == [own.field_name]
    assert re.search(message, errors(page)[own.field_name][0])
    assert not Registration.objects.exists()


def test_a_megabyte_is_not_even_read(journey: Journey) -> None:
    event = make_event()
    own = make_question(event)
    assert journey.sign_up(event, **given(own, "a" * 1_000_000)).status_code == 413


def test_a_question_that_is_no_longer_asked_or_belongs_elsewhere_takes_no_answer(journey: Journey) -> None:
    event = make_event()
    gone, other = make_question(event, is_asked=False), make_question(make_event())
    page = journey.client.get(form_path(event)).text
    assert "answer_" not in page
    assert "Questions de l’équipe" not in page
    journey.sign_up(event, **given(gone, "Non"), **given(other, "Non"))
    assert Registration.objects.get().own_answers == {}


def test_answers_are_kept_on_every_error(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event()
    text, one, several, yes_no = make_questions(event)
    typed: dict[str, Any] = {
        text.field_name: "<b>Comprendre</b>",
        one.field_name: "Habitat",
        several.field_name: ["Finances", "École"],
        yes_no.field_name: "no",
    }

    def kept(page: Any) -> list[str]:
        ticked = re.findall(
            r'<input type="(?:radio|checkbox)" name="answer_\d+" value="([^"]+)"[^>]* checked', page.text
        )
        assert "&lt;b&gt;Comprendre&lt;/b&gt;" in page.text
        return ticked

    chosen = ["Habitat", "Finances", "École", "no"]
    assert kept(journey.sign_up(event, first_name="", **typed)) == chosen
    for _ in range(60):
        rate_limits.take((rate_limits.FORMS_FROM_ORIGIN, "127.0.0.1"))
    refused = journey.sign_up(event, **typed)
    assert (refused.status_code, kept(refused)) == (429, chosen)

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(rate_limits, "wait_of_form", away)
    journey.client.raise_request_exception = False
    resting = journey.sign_up(event, **typed)
    assert resting.status_code == 503
    hidden = re.findall(r'<input type="hidden" name="answer_\d+" value="([^"]+)"', resting.text)
    assert hidden == ["&lt;b&gt;Comprendre&lt;/b&gt;", *chosen]


def test_a_closed_form_shows_what_was_written_for_copying(journey: Journey) -> None:
    event = make_event()
    text, one, *_others = make_questions(event)
    Event.objects.update(registration_closes_at=timezone.now() - timedelta(hours=1))
    page = journey.client.post(
        form_path(event), {**answers(question="Et après ?"), text.field_name: "Comprendre", one.field_name: "Habitat"}
    )
    assert page.context["typed"] == ["Et après ?", "Comprendre"]
    assert "<blockquote>Comprendre</blockquote>" in page.text


def test_on_english_pages_the_organisers_words_are_marked_as_french_and_ours_are_not(client: Client) -> None:
    event = make_event()
    asked, registration = answering(event)
    EventQuestion.objects.update(help_text="Une seule.")
    page = client.get(form_path(event, "/en")).text
    name = f"id_{asked[1].field_name}"
    assert '<legend><span lang="fr">Question one\u00a0?</span>' in page
    assert f'<p class="hint" id="{name}_helptext"><span lang="fr">Une seule.</span></p>' in page
    assert f'<label for="{name}_0"><span lang="fr">Finances</span></label>' in page
    assert f'<label for="id_{asked[3].field_name}_0">Yes</label>' in page

    mine = without_line_breaks(client.get(f"/en/mon-inscription/{registration.manage_code}/").text)
    assert '<dt lang="fr">Question one\u00a0?</dt><dd><bdi lang="fr">Habitat</bdi></dd>' in mine
    assert '<dt lang="fr">Question yes_no\u00a0?</dt><dd><bdi>No</bdi></dd>' in mine


# another event


def test_a_duplicate_asks_the_same_questions() -> None:
    event = make_event()
    make_questions(event, required=True, help_text="Une phrase.")
    make_question(event, is_asked=False)

    def asked(of: Event) -> list[tuple[Any, ...]]:
        fields = ["position", "label", "kind", "choices", "help_text", "required"]
        return list(of.own_questions.asked().values_list(*fields))

    new = duplication.duplicate(event)
    assert asked(new) == asked(event)
    assert (len(asked(event)), new.own_questions.count(), event.own_questions.count()) == (4, 4, 5)


EVENT_FILE = """
slug = "essai"
title = "Essai"
short_title = "Essai"
starts_at = 2027-05-13T16:30:00+02:00
ends_at = 2027-05-13T18:00:00+02:00
organiser_name = "Le Pôle ressources"
contact_name = "Ada Contact"
contact_email = "contact@example.org"

[[questions]]
label = "Quels ateliers ?"
kind = "several"
required = true
choices = \"\"\"
Finances
Habitat
\"\"\"

[[questions]]
label = "Qu’attendez-vous ?"
"""


def test_a_file_brings_an_event_with_its_questions(tmp_path: Path) -> None:
    file = tmp_path / "event.toml"
    file.write_text(EVENT_FILE, "utf-8")
    call_command("load_event", str(file), verbosity=0)
    several, text = EventQuestion.objects.all()
    assert (several.position, several.kind, several.choice_lines, several.required) == (
        1,
        "several",
        ["Finances", "Habitat"],
        True,
    )
    assert (text.position, text.kind, text.label) == (2, "text", "Qu’attendez-vous ?")


def test_a_file_with_a_question_that_cannot_be_answered_brings_nothing(tmp_path: Path) -> None:
    file = tmp_path / "event.toml"
    file.write_text(EVENT_FILE.replace("Habitat\n", ""), "utf-8")
    with pytest.raises(CommandError, match="Quels ateliers"):
        call_command("load_event", str(file), verbosity=0)
    assert not Event.objects.exists()


# what it costs, and what all of them say


def costs(client: Client, event: Event) -> list[int]:
    page = f"/evenements/{event.slug}/"
    stamp = client.get(form_path(event)).context["form"].initial["stamp"]
    acts: list[Callable[[], Any]] = [
        lambda: client.get(page),
        lambda: client.get(form_path(event)),
        lambda: client.post(form_path(event), {**answers(), "stamp": stamp}),
    ]
    return [sum("django_session" not in sql for sql in queries(act)) for act in acts]


def test_an_event_without_questions_pays_nothing_for_them_and_others_one_query(client: Client) -> None:
    without, with_questions = make_event(), make_event()
    make_questions(with_questions)
    event_page, form, sign_up = costs(client, without)
    assert (event_page <= 4, sign_up <= 12) == (True, True)
    assert costs(client, with_questions) == [event_page, form + 1, sign_up + 1]


def test_the_answers_of_those_on_the_list_are_counted() -> None:
    event = make_event()
    (text, one, several, yes_no), _first = answering(event)
    gone = make_question(event, "one", is_asked=False)
    never_answered = make_question(event, is_asked=False)
    others: list[dict[str, Any]] = [
        {text.key: "Apprendre", one.key: "Habitat", several.key: ["Habitat"], gone.key: "École"},
        {one.key: "Autrefois", yes_no.key: "yes"},
        {},
    ]
    for own_answers in others:
        make_registration(event, status="waitlisted", own_answers=own_answers)
    make_registration(event, status="cancelled", own_answers={text.key: "Parti", one.key: "École"})
    make_registration(make_event(), own_answers={text.key: "Ailleurs"})

    with translation.override("fr"):
        counted = {one.question: one for one in custom_questions.answer_counts(event)}
        found = {
            question: [(choice.words, choice.number, choice.share, choice.is_offered) for choice in counts.choices]
            for question, counts in counted.items()
        }
    assert {question: counts.answered for question, counts in counted.items()} == {
        text: 2,
        one: 3,
        several: 2,
        yes_no: 2,
        gone: 1,
    }
    assert never_answered not in counted
    assert counted[text].texts == ["Apprendre", "Comprendre"]
    assert found[text] == []
    assert found[one] == [
        ("Finances", 0, 0, True),
        ("Habitat", 2, 67, True),
        ("École", 0, 0, True),
        ("Autrefois", 1, 33, False),
    ]
    assert found[several] == [("Finances", 1, 50, True), ("Habitat", 1, 50, True), ("École", 1, 50, True)]
    assert found[yes_no] == [("Oui", 1, 50, True), ("Non", 1, 50, True)]


def test_counting_takes_two_queries_whatever_there_is_to_count() -> None:
    event = make_event()
    assert len(queries(lambda: custom_questions.answer_counts(event))) == 1
    asked, _first = answering(event)
    for number in range(custom_questions.TEXTS_KEPT + 10):
        make_registration(event, own_answers={asked[0].key: f"Texte {number}"})
    assert len(queries(lambda: custom_questions.answer_counts(event))) == 2
    text = custom_questions.answer_counts(event)[0]
    assert (text.answered, len(text.texts)) == (custom_questions.TEXTS_KEPT + 11, custom_questions.TEXTS_KEPT)
