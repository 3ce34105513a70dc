"""An event changes: one confirmed act tells everyone, and the plain form tells nobody."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client

from registrations.mailing import composer
from registrations.models import Delivery, Event, Registration
from tests.admin.event_pages import path, with_people
from tests.admin_client import event_form, logged_in, messages, typed_date
from tests.factories import make_event, make_past_event, make_registration
from tests.mailing.queued_mails import enqueue

pytestmark = pytest.mark.django_db

TOLD = ["changed", "cancelled"]


def typed(event: Event, *, later: timedelta = timedelta(), **fields: str) -> dict[str, str]:
    dates = typed_date("starts_at", event.starts_at + later) | typed_date("ends_at", event.ends_at + later)
    notes = {"connection_notes": event.connection_notes, "connection_notes_en": event.connection_notes_en}
    return {**dates, **notes, "words": "", **fields}


def page_one(organiser: Client, event: Event, page: str, sent: dict[str, str]) -> Any:
    seen = dict(organiser.get(path(event, page)).context["hidden"])
    return organiser.post(path(event, page), {**seen, **sent})


def confirm(organiser: Client, event: Event, page: str, sent: dict[str, str]) -> Any:
    asked = page_one(organiser, event, page, sent)
    return organiser.post(path(event, page), dict(asked.context["hidden"]), follow=True)


def told() -> list[tuple[Registration | None, str, str]]:
    rows = Delivery.objects.filter(kind__in=TOLD).order_by("pk")
    return [(delivery.registration, delivery.kind, delivery.reason) for delivery in rows]


def test_the_events_page_offers_what_can_be_done_to_it(organiser: Client) -> None:
    event = with_people()
    offered = {}
    for status in ("published", "postponed", "cancelled"):
        Event.objects.filter(pk=event.pk).update(status=status)
        offered[status] = [title for title, _address in organiser.get(path(event, "settings")).context["telling"]]
    assert offered == {
        "published": [
            "Changer la date, l’heure ou les indications de connexion",
            "Reporter sans nouvelle date",
            "Annuler le webinaire",
        ],
        "postponed": ["Fixer une nouvelle date", "Annuler le webinaire"],
        "cancelled": ["Fixer une nouvelle date"],
    }


@pytest.mark.parametrize("make", [make_event, make_past_event])
def test_nothing_is_offered_while_nobody_would_have_to_be_told(organiser: Client, make: Any) -> None:
    event = make()
    if event.is_over:
        make_registration(event)
    assert organiser.get(path(event, "settings")).context["telling"] == []
    assert "starts_at" in organiser.get(path(event)).context["adminform"].form.fields


def test_what_people_must_be_told_of_is_read_only_once_someone_is_on_the_list(organiser: Client) -> None:
    page = organiser.get(path(with_people()))
    words = {"organiser_words", "organiser_words_en", "connection_notes", "connection_notes_en"}
    frozen = {"status", "starts_at", "ends_at", "timezone", *words}
    assert frozen & set(page.context["adminform"].form.fields) == set()
    assert "se changent dans l’onglet «\u00a0Réglages" in page.text


def test_a_postponed_event_whose_old_date_has_passed_still_tells_its_people_of_the_new_one(organiser: Client) -> None:
    event = make_past_event(status="postponed")
    person = make_registration(event)
    enqueue(registration=person, state="sent")
    without_first_mail = make_registration(event)
    sent = typed(event, later=timedelta(days=60))
    asked = page_one(organiser, event, "reschedule", sent)
    assert "1 personne n’a pas encore eu son premier courriel" in asked.text
    confirm(organiser, event, "reschedule", sent)
    assert without_first_mail.deliveries.filter(kind="confirmation", reason="reopened").exists()
    assert told() == [(person, "changed", "reopened")]


def test_the_second_page_shows_what_changes_who_is_told_and_the_mail_and_writes_nothing(organiser: Client) -> None:
    event = with_people()
    sent = typed(event, later=timedelta(days=1), words="L’intervenante est souffrante.")
    asked = page_one(organiser, event, "reschedule", sent)
    assert [difference.label for difference in asked.context["differences"]] == ["Date", "Votre message"]
    assert asked.context["told"] == "2 personnes qui ont une place, 1 en liste d’attente"
    assert [letter.title for letter in asked.context["letters"]] == [
        "Aux personnes qui ont une place",
        "Aux personnes qui ont une place, en anglais",
        "Aux personnes en liste d’attente",
    ]
    assert 'value="Enregistrer et prévenir 3 personnes"' in asked.text
    assert "Agendas\u00a0: le courriel met l’agenda à jour" in asked.text
    assert told() == []
    assert Event.objects.get(pk=event.pk).starts_at == event.starts_at


def test_the_mail_that_is_shown_is_the_mail_that_is_sent(organiser: Client) -> None:
    event = make_event()
    enqueue(registration=make_registration(event), state="sent")
    sent = typed(event, later=timedelta(days=1), words="Merci de votre patience.")
    [shown] = page_one(organiser, event, "reschedule", sent).context["letters"]
    confirm(organiser, event, "reschedule", sent)
    message = composer.compose(Delivery.objects.get(kind="changed"))
    assert (message.subject, message.body) == (shown.subject, shown.body)
    assert "Merci de votre patience." in shown.body


def test_a_new_date_tells_everyone_and_stays_in_the_events_history(organiser: Client) -> None:
    event = with_people()
    page = confirm(organiser, event, "reschedule", typed(event, later=timedelta(days=1)))
    assert messages(page) == ["C’est enregistré. 3 personnes sont prévenues par courriel."]
    assert {(kind, reason) for _person, kind, reason in told()} == {("changed", "moved")}
    assert len(told()) == 3
    changed = Event.objects.get(pk=event.pk)
    assert (changed.starts_at, changed.sequence) == (event.starts_at + timedelta(days=1), 1)
    [entry] = LogEntry.objects.all()
    assert entry.get_change_message() == (
        "Changer la date, l’heure ou les indications de connexion. 3 personnes sont prévenues par courriel."
    )


def test_a_note_alone_tells_only_who_has_a_seat_and_leaves_calendars_alone(organiser: Client) -> None:
    event = with_people()
    sent = typed(event, connection_notes="Code 4242")
    asked = page_one(organiser, event, "reschedule", sent)
    assert asked.context["consequences"] == ["Agendas et rappels\u00a0: rien ne change."]
    assert 'value="Enregistrer et prévenir 2 personnes"' in asked.text
    confirm(organiser, event, "reschedule", sent)
    assert [reason for _person, _kind, reason in told()] == ["notes", "notes"]
    assert Event.objects.get(pk=event.pk).sequence == 0


def test_a_note_does_not_take_back_the_mail_of_a_new_date_that_has_not_left_yet(organiser: Client) -> None:
    event = with_people()
    confirm(organiser, event, "reschedule", typed(event, later=timedelta(days=1)))
    moved = Event.objects.get(pk=event.pk)
    confirm(organiser, moved, "reschedule", typed(moved, connection_notes="Code 4242"))
    states = Delivery.objects.filter(reason="moved").values_list("state", flat=True)
    assert list(states) == ["pending"] * 3


def test_postponing_hides_the_date_and_says_what_becomes_of_calendars_and_reminders(organiser: Client) -> None:
    event = with_people()
    asked = page_one(organiser, event, "postpone", {"words": "Nous cherchons une date."})
    assert [line.partition("\u00a0")[0] for line in asked.context["consequences"]] == [
        "Agendas",
        "Rappels",
        "Inscriptions",
    ]
    confirm(organiser, event, "postpone", {"words": "Nous cherchons une date."})
    event.refresh_from_db()
    assert (event.status, event.organiser_words) == ("postponed", "Nous cherchons une date.")
    assert {reason for _person, _kind, reason in told()} == {"postponed"}


def test_cancelling_tells_everyone(organiser: Client) -> None:
    event = with_people()
    confirm(organiser, event, "cancel", {"words": ""})
    assert Event.objects.get(pk=event.pk).status == "cancelled"
    assert [kind for _person, kind, _reason in told()] == ["cancelled"] * 3


def test_a_cancelled_event_takes_place_again_with_a_new_date(organiser: Client) -> None:
    event = with_people()
    Event.objects.filter(pk=event.pk).update(status="cancelled")
    assert "Fixer une nouvelle date" in organiser.get(path(event, "reschedule")).text
    confirm(organiser, event, "reschedule", typed(event))
    assert Event.objects.get(pk=event.pk).status == "published"
    assert {reason for _person, _kind, reason in told()} == {"reopened"}


def test_a_button_pressed_twice_tells_once(organiser: Client) -> None:
    event = with_people()
    for page, sent in (("reschedule", typed(event, later=timedelta(days=1))), ("postpone", {"words": ""})):
        asked = page_one(organiser, Event.objects.get(pk=event.pk), page, sent)
        for _press in range(2):
            answer = organiser.post(path(event, page), dict(asked.context["hidden"]), follow=True)
            assert answer.redirect_chain == [(path(event), 302)]
    assert sorted(reason for _person, _kind, reason in told()) == ["moved"] * 3 + ["postponed"] * 3


@pytest.mark.django_db(transaction=True)
def test_a_button_pressed_twice_at_the_same_moment_tells_once(organiser: Client) -> None:
    event = with_people()
    sent = dict(page_one(organiser, event, "cancel", {"words": ""}).context["hidden"])
    together = threading.Barrier(2)

    def press() -> int:
        together.wait()
        try:
            return organiser.post(path(event, "cancel"), sent).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor() as presses:
        answers = [presses.submit(press) for _press in range(2)]
    assert [answer.result() for answer in answers] == [302, 302]
    assert len(told()) == 3


def test_a_change_by_someone_else_in_between_is_shown_before_anything_is_sent(organiser: Client) -> None:
    event = with_people()
    asked = page_one(organiser, event, "reschedule", typed(event, later=timedelta(days=1), words="Mot gardé"))
    other = Event.objects.get(pk=event.pk)
    confirm(organiser, other, "reschedule", typed(other, later=timedelta(days=5)))
    Delivery.objects.filter(kind="changed").delete()
    page = organiser.post(path(event, "reschedule"), dict(asked.context["hidden"]))
    assert "Quelqu’un a changé ce webinaire entre-temps" in page.text
    assert "Mot gardé" in page.text
    assert told() == []
    seen = dict(page.context["hidden"])
    again = organiser.post(path(event, "reschedule"), {**seen, **typed(event, later=timedelta(days=1))})
    assert 'value="Enregistrer et prévenir 3 personnes"' in again.text


def test_a_change_that_changes_nothing_tells_nobody(organiser: Client) -> None:
    event = with_people()
    page = page_one(organiser, event, "reschedule", typed(event, words="Rien de neuf"))
    assert messages(page)[0].endswith("personne n’est prévenu.")
    assert "Rien de neuf" in page.text
    assert told() == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"starts_at_1": "25:00"}, "Écrivez une heure, par exemple «\u00a014 h 30\u00a0»."),
        ({"ends_at_0": "01/01/2020"}, "La fin doit venir après le début."),
        ({"starts_at_0": "01/01/2020", "ends_at_0": "02/01/2020"}, "Cette date est passée"),
        ({"connection_notes": ""}, "Des indications vides ne diraient rien"),
    ],
)
def test_an_error_stands_next_to_its_field_and_nothing_typed_is_lost(
    organiser: Client, fields: dict[str, str], error: str
) -> None:
    event = make_event(connection_notes="Code 1")
    make_registration(event)
    page = page_one(organiser, event, "reschedule", {**typed(event, words="Mot gardé"), **fields})
    assert error in page.text
    assert "Mot gardé" in page.text
    assert told() == []


def test_the_second_page_leads_back_to_the_first_with_what_was_typed(organiser: Client) -> None:
    event = with_people()
    asked = page_one(organiser, event, "cancel", {"words": "Deux\nlignes"})
    page = organiser.post(path(event, "cancel"), {**dict(asked.context["hidden"]), "correct": "Corriger"})
    assert "Deux\nlignes" in page.text
    assert told() == []


def test_hours_are_typed_in_the_events_own_zone_which_is_named_beside_them(organiser: Client) -> None:
    event = make_event(timezone="Pacific/Noumea", starts_at=datetime(2026, 12, 9, 22, tzinfo=UTC))
    make_registration(event)
    page = organiser.get(path(event, "reschedule")).text
    assert 'value="9\u00a0h"' in page
    assert page.count("Heure de Nouméa.") == 2
    hours = {"starts_at_0": "10/12/2026", "starts_at_1": "18:00", "ends_at_0": "10/12/2026", "ends_at_1": "19:30"}
    asked = page_one(organiser, event, "reschedule", hours)
    [difference] = asked.context["differences"]
    assert difference.after == "jeudi 10_décembre 2026, 18_h_– 19_h_30 (heure de Nouméa)".replace("_", "\u00a0")
    organiser.post(path(event, "reschedule"), dict(asked.context["hidden"]))
    event.refresh_from_db()
    assert event.starts_at == datetime(2026, 12, 10, 7, tzinfo=UTC)


def test_what_does_not_follow_the_new_date_is_said_before(organiser: Client) -> None:
    event = make_event(starts_in=timedelta(days=30), reminder_minutes_before=None)
    Event.objects.filter(pk=event.pk).update(registration_closes_at=event.starts_at)
    make_registration(event)
    asked = page_one(organiser, event, "reschedule", typed(event, later=timedelta(days=-30, hours=2)))
    _calendars, reminder, closing = asked.context["consequences"]
    assert reminder.endswith("son heure est passée, il ne part pas.")
    assert closing.startswith("Inscriptions\u00a0: elles ferment toujours le ")


def test_a_note_that_concerns_nobody_yet_says_that_nobody_is_told(organiser: Client) -> None:
    event = make_event()
    make_registration(event, status="waitlisted")
    asked = page_one(organiser, event, "reschedule", typed(event, connection_notes="Code 4242"))
    assert 'value="Enregistrer sans prévenir personne"' in asked.text


def test_opening_the_pages_changes_nothing(organiser: Client) -> None:
    event = with_people()
    before = list(Event.objects.values())
    for page in ("reschedule", "postpone", "cancel"):
        assert organiser.get(path(event, page)).status_code == 200
    assert (list(Event.objects.values()), told()) == (before, [])


def test_who_may_only_look_at_events_changes_none() -> None:
    event = with_people()
    reader = logged_in("view_event")
    assert "l’onglet «\u00a0Réglages" not in reader.get(path(event)).text
    for page in ("reschedule", "postpone", "cancel"):
        assert reader.get(path(event, page)).status_code == 403
        assert reader.post(path(event, page), {"confirmed": "yes", "words": ""}).status_code == 403
    assert told() == []


def test_a_typo_in_the_description_tells_nobody(organiser: Client) -> None:
    event = make_event(report=False)
    make_registration(event)
    form = event_form(organiser, path(event))
    organiser.post(path(event), {**form, "description": "Sans coquille."})
    event.refresh_from_db()
    assert (event.description, event.sequence) == ("Sans coquille.", 0)
    assert told() == []


def test_the_page_before_the_act_costs_the_same_for_one_person_and_for_three(
    organiser: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    event = make_event()
    make_registration(event)
    seen = dict(organiser.get(path(event, "cancel")).context["hidden"])
    with django_assert_max_num_queries(20) as one:
        organiser.post(path(event, "cancel"), {**seen, "words": ""})
    for _ in range(2):
        make_registration(event)
    with django_assert_num_queries(len(one)):
        organiser.post(path(event, "cancel"), {**seen, "words": ""})
