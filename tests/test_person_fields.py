"""Each field of a person, through all that reads the table: a field that is forgotten somewhere is named here."""

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from registrations.admin.people.exports import COLUMNS
from registrations.domain import corrections, erasure, retention
from registrations.mailing import outbox, placeholders
from registrations.models import AnonymousRegistration, Event, Registration
from registrations.models.person_fields import BY_NAME, NOT_ABOUT_THE_PERSON, PERSON_FIELDS, Kind, PersonField, names
from registrations.statistics import event_figures
from tests.admin_client import EVENTS, PEOPLE, logged_in, with_fresh_password
from tests.factories import make_event, make_question
from tests.journey import shown_stamp

pytestmark = pytest.mark.django_db
ASKED = [one for one in PERSON_FIELDS if one.asked]
TYPED = [one for one in ASKED if one.asked and one.asked.kind not in {Kind.LIST, Kind.RADIO, Kind.BOX}]


def sample(field: PersonField, event: Event) -> Any:
    """A right answer, which no other field has."""
    assert field.asked is not None
    match field.asked.kind:
        case Kind.BOX:
            return True
        case Kind.ADDRESS:
            return f"saisie-{field.name}@example.org"
        case Kind.LIST | Kind.RADIO:
            assert field.asked.offers is not None
            return next(iter(field.asked.offers(event)))
    return f"Saisie-{field.name.replace('_', '-')}"  # a name has no underscore


def samples(event: Event) -> dict[str, Any]:
    return {one.name: sample(one, event) for one in ASKED}


def sign_up(client: Client, event: Event) -> Registration:
    """Through the public form, with an answer to each question."""
    own = make_question(event)
    path = f"/evenements/{event.slug}/inscription/"
    sent = {**samples(event), own.field_name: "Saisie-own_answers", "stamp": shown_stamp(client, path)}
    client.post(path, sent)
    return Registration.objects.get()


@pytest.fixture
def registration(client: Client) -> Registration:
    return sign_up(client, make_event())


def test_each_column_is_declared() -> None:
    """A new column is in PERSON_FIELDS, or in NOT_ABOUT_THE_PERSON with a reason: see models/person_fields.py."""
    columns = {field.name for field in Registration._meta.concrete_fields}
    declared = BY_NAME.keys() | NOT_ABOUT_THE_PERSON.keys()
    assert (sorted(columns - declared), sorted(declared - columns)) == ([], [])
    assert BY_NAME.keys() & NOT_ABOUT_THE_PERSON.keys() == set()
    assert all(NOT_ABOUT_THE_PERSON.values())
    assert len(BY_NAME) == len(PERSON_FIELDS)


def test_the_form_asks_for_each_field_as_declared(client: Client) -> None:
    form = client.get(f"/evenements/{make_event().slug}/inscription/").context["form"]
    for one in ASKED:
        field = form.fields[one.name]
        assert field.required == one.is_required, one.name
        assert field.widget.attrs.get("autocomplete", "") == (one.asked and one.asked.autocomplete), one.name
    shown = [bound.name for _legend, fields in form.shown_groups for bound in fields]
    assert shown == [one.name for one in ASKED]


def test_what_is_typed_is_kept(registration: Registration) -> None:
    expected = samples(registration.event)
    assert {name: getattr(registration, name) for name in expected} == expected


def test_the_self_service_page_shows_each_answer(client: Client, registration: Registration) -> None:
    page = client.get(f"/mon-inscription/{registration.manage_code}/")
    shown = {one.field.name: one.value for one in [*page.context["answers"], *page.context["last_answers"]]}
    assert shown == {**samples(registration.event), "newsletter": "oui"}
    assert [one for one in [*shown.values(), "Saisie-own_answers"] if str(one) not in page.text] == []


@pytest.mark.parametrize("corrected", [one.name for one in TYPED if one.corrected_by_person])
def test_a_correction_leaves_the_other_answers(client: Client, registration: Registration, corrected: str) -> None:
    before = corrections.answers(registration)
    assert set(before) == set(names(lambda one: one.corrected_by_person))
    path = f"/mon-inscription/{registration.manage_code}/modifier/"
    sent = {bound.name: bound.value() for bound in client.get(path).context["form"]}
    client.post(path, {**sent, corrected: "Corrigé"})
    registration.refresh_from_db()
    assert corrections.answers(registration) == {**before, corrected: "Corrigé"}


def test_the_organiser_corrects_what_is_declared(registration: Registration) -> None:
    form = logged_in().get(f"{PEOPLE}{registration.pk}/change/").context["adminform"].form
    assert set(form.fields) & BY_NAME.keys() == set(names(lambda one: one.corrected_by_organiser))


def test_a_person_takes_each_field_away(client: Client, registration: Registration) -> None:
    mine = client.get(f"/mon-inscription/{registration.manage_code}/mes-donnees.json").json()["registration"]
    assert [one.name for one in PERSON_FIELDS if (one.my_data_key or one.name) not in mine] == []
    expected = samples(registration.event)
    assert {name: mine[name] for name in expected} == expected
    assert [one["answer"] for one in mine["own_answers"]] == ["Saisie-own_answers"]


def test_an_export_has_each_declared_column(registration: Registration) -> None:
    exported = names(lambda one: one.exported)
    assert COLUMNS.keys() & BY_NAME.keys() == set(exported)
    organiser = with_fresh_password(logged_in())
    answer: Any = organiser.post(f"{PEOPLE}export/", {"columns": exported, "file_format": "csv"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    headings, row = csv.reader(lines, delimiter=";")
    with translation.override("fr"):
        expected = {**samples(registration.event), "newsletter": "Oui", "language": "Français"}
        shown = {str(COLUMNS[name].heading): expected[name] for name in exported}
    assert dict(zip(headings, row, strict=True)) == shown


def test_a_list_brings_each_declared_column() -> None:
    event = make_event()
    imported = [one for one in ASKED if one.headings]
    lines = [[sorted(one.headings)[-1] for one in imported], [str(sample(one, event)) for one in imported]]
    file = SimpleUploadedFile("liste.csv", "\n".join(";".join(line) for line in lines).encode())
    organiser, path = logged_in(), f"{EVENTS}{event.pk}/registrants/"
    page = organiser.post(path, {"people": file})
    organiser.post(path, {"state": page.context["state"], "mail": "without"})
    person = Registration.objects.get()
    brought = {one.name: getattr(person, one.name) for one in ASKED}
    empty = {one.name: one.column.get_default() for one in ASKED if not one.headings}
    assert brought == {**samples(event), **empty}


def test_a_person_is_found_by_what_is_searched(registration: Registration) -> None:
    found = [one for one in TYPED if Registration.objects.found_by(str(getattr(registration, one.name))).exists()]
    assert [one.name for one in found] == names(lambda one: one.is_searched)


def test_placeholders_stand_for_what_is_declared(registration: Registration) -> None:
    with_placeholder = [one for one in PERSON_FIELDS if one.placeholder]
    values, nobody = placeholders.markdown_values(registration), placeholders.anyone(registration.event)
    for one in with_placeholder:
        assert one.placeholder in placeholders.IN_BODY, one.name
        assert values[one.placeholder] == placeholders.escaped(getattr(registration, one.name)), one.name
        assert getattr(nobody, one.name), one.name


def test_erasure_empties_what_is_declared_at_once(registration: Registration) -> None:
    Registration.objects.update(first_email="first@example.org")
    erasure.ask_for_erasure(registration)
    registration.refresh_from_db()
    emptied = [one for one in PERSON_FIELDS if getattr(registration, one.name) == one.column.get_default()]
    kept = names(lambda one: not one.erased_at_once)
    consent = ["newsletter_at", "newsletter_words"]  # emptied with the box
    assert [one.name for one in emptied if one.name != "language"] == [
        one.name for one in PERSON_FIELDS if one.name in consent or one.name not in kept
    ]


def found(event: Event) -> list[str]:
    """The fields whose answers stand anywhere in the database, the event apart, which offers the choices."""
    models = [model for model in apps.get_models() if model is not Event]
    text = str([list(model._default_manager.values()) for model in models])
    answers = {**samples(event), "own_answers": "Saisie-own_answers"}
    return [name for name, answer in answers.items() if answer is not True and answer in text]


def test_only_what_is_kept_in_figures_is_left_once_the_mail_of_the_erasure_has_left(
    registration: Registration,
) -> None:
    event = registration.event
    assert set(found(event)) == {*samples(event), "own_answers"} - {"newsletter"}
    erasure.ask_for_erasure(registration)
    outbox.drain()
    assert erasure.erase_due() == 1
    assert found(event) == names(lambda one: one.is_kept_in_figures)


def test_the_purge_leaves_what_is_kept_in_figures(client: Client) -> None:
    event = make_event(starts_in=timedelta(days=-90), retention_months=1, open_after_session=True)
    sign_up(client, event)
    Registration.objects.update(created_at=timezone.now() - timedelta(days=100))
    assert retention.purge() == {event: 1}
    kept = names(lambda one: one.is_kept_in_figures)
    assert found(event) == kept
    columns = {field.name for field in AnonymousRegistration._meta.concrete_fields}
    assert sorted(columns & BY_NAME.keys()) == sorted(kept)
    assert {one.counted_as for one in PERSON_FIELDS if one.counted_as} == event_figures.GROUPS.keys()
