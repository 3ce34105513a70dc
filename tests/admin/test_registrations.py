"""What an organiser does to people on the list: each act asks first, says how many, and tells them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from registrations.domain import signup
from registrations.mailing import outbox
from registrations.models import Delivery, Event, Registration, Suppression
from tests.admin_client import PEOPLE, act, confirmed, logged_in, messages
from tests.factories import answers, make_event, make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def full_event() -> Event:
    event = make_event(capacity=1)
    make_registration(event)
    return event


def waiting(event: Event, **fields: Any) -> Registration:
    return make_registration(event, status="waitlisted", **fields)


def owed() -> list[tuple[Registration | None, str, str]]:
    """What left or waits, planned mails aside."""
    kinds = Delivery.objects.exclude(kind__startswith="reminder").order_by("pk")
    return [(delivery.registration, delivery.kind, delivery.reason) for delivery in kinds]


def reload(registration: Registration) -> Registration:
    return Registration.objects.select_related("event").get(pk=registration.pk)


def test_the_list_tells_the_place_of_everyone_who_waits_even_in_a_filtered_list(organiser: Client) -> None:
    event = full_event()
    now = timezone.now()
    waiting(event, last_name="Second", waiting_since=now)
    waiting(event, last_name="Premier", waiting_since=now - timedelta(hours=1))
    waiting(make_event(), last_name="Ailleurs", waiting_since=now - timedelta(hours=2))
    page = organiser.get(PEOPLE, {"q": "Second"})
    assert "En liste d’attente, n°\u00a02" in page.text
    shown = {row.last_name: row.place for row in organiser.get(PEOPLE).context["cl"].result_list}
    assert [shown[name] for name in ("Premier", "Second", "Ailleurs")] == [1, 2, 1]


def test_the_list_costs_the_same_for_one_waiting_person_and_for_three(
    organiser: Client, django_assert_num_queries: Callable[[int], Any], django_assert_max_num_queries: Any
) -> None:
    event = full_event()
    signup.welcome(waiting(event))
    with django_assert_max_num_queries(14) as one:
        organiser.get(PEOPLE)
    for _ in range(2):
        signup.welcome(waiting(event))
    with django_assert_num_queries(len(one)):
        organiser.get(PEOPLE)


def test_a_reminder_to_come_is_not_taken_for_the_last_mail(organiser: Client) -> None:
    registration = make_registration()
    signup.welcome(registration)
    outbox.drain()
    [row] = organiser.get(PEOPLE).context["cl"].result_list
    assert str(row.mail.words) == "Remis au serveur"
    assert "Partira le" in organiser.get(f"{PEOPLE}{registration.pk}/change/").text


@pytest.mark.parametrize(
    ("name", "button"),
    [
        ("give_seat", "Donner une place à 1 personne"),
        ("send_again", "Envoyer 1 courriel"),
        ("renew_links", "Renouveler les liens de 1 personne"),
        ("withdraw", "Annuler 1 inscription et prévenir"),
    ],
)
def test_an_act_asks_first_and_does_nothing_until_it_is_confirmed(organiser: Client, name: str, button: str) -> None:
    person = waiting(full_event(), last_name="Durand")
    page = act(organiser, name, person, confirm=False)
    assert f'value="{button}"' in page.text
    assert "<li>Durand" in page.text
    assert owed() == []
    assert reload(person).status == "waitlisted"


def test_a_seat_is_given_whoever_stands_before_and_the_admin_says_that_there_are_too_few(organiser: Client) -> None:
    event = full_event()
    first, second = waiting(event), waiting(event)
    asked = act(organiser, "give_seat", second, confirm=False).text.replace("\u00a0", " ")
    assert "2 places prises pour 1 prévue" in asked
    page = act(organiser, "give_seat", second)
    assert messages(page) == ["1 personne a une place_; le courriel qui le lui dit est en route."]
    assert owed() == [(second, "promoted", "promoted")]
    assert reload(first).is_waiting


def test_people_who_do_not_wait_are_left_out_of_the_seats_and_counted(organiser: Client) -> None:
    event = full_event()
    seated, person = event.registrations.get(), waiting(event)
    page = act(organiser, "give_seat", seated, person, confirm=False)
    assert page.context["names"] == [str(person)]
    assert "1 inscription est laissée de côté" in page.text
    nobody = act(organiser, "give_seat", seated, confirm=False)
    assert [words.split("_")[0] for words in messages(nobody)] == ["1 inscription est laissée de côté"]


def test_an_act_asks_again_when_it_would_reach_other_people_than_it_named(organiser: Client) -> None:
    event = full_event()
    first, second = waiting(event), waiting(event)
    asked = act(organiser, "give_seat", first, second, confirm=False)
    signup.withdraw(second)
    sent: dict[str, Any] = {}
    for field, value in asked.context["hidden"]:
        sent.setdefault(field, []).append(value)
    page = organiser.post(PEOPLE, sent)
    assert 'value="Donner une place à 1 personne"' in page.text
    assert reload(first).is_waiting


def test_an_act_reaches_everyone_of_a_filtered_list_that_is_longer_than_a_page(organiser: Client) -> None:
    event = full_event()
    people = [waiting(event) for _ in range(3)]
    everyone = {"action": "withdraw", "_selected_action": [people[0].pk], "select_across": 1, "index": 0}
    asked = organiser.post(f"{PEOPLE}?status__exact=waitlisted", everyone)
    assert 'value="Annuler 3 inscriptions et prévenir"' in asked.text
    organiser.post(f"{PEOPLE}?status__exact=waitlisted", dict(asked.context["hidden"]))
    assert {reload(person).status for person in people} == {"cancelled"}
    assert event.registrations.seated().count() == 1


def test_everybody_of_a_long_list_is_deleted_without_being_named_one_by_one(organiser: Client) -> None:
    people = [make_registration() for _ in range(60)]  # more than a page
    chosen = {"action": "delete_selected", "_selected_action": [people[0].pk], "select_across": 1, "index": 0}
    asked = organiser.post(PEOPLE, chosen)
    assert 'value="Supprimer 60 inscriptions"' in asked.text
    assert [name for name, _value in asked.context["hidden"]] == [
        "confirmed",
        "action",
        "_selected_action",
        "select_across",
    ]
    organiser.post(PEOPLE, confirmed(asked))
    assert not Registration.objects.exists()


def test_sending_again_says_to_each_where_they_stand(organiser: Client) -> None:
    event = full_event()
    seated, person, gone = event.registrations.get(), waiting(event), make_registration(event, status="cancelled")
    page = act(organiser, "send_again", seated, person, gone)
    assert messages(page) == ["2 courriels sont en route."]
    assert sorted(owed(), key=lambda row: row[1]) == [
        (seated, "confirmation", "resent"),
        (person, "waiting_list", "resent"),
    ]


def test_an_act_stands_on_the_persons_own_page_too(organiser: Client) -> None:
    registration = make_registration()
    path = f"{PEOPLE}{registration.pk}/change/"
    chosen = {"CHANGE_FORM-action": "send_again", "_selected_action": registration.pk}
    asked = organiser.post(path, chosen)
    organiser.post(path, dict(asked.context["hidden"]))
    assert owed() == [(registration, "confirmation", "resent")]


def test_renewed_links_close_the_old_ones_and_the_new_ones_are_sent(organiser: Client) -> None:
    registration = make_registration()
    old_join, old_manage = registration.join_url, registration.manage_url
    act(organiser, "renew_links", registration)
    assert [Client().get(url.partition(".org")[2]).status_code for url in (old_join, old_manage)] == [404, 404]
    renewed = reload(registration)
    assert Client().get(renewed.join_url.partition(".org")[2]).status_code == 200
    assert owed() == [(registration, "confirmation", "resent")]
    assert renewed.calendar_sequence == registration.calendar_sequence + 1


def test_a_registration_is_cancelled_with_a_mail_and_its_seat_goes_to_the_first_in_line(organiser: Client) -> None:
    event = full_event()
    seated, first = event.registrations.get(), waiting(event)
    page = act(organiser, "withdraw", seated)
    assert messages(page) == ["1 inscription est annulée_; le courriel qui le dit est en route."]
    assert owed() == [(seated, "withdrawn", "seat_taken"), (first, "promoted", "promoted")]


def test_nobody_is_promoted_only_to_be_cancelled_by_the_same_act(organiser: Client) -> None:
    event = full_event()
    seated, person = event.registrations.get(), waiting(event)
    act(organiser, "withdraw", seated, person)
    assert owed() == [(person, "withdrawn", "line"), (seated, "withdrawn", "seat_taken")]


def test_an_act_stays_in_the_history_of_the_person(organiser: Client) -> None:
    registration = make_registration()
    act(organiser, "withdraw", registration)
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Annuler l’inscription et prévenir"]


def test_who_may_only_look_is_offered_no_act() -> None:
    registration = make_registration()
    reader = logged_in("view_registration", "view_delivery")
    assert "Annuler l’inscription et prévenir" not in reader.get(PEOPLE).text
    reader.post(PEOPLE, {"action": "withdraw", "_selected_action": [registration.pk], "confirmed": 1})
    assert reload(registration).is_seated


def add(organiser: Client, event: Event, **typed: Any) -> Any:
    sent = {**answers(), "event": event.pk, "language": "fr", "status": "confirmed", **typed}
    return organiser.post(f"{PEOPLE}add/", sent, follow=True)


def test_a_person_is_added_to_a_full_event_and_the_admin_says_how_many_seats_are_taken(organiser: Client) -> None:
    event = full_event()
    assert "Complet en ce moment\u00a0: Webinaire réseau." in organiser.get(f"{PEOPLE}add/").text
    page = add(organiser, event)
    assert any("2 places prises pour 1 prévue" in words for words in messages(page))
    assert event.registrations.seated().count() == 2


def test_a_person_is_added_to_the_waiting_list_with_the_mail_that_says_so(organiser: Client) -> None:
    event = full_event()
    add(organiser, event, status="waitlisted")
    person = event.registrations.on_waiting_list().get()
    assert person.waiting_since is not None
    assert owed() == [(person, "waiting_list", "new")]


def test_nobody_is_put_in_line_for_an_event_that_has_started(organiser: Client) -> None:
    event = make_event(starts_in=timedelta(minutes=-5))
    page = add(organiser, event, status="waitlisted")
    assert "Ce webinaire a commencé" in page.text
    assert not event.registrations.exists()


def test_an_event_is_not_changed_under_a_registration(organiser: Client) -> None:
    registration = make_registration()
    form = organiser.get(f"{PEOPLE}{registration.pk}/change/").context["adminform"].form
    assert {"event", "status"} & set(form.fields) == set()


def test_deleting_says_that_it_is_not_cancelling(organiser: Client) -> None:
    registration = make_registration()
    alone = organiser.get(f"{PEOPLE}{registration.pk}/delete/")
    several = organiser.post(PEOPLE, {"action": "delete_selected", "_selected_action": [registration.pk]})
    for page in (alone, several):
        assert "Supprimer n’est pas annuler" in page.text


def test_a_deleted_persons_seat_goes_to_the_first_in_line(organiser: Client) -> None:
    event = full_event()
    seated, first = event.registrations.get(), waiting(event)
    page = organiser.post(f"{PEOPLE}{seated.pk}/delete/", {"post": "yes"}, follow=True)
    assert reload(first).is_seated
    assert any("1 personne de la liste d’attente a reçu une place" in words for words in messages(page))


LIFT = "/admin/registrations/suppression/lift/"


def test_a_mailbox_is_written_to_again_once_the_organiser_has_confirmed_it(organiser: Client) -> None:
    Suppression.objects.add_address("zoe@example.org")
    asked = organiser.post(LIFT, {"address": "Zoe@example.org"})
    assert "a demandé à ne plus rien recevoir" in asked.text
    assert Suppression.objects.exists()
    page = organiser.post(LIFT, dict(asked.context["hidden"]), follow=True)
    assert messages(page) == ["Les courriels partent à nouveau vers Zoe@example.org."]
    assert not Suppression.objects.exists()


def test_an_address_that_is_not_left_alone_is_said_to_be_so(organiser: Client) -> None:
    Suppression.objects.add_address("zoe@example.org")
    page = organiser.post(LIFT, {"address": "ada@example.org"}, follow=True)
    assert messages(page) == ["ada@example.org n’est pas sur la liste_: les courriels y partent."]
    assert Suppression.objects.count() == 1


def test_a_malformed_address_is_an_error_next_to_its_field(organiser: Client) -> None:
    page = organiser.post(LIFT, {"address": "zoe"})
    assert "Saisissez une adresse électronique complète" in page.text


def test_mailboxes_left_alone_are_listed_and_one_can_be_deleted_but_none_added(organiser: Client) -> None:
    Suppression.objects.add_address("zoe@example.org")
    row = Suppression.objects.get()
    path = "/admin/registrations/suppression/"
    assert str(row) in organiser.get(path).text
    assert organiser.get(f"{path}add/").status_code == 403
    organiser.post(path, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert not Suppression.objects.exists()


def test_who_may_not_delete_a_mailbox_from_the_list_may_not_lift_it() -> None:
    assert logged_in("view_suppression").get(LIFT).status_code == 403


def test_the_mails_tell_their_event_and_when_they_leave_for_one_row_and_for_three_alike(
    organiser: Client, django_assert_num_queries: Callable[[int], Any], django_assert_max_num_queries: Any
) -> None:
    path = "/admin/registrations/delivery/"
    send_at = timezone.now() + timedelta(days=2)
    Delivery.objects.enqueue(make_registration(), Delivery.Kind.REMINDER_DAY, send_at=send_at)
    with django_assert_max_num_queries(10) as one:
        page = organiser.get(path)
    assert "Partira le" in page.text
    assert "Webinaire réseau" in page.text
    for _ in range(2):
        Delivery.objects.enqueue(make_registration(), Delivery.Kind.REMINDER_DAY, send_at=send_at)
    with django_assert_num_queries(len(one)):
        organiser.get(path)


@pytest.mark.parametrize("query", ["kind__exact=reminder_day", "state__exact=pending", "event__id__exact={}"])
def test_mails_are_filtered_by_kind_state_and_event(organiser: Client, query: str) -> None:
    wanted = Delivery.objects.enqueue(make_registration(), Delivery.Kind.REMINDER_DAY)
    Delivery.objects.enqueue(make_registration(), Delivery.Kind.CONFIRMATION, state="sent")
    assert wanted.registration is not None
    page = organiser.get(f"/admin/registrations/delivery/?{query.format(wanted.registration.event_id)}")
    assert list(page.context["cl"].result_list) == [wanted]
