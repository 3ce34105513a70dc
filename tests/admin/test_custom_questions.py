"""Questions of an event's own in the admin: written, previewed, answers corrected, counted and taken out."""

import itertools
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registrations.admin.people.history import person_history
from registrations.models import AuditEntry, Event, EventQuestion, Registration
from registrations.models.event_question import CHOICES_MAX, QUESTIONS_MAX
from tests.admin.test_admin import INLINES
from tests.admin.test_exports import EXPORT, FORMULAS, content, export, fresh, recorded, sheet, table
from tests.admin_client import EVENTS, PEOPLE, event_form, logged_in
from tests.factories import make_event, make_question, make_questions, make_registration
from tests.test_query_budget import queries

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
    formset = page.context["inline_admin_formsets"][0].formset
    of_rows = [str(message) for errors in formset.errors for messages in errors.values() for message in messages]
    return [message.replace("\u00a0", " ") for message in [*of_rows, *map(str, formset.non_form_errors())]]


# written in the event's form


def test_questions_stand_right_after_the_settings_of_the_sign_up() -> None:
    page = logged_in().get(f"{EVENTS}{make_event().pk}/change/").text
    places = [
        page.index(words) for words in ("lien pour d’autres sites", 'id="own_questions-group"', "id_connection_url")
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


def member(group: str) -> Client:
    account = User.objects.create_user(f"membre-{group}", is_staff=True)
    account.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(account)
    return client


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
    assert client.post(path, {}).status_code == 405
    assert path in client.get(f"{EVENTS}{event.pk}/preview/").text
    assert path in client.get(f"{EVENTS}{event.pk}/change/").text
    assert Client().get(path).status_code == 302
    assert not Registration.objects.exists()


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
    [told] = [moment.words for moment in person_history(person) if moment.title.startswith("Dans la gestion")]
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
    assert "<strong>Quels ateliers ?</strong> Finances, &lt;b&gt;" in page
    assert several.field_name not in page


def test_a_person_of_an_event_without_questions_has_no_such_part() -> None:
    page = logged_in().get(f"{PEOPLE}{make_registration().pk}/change/").text
    assert "propres à l’événement" not in page


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
    assert f"{EVENTS}{event.pk}/answers/" in client.get(f"{EVENTS}{event.pk}/change/").text
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
