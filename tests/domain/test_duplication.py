"""An event once more: a draft for next year, with what was written and without whom it was written to."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db.models import Model
from django.utils import timezone

from registrations.domain import duplication, signup
from registrations.mailing import outbox
from registrations.models import (
    Appearance,
    Delivery,
    Document,
    Event,
    EventDocument,
    EventPage,
    EventQuestion,
    Partner,
    ProgrammeItem,
    Registration,
    ReportSection,
    ShareImage,
    event_fields,
)
from registrations.models.event_fields import OnDuplicate
from tests.admin_client import EVENTS, logged_in, messages
from tests.factories import answers, make_event, make_faces, make_past_event, make_question, make_registration

pytestmark = pytest.mark.django_db


PARTS: list[type[Model]] = [
    Event,
    ReportSection,
    EventQuestion,
    EventDocument,
    EventPage,
    Appearance,
    ProgrammeItem,
    Partner,
]


@pytest.mark.parametrize("model", PARTS)
def test_each_field_is_declared(model: type[Model]) -> None:
    """A new field is taken over, personal, moved, made anew or left behind: say which in models/event_fields.py."""
    fields = {field.name for field in model._meta.concrete_fields}
    declared = event_fields.FIELDS[model.__name__].keys()
    assert (sorted(fields - declared), sorted(declared - fields)) == ([], [])


def test_each_kind_of_row_that_belongs_to_an_event_is_declared() -> None:
    related = {str(one.get_accessor_name()) for one in Event._meta.related_objects}
    declared = event_fields.RELATED_ROWS.keys()
    assert (sorted(related - declared), sorted(declared - related)) == ([], [])


QUESTION_IN_ENGLISH: dict[str, Any] = {"label_en": "What for?", "choices_en": "One\nTwo", "help_text_en": "One only"}
IN_ENGLISH = ["title", "short_title", "summary", "description", "connection_notes", "origins", "newsletter_label"]
IN_ENGLISH += ["follow_up_present", "follow_up_absent"]


def filled() -> Event:
    """An event with a value of its own in each field that is taken over, with parts, and with rows of all kinds."""
    event = make_event(
        **{f"{name}_en": cast(Any, "In English") for name in IN_ENGLISH},
        connection_notes="Code : 1",
        timezone="Indian/Reunion",
        open_after_session=True,
        capacity=40,
        waiting_list=False,
        room_opens_minutes_before=10,
        room_stays_open_minutes_after=20,
        reminder_days_before=3,
        reminder_day_time=time(8),
        reminder_minutes_before=30,
        follow_up_hours_after=24,
        follow_up_present="Merci",
        follow_up_absent="Dommage",
        retention_months=4,
        report_subtitle="Un sous-titre",
        report_authors="Ada Autrice",
        organiser_words="La salle a brûlé.",
        organiser_words_en="The room burnt down.",
        replay_url="https://video.example.org/1",
        sequence=4,
    )
    make_question(event, "one", help_text="Une seule", required=True, **QUESTION_IN_ENGLISH)
    make_question(event, label="Plus posée", is_asked=False)
    make_faces(event)
    event.documents.create(
        name="Note", name_en="A note", link="https://exemple.example.org/note", audience="everybody", position=2
    )
    make_registration(event)
    event.mail_texts.create(kind="confirmation", language="fr", subject="À mardi", opening="Merci", closing="Ada")
    event.anonymous_registrations.create(registered_on=event.start_date, status="confirmed", was_present=True)
    event.purged_counts.create(dimension="function", group="elected", registered=1)
    event.broadcasts.create(subject="À tous", body="Bonjour", created_by=1)
    event.jobs.create(kind="document", title="Une feuille", asked_by=1)
    Document.objects.create(event=event, digest="0" * 64)
    ShareImage.objects.create(event=event, digest="0" * 16, content=b"")
    event.checks.create(part="page", state="0" * 64)
    event.members.create(user=User.objects.create_user("membre"))
    return event


def test_each_field_does_what_it_is_declared_to_do() -> None:
    event = filled()
    new = Event.objects.get(pk=duplication.duplicate(event).pk)
    defaults = {field.name: field.get_default() for field in Event._meta.concrete_fields}
    for name in event_fields.names("Event", OnDuplicate.TAKEN_OVER, OnDuplicate.PERSONAL):
        assert getattr(event, name) != defaults[name], f"{name}: filled() tests nothing"
        assert getattr(new, name) == getattr(event, name), name
    for name in event_fields.names("Event", OnDuplicate.LEFT_BEHIND):
        assert getattr(new, name) == defaults[name], name
    for name in event_fields.names("Event", OnDuplicate.MOVED):
        assert getattr(new, name) == duplication.moved(getattr(event, name), event, 1), name


@pytest.mark.parametrize(
    ("accessor", "model"),
    [
        ("report_sections", "ReportSection"),
        ("own_questions", "EventQuestion"),
        ("appearances", "Appearance"),
        ("programme", "ProgrammeItem"),
        ("partners", "Partner"),
        ("documents", "EventDocument"),
    ],
)
def test_parts_are_taken_over(accessor: str, model: str) -> None:
    event = filled()
    names = event_fields.names(model, OnDuplicate.TAKEN_OVER, OnDuplicate.PERSONAL)
    parts = getattr(duplication.duplicate(event), accessor)
    [expected] = [part for part in getattr(event, accessor).values(*names) if part.get("is_asked", True)]
    assert list(parts.values(*names)) == [expected]


def test_the_copy_has_a_file_of_its_own_and_not_the_slides_of_the_last_session() -> None:
    event = make_event(report=False)
    for name, audience in (("Guide", "registrants"), ("Diaporama", "afterwards")):
        event.documents.create(name=name, audience=audience, file=ContentFile(b"%PDF-1.7", "a.pdf"))
    new = Event.objects.get(pk=duplication.duplicate(event).pk)
    [copy], original = new.documents.all(), event.documents.get(name="Guide")
    assert (copy.name, copy.digest, copy.size) == ("Guide", original.digest, 8)
    assert copy.file.name != original.file.name


def test_a_document_whose_file_is_gone_is_not_copied() -> None:
    event = make_event(report=False)
    document = event.documents.create(name="Guide", file=ContentFile(b"%PDF-1.7", "a.pdf"))
    document.file.storage.delete(str(document.file.name))
    assert not duplication.duplicate(event).documents.exists()


def test_the_facts_of_the_page_are_taken_over() -> None:
    event = filled()
    names = event_fields.names("EventPage", OnDuplicate.TAKEN_OVER)
    pages = EventPage.objects.filter(event__in=[event, duplication.duplicate(event)])
    first, second = pages.values_list(*names)
    assert first == second


def test_rows_are_there_or_not_as_declared() -> None:
    event = filled()
    new = duplication.duplicate(event)
    for accessor, on_duplicate in event_fields.RELATED_ROWS.items():
        having = set(Event.objects.filter(**{f"{accessor}__isnull": False}).values_list("pk", flat=True))
        assert event.pk in having, f"{accessor}: filled() tests nothing"
        assert (new.pk in having) == (on_duplicate == OnDuplicate.TAKEN_OVER), accessor


def test_it_is_a_draft_without_people_mails_or_what_was_said_of_the_last_session() -> None:
    event = make_event(
        status="cancelled", organiser_words="La salle a brûlé.", sequence=4, replay_url="https://x.test/"
    )
    make_registration(event)
    new = duplication.duplicate(event)
    assert (new.status, new.organiser_words, new.replay_url, new.sequence) == ("draft", "", "", 0)
    assert not new.registrations.exists()
    assert event.registrations.count() == 1
    assert not Delivery.objects.filter(registration__event=new).exists()


def test_the_dates_keep_the_weekday_and_the_hour_on_the_wall_across_the_change_of_the_clocks() -> None:
    starts_at = datetime(2027, 3, 30, 7, 0, tzinfo=UTC)  # 9:00 in Paris, summer time; a year later still winter time
    event = make_event(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        registration_opens_at=starts_at - timedelta(days=30),
        registration_closes_at=None,
    )
    new = duplication.duplicate(event)
    new.refresh_from_db()
    local = new.starts_at.astimezone(event.zone)
    assert (local.strftime("%Y-%m-%d %H:%M"), local.weekday()) == ("2028-03-28 09:00", event.start_date.weekday())
    assert new.ends_at - new.starts_at == timedelta(hours=1)
    assert new.registration_opens_at is not None
    assert new.registration_opens_at.astimezone(event.zone).strftime("%Y-%m-%d %H:%M") == "2028-02-27 08:00"
    assert new.registration_closes_at is None


def test_an_old_event_is_moved_until_it_lies_ahead() -> None:
    event = make_past_event(starts_at=timezone.now() - timedelta(weeks=120))
    new = duplication.duplicate(event)
    assert new.starts_at - event.starts_at == timedelta(weeks=156) or abs(
        new.starts_at - event.starts_at - timedelta(weeks=156)
    ) == timedelta(hours=1)
    assert new.starts_at > timezone.now()


@pytest.mark.parametrize(
    ("slug", "expected"),
    [("journee-2025", "journee-{}"), ("journee", "journee-{}"), ("x" * 50, "x" * 42 + "-{}")],
)
def test_the_address_carries_the_new_year(slug: str, expected: str) -> None:
    new = duplication.duplicate(make_event(slug=slug))
    assert new.slug == expected.format(new.start_date.year)


def test_two_copies_have_two_addresses() -> None:
    event = make_event(slug="journee")
    first, second = duplication.duplicate(event), duplication.duplicate(event)
    assert second.slug == f"{first.slug}-2"


def test_the_report_is_a_file_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event()
    event.report_file.save("rapport.pdf", ContentFile(b"%PDF-1.7\n%%EOF"))
    new = duplication.duplicate(event)
    assert new.report_file.name != event.report_file.name
    event.report_file.delete()
    with new.report_file.open() as file:
        assert file.read() == b"%PDF-1.7\n%%EOF"


def test_a_report_whose_file_is_lost_is_left_out() -> None:
    event = make_event(report_file="reports/perdu.pdf")
    assert not duplication.duplicate(event).report_file


def test_nothing_leaves_before_it_is_published_and_reminders_keep_their_distance() -> None:
    event = make_event(reminder_days_before=3)
    new = duplication.duplicate(event)
    with pytest.raises(signup.SignUpClosed):
        signup.register(new, language="fr", **answers())
    outbox.drain()
    assert not Delivery.objects.exists()
    new.status = Event.Status.PUBLISHED
    new.save()
    signup.register(new, language="fr", **answers())
    reminder = Delivery.objects.get(kind=Delivery.Kind.REMINDER_DAY)
    assert reminder.send_at.astimezone(new.zone).date() == new.start_date - timedelta(days=3)


def test_the_organiser_is_asked_once_and_lands_on_the_new_form_with_a_sentence() -> None:
    event = make_event()
    client = logged_in()
    question = client.get(f"{EVENTS}{event.pk}/duplicate/")
    assert Event.objects.count() == 1
    page = client.post(f"{EVENTS}{event.pk}/duplicate/", dict(question.context["hidden"]), follow=True)
    new = Event.objects.exclude(pk=event.pk).get()
    assert page.redirect_chain == [(f"{EVENTS}{new.pk}/change/", 302)]
    assert messages(page)[0].startswith("Voici le nouveau brouillon, le ")


def test_looking_at_the_question_or_posting_without_its_answer_makes_nothing() -> None:
    event = make_event()
    client = logged_in()
    client.get(f"{EVENTS}{event.pk}/duplicate/")
    client.post(f"{EVENTS}{event.pk}/duplicate/")
    assert Event.objects.count() == 1


def test_who_may_not_add_events_duplicates_none() -> None:
    event = make_event()
    client = logged_in("view_event", "change_event")
    assert client.post(f"{EVENTS}{event.pk}/duplicate/", {"confirmed": "yes"}).status_code == 403
    assert f"{EVENTS}{event.pk}/duplicate/" not in client.get(f"{EVENTS}{event.pk}/change/").text
    assert Registration.objects.count() == 0
