"""Answers to an event's own questions in the admin: corrected, counted and taken out."""

import itertools
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registrations.admin.people.history import person_history
from registrations.models import AuditEntry, EventQuestion, Registration
from tests.admin.members import member
from tests.admin.test_admin import INLINES
from tests.admin.test_exports import EXPORT, FORMULAS, content, export, fresh, recorded, sheet, table
from tests.admin_client import EVENTS, PEOPLE, logged_in
from tests.factories import make_event, make_question, make_questions, make_registration
from tests.test_query_budget import queries

pytestmark = pytest.mark.django_db

# on the page of a person


def person_form(client: Client, registration: Registration) -> dict[str, Any]:
    form = client.get(f"{PEOPLE}{registration.pk}/change/").context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {**INLINES, **{name: value for name, value in shown.items() if value not in (None, "", False)}}


def test_the_organiser_corrects_an_answer_and_tells_nobody() -> None:
    event = make_event()
    text, one, several, yes_no = make_questions(event, required=True)
    gone = make_question(event, label="Avant ?", is_asked=False)
    unanswered = make_question(event, is_asked=False)
    own_answers = {text.key: "Comprendre", several.key: ["Finances"], yes_no.key: "no", gone.key: "Hier"}
    person = make_registration(event, own_answers=own_answers)
    client = logged_in()
    form = person_form(client, person)
    assert unanswered.field_name not in client.get(f"{PEOPLE}{person.pk}/change/").text
    changed = {**form, several.field_name: ["Habitat", "École"], one.field_name: "Habitat", yes_no.field_name: ""}
    assert client.post(f"{PEOPLE}{person.pk}/change/", changed).status_code == 302
    person.refresh_from_db()
    assert person.own_answers == {
        text.key: "Comprendre",
        several.key: ["Habitat", "École"],
        gone.key: "Hier",
        one.key: "Habitat",
    }
    assert not person.deliveries.exists()
    [told] = [moment.words for moment in person_history(person) if moment.title.startswith("Au bureau")]
    assert "Question several" in told
    assert "Habitat" not in told


def test_a_correction_in_the_admin_touches_only_what_was_typed() -> None:
    event = make_event()
    text, one, *_others = make_questions(event)
    person = make_registration(event, own_answers={text.key: "Avant", one.key: "Habitat"})
    client = logged_in()
    form = person_form(client, person)
    Registration.objects.update(own_answers={text.key: "Écrit entre-temps", one.key: "Habitat"})
    form |= {"organisation": "Une autre ville", text.field_name: "Avant"}
    client.post(
        f"{PEOPLE}{person.pk}/change/", {**form, text.field_name: "Écrit entre-temps", one.field_name: "École"}
    )
    person.refresh_from_db()
    assert person.organisation == "Une autre ville"
    assert person.own_answers == {text.key: "Écrit entre-temps", one.key: "École"}


def test_a_wrong_answer_is_refused_in_the_admin_too() -> None:
    event = make_event()
    one = make_question(event, "one")
    person = make_registration(event)
    client = logged_in()
    page = client.post(f"{PEOPLE}{person.pk}/change/", {**person_form(client, person), one.field_name: "Autre"})
    assert page.context["adminform"].form.errors == {one.field_name: ["Choisissez une réponse dans la liste."]}


def test_readers_see_the_answers_and_have_no_field() -> None:
    event = make_event()
    several = make_question(event, "several", label="Quels ateliers ?")
    person = make_registration(event, own_answers={several.key: ["Finances", "<b>"]})
    page = member("Lecture").get(f"{PEOPLE}{person.pk}/change/").text
    assert "<dt>Quels ateliers ?</dt><dd>Finances, &lt;b&gt;</dd>" in page
    assert several.field_name not in page


def test_a_person_of_an_event_without_questions_has_no_such_part() -> None:
    page = logged_in().get(f"{PEOPLE}{make_registration().pk}/change/").text
    assert "questions du webinaire" not in page


def test_the_page_of_a_person_asks_once_whatever_the_number_of_questions() -> None:
    event = make_event()
    person = make_registration(event)
    client = logged_in()

    def asked() -> int:
        return len(queries(lambda: client.get(f"{PEOPLE}{person.pk}/change/")))

    asked()
    without = asked()
    make_questions(event)
    assert asked() == without


# added by others: nobody else can answer for a person


def test_by_hand_and_by_list_people_are_added_without_answers() -> None:
    event = make_event()
    make_questions(event, required=True)
    client = logged_in()
    by_hand = {
        "event": event.pk,
        "first_name": "Zoë",
        "last_name": "Martin",
        "email": "zoe@example.org",
        "organisation": "Ville",
        "job_title": "Élue",
        "language": "fr",
        "status": "confirmed",
    }
    assert client.post(f"{PEOPLE}add/", {**by_hand, **INLINES}).status_code == 302
    people = b"Nom;Pr\xc3\xa9nom;Courriel;Structure;Fonction\nBen;Ali;ali@example.org;CAF;Conseiller\n"
    path = f"{EVENTS}{event.pk}/registrants/"
    page = client.post(path, {"people": SimpleUploadedFile("liste.csv", people)})
    client.post(path, {"state": page.context["state"], "mail": "without"})
    assert list(Registration.objects.order_by("pk").values_list("email", "own_answers")) == [
        ("zoe@example.org", {}),
        ("ali@example.org", {}),
    ]


# counted


def test_the_page_of_answers_counts_choices_and_lists_texts_without_names() -> None:
    event = make_event()
    text, one, *_others = make_questions(event)
    make_registration(event, last_name="Secret", own_answers={text.key: "<b>Comprendre</b>", one.key: "Habitat"})
    client = logged_in("view_event", "view_registration")
    page = client.get(f"{EVENTS}{event.pk}/answers/").text
    assert "<li>&lt;b&gt;Comprendre&lt;/b&gt;</li>" in page
    assert "100\u00a0%" in page
    assert "Secret" not in page
    assert f"{EVENTS}{event.pk}/answers/" in client.get(f"{EVENTS}{event.pk}/figures/").text
    without = make_event()
    assert "ne pose pas de question" in client.get(f"{EVENTS}{without.pk}/answers/").text
    assert "/answers/" not in client.get(f"{EVENTS}{without.pk}/change/").text


@pytest.mark.parametrize("permission", ["view_event", "view_registration"])
def test_who_may_not_see_people_and_events_sees_no_answers(permission: str) -> None:
    assert logged_in(permission).get(f"{EVENTS}{make_event().pk}/answers/").status_code == 403


def test_many_answers_cost_as_many_queries_as_few() -> None:
    event = make_event()
    text, *_others = make_questions(event)
    client = logged_in()

    def asked() -> int:
        return len(queries(lambda: client.get(f"{EVENTS}{event.pk}/answers/")))

    make_registration(event, own_answers={text.key: "a"})
    asked()
    few = asked()
    for number in range(30):
        make_registration(event, own_answers={text.key: f"Texte {number}"})
    assert asked() == few <= 12


# taken out


def test_each_question_is_a_column_that_is_offered_when_the_list_is_of_its_event() -> None:
    event = make_event()
    text, one, several, yes_no = make_questions(event)
    gone = make_question(event, label="Avant ?", is_asked=False)
    elsewhere = make_question(make_event())
    given = {text.key: "deux\nlignes", several.key: ["Finances", "École"], yes_no.key: "no", gone.key: "Hier"}
    make_registration(event, own_answers=given, last_name="Avec")
    make_registration(event, last_name="Sans")
    organiser, query = fresh(logged_in()), f"?event__id__exact={event.pk}"
    offered = [name for name, _label in organiser.get(f"{EXPORT}{query}").context["form"].fields["columns"].choices]
    names = [question.field_name for question in (text, one, several, yes_no, gone)]
    assert offered[-6:] == ["event", *names]
    assert elsewhere.field_name not in offered

    assert table(export(organiser, query, ["last_name", *names])) == [
        ["Nom", *(f"Question {kind}\u00a0?" for kind in EventQuestion.Kind.values), "Avant\u00a0?"],
        ["Avec", "deux\nlignes", "", "Finances ; École", "Non", "Hier"],
        ["Sans", "", "", "", "", ""],
    ]
    assert recorded().latest("pk").detail["columns"] == ["last_name", *names]


def test_without_a_filter_by_event_no_question_is_offered_and_the_page_says_why() -> None:
    own = make_question(make_event())
    organiser = fresh(logged_in())
    for query in ("", "?event__id__exact=x", f"?event__id__exact={'9' * 30}"):
        page = organiser.get(f"{EXPORT}{query}", follow=True)
        assert own.field_name not in page.text
    assert "filtrez d’abord la liste" in organiser.get(EXPORT).text
    assert export(organiser, "", [own.field_name]).context["form"].errors
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.EXPORTED).exists()


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_hostile_answers_and_questions_leave_disarmed(file_format: str) -> None:
    event = make_event()
    own = make_question(event, label="=1+1")
    texts = [text for text in FORMULAS if text.strip() and "\x00" not in text and "\r" not in text]
    for text in texts:
        make_registration(event, own_answers={own.key: text})
    organiser = fresh(logged_in())
    answer = export(organiser, f"?event__id__exact={event.pk}", [own.field_name], file_format)
    if file_format == "xlsx":
        assert [row[0] for row in sheet(content(answer))] == ["=1+1", *texts]
    else:
        assert all(row[0].startswith("'") for row in table(answer))


def test_an_export_asks_as_much_for_many_questions_as_for_one() -> None:
    event = make_event()
    organiser = fresh(logged_in())
    query = f"?event__id__exact={event.pk}"

    def asked() -> int:
        names = [question.field_name for question in event.own_questions.all()]
        return len(queries(lambda: content(export(organiser, query, names))))

    own = make_question(event)
    make_registration(event, own_answers={own.key: "a"})
    asked()
    few = asked()
    for question, _number in itertools.product(make_questions(event), range(3)):
        make_registration(event, own_answers={question.key: "no"})
    assert asked() == few
