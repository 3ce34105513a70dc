"""A line break pasted into a text of one line stops no mail, however it came into the database."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import CharField, TextField, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registrations.domain import bulk_enrolment, corrections, signup
from registrations.mailing import composer, outbox
from registrations.mailing.previews import EXAMPLES, SAMPLES, sample_delivery
from registrations.models import Broadcast, Delivery, Event, Registration
from registrations.models.one_line import OneLineField, one_line
from tests import mailbox
from tests.admin_client import logged_in
from tests.domain.broadcasts import TYPED, make_broadcast, path
from tests.factories import answers, make_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db

BREAKS = {
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "vertical tab": "\v",
    "form feed": "\f",
    "next line": "\x85",
    "file separator": "\x1c",
    "group separator": "\x1d",
    "record separator": "\x1e",
    "line feed": "\n",
    "carriage return": "\r",
    "both": "\r\n",
}
ALL = "".join(BREAKS.values())
each_break = pytest.mark.parametrize("line_break", BREAKS.values(), ids=BREAKS)
WRITTEN_BY_THE_SITE = {  # or limited to a line by a validator
    "about",
    "accent",
    "answer",
    "audience",
    "certificate_number",
    "dark_accent",
    "digest",
    "digest_en",
    "group",
    "held_because",
    "host",
    "join_code",
    "key",
    "lease",
    "manage_code",
    "mark",
    "message_id",
    "name",
    "new_email_code",
    "permission",
    "planned_for_status",
    "revision",
    "state",
    "timezone",
    "uid",
    "without_font",
    "worker",
}


def one_line_fields(model: Any) -> list[Any]:
    return [field for field in model._meta.fields if isinstance(field, OneLineField)]


def raw(text: str) -> Value:
    """Written as it is: an expression does not pass through the field."""
    return Value(text, TextField())


def left(folder: Path, registration: Registration) -> Any:
    """The last mail to this person."""
    outbox.drain()
    assert set(registration.deliveries.filter(attempts__gt=0).values_list("state", "error")) == {("sent", "")}
    return [mail for mail in mailbox.read_folder(folder) if mail["To"] == registration.email][-1]


def test_every_field_that_someone_types_on_one_line_keeps_to_it() -> None:
    plain = {
        field.name
        for model in apps.get_app_config("registrations").get_models()
        for field in model._meta.concrete_fields
        if type(field) is CharField and not field.choices
    }
    assert plain == WRITTEN_BY_THE_SITE


@each_break
def test_a_pasted_line_break_is_a_space(line_break: str) -> None:
    assert (
        one_line(f" Un titre {line_break}{line_break} en deux\u00a0lignes{line_break}")
        == "Un titre en deux\u00a0lignes"
    )


@each_break
def test_a_line_break_that_is_in_the_database_already_stops_no_mail(line_break: str, outbox_folder: Path) -> None:
    registration = make_registration(make_event(report=False))
    Event.objects.filter(pk=registration.event_id).update(
        title=raw(f"Un{line_break}titre"),
        short_title=raw(f"Titre{line_break}court"),
        organiser_name=raw(f"Le{line_break}Pôle"),
        contact_email=raw(f"contact@example.org{line_break}"),
    )
    Delivery.objects.enqueue(registration, Delivery.Kind.REMINDER_HOUR)
    message = left(outbox_folder, registration)
    assert "Titre court" in message["Subject"]
    assert message["Reply-To"] == "contact@example.org"


def test_no_line_break_in_the_database_stops_any_kind_of_mail() -> None:
    event = make_event(report=False)
    Event.objects.update(**{field.name: raw(f"Un{ALL}texte") for field in one_line_fields(Event)})
    event.refresh_from_db()
    assert event.title == f"Un{ALL}texte"
    for sample in SAMPLES.values():
        for person in EXAMPLES:
            composer.compose(sample_delivery(event, sample, person)).message().as_bytes()


def test_a_message_is_filled_in_on_one_line(outbox_folder: Path) -> None:
    registration = make_registration(make_event(report=False))
    Event.objects.update(title=raw(f"Un{ALL}titre"))
    broadcast = make_broadcast(registration.event, state="confirmed", confirmed_at=registration.created_at)
    Delivery.objects.enqueue(registration, Delivery.Kind.BROADCAST, broadcast=broadcast)
    assert left(outbox_folder, registration)["Subject"] == "Avant Un titre"


def test_what_is_saved_is_one_line_in_every_field() -> None:
    for model in (Event, Registration):
        pasted: Any = {field.name: f"Un{ALL}texte" for field in one_line_fields(model)}
        saved = make_event(**pasted) if model is Event else make_registration(**pasted)
        assert {getattr(saved, name) for name in pasted} == {"Un texte"}
        saved.refresh_from_db()
        assert {getattr(saved, name) for name in pasted} == {"Un texte"}


@each_break
def test_a_visitor_s_line_break_is_a_space(line_break: str, journey: Journey) -> None:
    journey.sign_up(make_event(report=False), first_name=f"Zoë{line_break}Ann")
    assert Registration.objects.get().first_name == "Zoë Ann"
    assert len(journey.mails()) == 1


def test_imports_and_corrections_write_one_line() -> None:
    person = answers(organisation=f"Ville{ALL}de Nulle-Part")
    [added] = bulk_enrolment.enrol(make_event(report=False), [person], with_mail=True)
    added.refresh_from_db()
    assert added.organisation == "Ville de Nulle-Part"
    corrections.correct_answers(added, job_title=f"Cheffe{ALL}de projet")
    added.refresh_from_db()
    assert added.job_title == "Cheffe de projet"


def test_a_message_s_subject_is_one_line() -> None:
    event = make_event()
    make_registration(event)
    logged_in().post(path(event), {**TYPED, "subject": f"Avant{ALL}{{titre}}"})
    assert Broadcast.objects.get().subject == "Avant {titre}"


lines = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0", include_characters=list("\u2028\u2029\x85")),
    min_size=0,
    max_size=80,
)


@pytest.mark.parametrize("model", [Event, Registration])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_typed_into_a_field_of_one_line_the_confirmation_arrives(
    model: Any, data: Any, outbox_folder: Path
) -> None:
    typed = {field.name: data.draw(lines, field.name)[: field.max_length] for field in one_line_fields(model)}
    if not one_line(typed.get("contact_name", "")):
        typed.pop("contact_name", None)  # the form asks for it again: a published event has a contact
    event = make_event(report=False, **(typed if model is Event else {}))
    registration = make_registration(event, **(typed if model is Registration else {}))
    signup.welcome(registration)
    assert left(outbox_folder, registration).defects == []
