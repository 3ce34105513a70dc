"""Questions of an event's own in the admin: written in the event's form, and previewed."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from registrations.models import Event, EventQuestion, Registration
from registrations.models.event_question import CHOICES_MAX, QUESTIONS_MAX
from tests.admin.members import member
from tests.admin_client import EVENTS, event_form, logged_in
from tests.factories import make_event, make_question, make_registration

pytestmark = pytest.mark.django_db

FIELDS = ["id", "event", "position", "label", "kind", "choices", "help_text", "required", "is_asked"]

STAYS = (
    "Des personnes ont répondu : le type de réponse ne change plus. "
    "Décochez « encore posée » et ajoutez une autre question."
)

NOT_DELETED = (
    "Des personnes ont répondu à « Quand ? » : cette question ne peut pas être supprimée. "
    "Décochez plutôt « encore posée »."
)


def typed(*rows: dict[str, Any], known: int = 0) -> dict[str, Any]:
    """What the table of questions sends: those that are there first."""
    usual = {"position": 1, "label": "Quels ateliers ?", "kind": "text", "is_asked": "on"}
    cells = {
        f"own_questions-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in {**({} if "id" in row else usual), **row}.items()
    }
    return {"own_questions-TOTAL_FORMS": len(rows), "own_questions-INITIAL_FORMS": known, **cells}


def as_it_is(question: EventQuestion, **changed: Any) -> dict[str, Any]:
    row = {name: getattr(question, f"{name}_id" if name == "event" else name) for name in FIELDS}
    return {name: value for name, value in {**row, **changed}.items() if value is not False}


def save(event: Event, *rows: dict[str, Any], known: int = 0) -> Any:
    client = logged_in() if not User.objects.filter(username="equipe").exists() else again()
    path = f"{EVENTS}{event.pk}/change/"
    return client.post(path, {**event_form(client, path), **typed(*rows, known=known)})


def again() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="equipe"))
    return client


def complaints(page: Any) -> list[str]:
    """Of the table of questions, whatever row they belong to."""
    [formset] = [one.formset for one in page.context["inline_admin_formsets"] if one.formset.prefix == "own_questions"]
    of_rows = [str(message) for errors in formset.errors for messages in errors.values() for message in messages]
    return [message.replace("\u00a0", " ") for message in [*of_rows, *map(str, formset.non_form_errors())]]


# written in the event's form


def test_questions_stand_right_after_the_settings_of_the_sign_up() -> None:
    page = logged_in().get(f"{EVENTS}{make_event().pk}/change/").text
    places = [
        page.index(words)
        for words in ("lien pour d’autres sites", "id_origins", 'id="own_questions-group"', "id_connection_notes")
    ]
    assert places == sorted(places)
    assert page.count('id="own_questions-group"') == page.count('id="report_sections-group"') == 1


def test_a_question_is_added_and_asked() -> None:
    event = make_event()
    row = {"kind": "several", "choices": "Finances\n\n Habitat ", "help_text": "Deux au plus.", "required": "on"}
    assert save(event, row).status_code == 302
    question = event.own_questions.get()
    assert (question.label, question.kind, question.choice_lines, question.help_text) == (
        "Quels ateliers ?",
        "several",
        ["Finances", "Habitat"],
        "Deux au plus.",
    )
    assert (question.required, question.is_asked) == (True, True)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"kind": "one", "choices": "Seul"}, "Écrivez au moins deux choix, un par ligne."),
        ({"kind": "several"}, "Écrivez au moins deux choix, un par ligne."),
        ({"kind": "one", "choices": "Oui\nNon\nOui "}, "Deux choix sont identiques."),
        ({"kind": "one", "choices": "\n".join(map(str, range(CHOICES_MAX + 1)))}, "30 choix au plus."),
        ({"kind": "one", "choices": "a" * 256 + "\nb"}, "Chaque ligne doit compter 255 caractères au plus."),
    ],
)
def test_choices_that_cannot_be_chosen_are_refused(row: dict[str, Any], complaint: str) -> None:
    event = make_event()
    assert complaints(save(event, row)) == [complaint]
    assert not EventQuestion.objects.exists()


def test_an_event_asks_twenty_questions_at_most() -> None:
    event = make_event()
    assert save(event, *[{}] * QUESTIONS_MAX).status_code == 302
    known = [as_it_is(question) for question in event.own_questions.all()]
    assert complaints(save(event, *known, {}, known=QUESTIONS_MAX)) == ["Veuillez soumettre au plus 20 formulaires."]


def test_an_answered_question_keeps_its_kind_and_is_not_deleted() -> None:
    event = make_event()
    question = make_question(event, "one", label="Quand ?")
    person = make_registration(event, own_answers={question.key: "Habitat"}, status="cancelled")
    assert complaints(save(event, as_it_is(question, kind="text"), known=1)) == [STAYS]
    assert complaints(save(event, as_it_is(question, DELETE="on"), known=1)) == [NOT_DELETED]
    renamed = as_it_is(question, choices="Matin\nSoir", label="À quel moment ?", is_asked=False)
    assert save(event, renamed, known=1).status_code == 302
    question.refresh_from_db()
    person.refresh_from_db()
    assert (question.kind, question.choice_lines, question.is_asked) == ("one", ["Matin", "Soir"], False)
    assert person.own_answers == {question.key: "Habitat"}


def test_a_question_that_nobody_has_answered_changes_its_kind_or_goes() -> None:
    event = make_event()
    question, other = make_question(event, "one"), make_question(event, "one")
    make_registration(event, own_answers={str(other.pk): "Habitat"})
    assert save(event, as_it_is(question, kind="text"), as_it_is(other), known=2).status_code == 302
    assert save(event, as_it_is(question, DELETE="on"), as_it_is(other), known=2).status_code == 302
    assert list(event.own_questions.all()) == [other]


def test_readers_see_the_questions_and_change_none() -> None:
    event = make_event()
    question = make_question(event, label="Quand ?")
    page = member("Lecture").get(f"{EVENTS}{event.pk}/change/").text
    assert "Quand ?" in page
    assert "own_questions-0-label" not in page
    assert question.pk


def test_the_group_organisation_writes_questions() -> None:
    event = make_event()
    client = member("Organisation")
    path = f"{EVENTS}{event.pk}/change/"
    assert client.post(path, {**event_form(client, path), **typed({})}).status_code == 302
    assert event.own_questions.count() == 1


# previewed


def test_the_form_of_a_draft_is_seen_before_it_is_published_and_cannot_be_sent() -> None:
    event = make_event(status="draft")
    make_question(event, label="Quand ?")
    client, path = logged_in(), f"{EVENTS}{event.pk}/preview/form/"
    page = client.get(path)
    assert "Quand\u00a0?" in page.text
    assert 'type="submit"' not in page.text
    assert page["Cache-Control"].startswith("no-store, private")
    assert path in client.get(f"{EVENTS}{event.pk}/preview/").text
    assert path in client.get(f"{EVENTS}{event.pk}/change/").text
    assert Client().get(path).status_code == 302
    assert not Registration.objects.exists()
