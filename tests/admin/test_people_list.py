"""The list of people as an organiser meets it: of one event or of all, with its views, filters and acts."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from registrations.domain import attendance, signup
from registrations.models import Attendance, Delivery, Event, EventMember, Registration
from tests.admin_client import PEOPLE, act, logged_in, messages
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db
STOCK = ["Ajouter inscription", "Ajouter\u00a0:", "Sélectionne", "Choisir une option", "Exécuter", "objet"]


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def of_event(event: Event, query: str = "") -> str:
    return f"{PEOPLE}?event__id__exact={event.pk}{query}"


def shown(client: Client, path: str) -> dict[str, Any]:
    return {row.last_name: row for row in client.get(path).context["cl"].result_list}


def views(client: Client, path: str) -> list[tuple[str, int, bool]]:
    return [(str(view.words), view.number, view.is_current) for view in client.get(path).context["cl"].views]


def test_the_list_of_an_event_is_a_page_of_this_event(organiser: Client) -> None:
    event, other = make_event(title="Le premier"), make_event(title="Le second")
    make_registration(event, last_name="Ici")
    make_registration(other, last_name="Ailleurs")
    page = organiser.get(of_event(event))
    assert list(shown(organiser, of_event(event))) == ["Ici"]
    assert "<h1>Le premier</h1>" in page.text
    assert 'class="tabs"' in page.text
    assert "Inscrits" in page.text


def test_the_list_over_all_events_names_each_event_with_its_date(organiser: Client) -> None:
    event = make_event(short_title="Partager la rue")
    make_registration(event)
    page = organiser.get(PEOPLE).text
    assert "<h1>Personnes</h1>" in page
    assert f">Partager la rue, {event.starts_at.day}" in page.replace("\u00a0", " ").replace("1er", "1")
    assert f'href="{of_event(event)}"' in page


def test_a_row_tells_name_address_organisation_state_mail_and_presence(organiser: Client) -> None:
    event = make_past_event()
    person = make_registration(event, first_name="Omar", last_name="Diop", organisation="Mairie", job_title="Élu")
    attendance.note(person, Attendance.Origin.HAND)
    make_registration(event, last_name="Absent")
    row = shown(organiser, of_event(event))["Diop"]
    assert (row.standing.look, str(row.standing.words)) == ("quiet", "Confirmée")
    assert str(row.presence.words) == "Présente"
    assert str(shown(organiser, of_event(event))["Absent"].presence.words) == "Absente"
    page = organiser.get(of_event(event)).text
    for words in ["Omar Diop", person.email, "Mairie", "Élu"]:
        assert words in page


def test_nobody_is_called_absent_before_anybody_was_noted(organiser: Client) -> None:
    event = make_past_event()
    make_registration(event, last_name="Diop")
    assert shown(organiser, of_event(event))["Diop"].presence is None


@pytest.mark.parametrize(
    ("fields", "badge"),
    [
        ({"state": "sent"}, ("quiet", "Remis au serveur")),
        ({"state": "sent", "provider_status": "delivered"}, ("quiet", "Remis")),
        ({"state": "sent", "provider_status": "deferred"}, ("notice", "Boîte pleine")),
        ({"state": "sent", "provider_status": "bounced"}, ("error", "Non remis")),
        ({"state": "sent", "provider_status": "complained"}, ("error", "Signalé indésirable")),
        ({"state": "failed"}, ("error", "Non remis")),
        ({"state": "held"}, ("error", "À voir")),
        ({"state": "broken"}, ("error", "À voir")),
        ({"state": "failed", "seen_at": timezone.now()}, ("", "Non remis")),
        ({"state": "cancelled"}, None),
    ],
)
def test_a_mail_is_delivered_only_when_a_provider_said_so(
    organiser: Client, fields: dict[str, Any], badge: tuple[str, str] | None
) -> None:
    mail = Delivery.objects.enqueue(make_registration(last_name="Diop"), Delivery.Kind.CONFIRMATION)
    Delivery.objects.filter(pk=mail.pk).update(sent_at=timezone.now(), **fields)
    told = shown(organiser, PEOPLE)["Diop"].mail
    assert (told and (told.look, str(told.words))) == badge


def test_a_mail_that_came_back_is_told_even_after_a_later_reminder(organiser: Client) -> None:
    person = make_registration(last_name="Diop")
    for kind, status in [(Delivery.Kind.CONFIRMATION, "bounced"), (Delivery.Kind.REMINDER_DAY, "")]:
        mail = Delivery.objects.enqueue(person, kind)
        told = {"state": "sent", "sent_at": timezone.now(), "sent_to": person.email, "provider_status": status}
        Delivery.objects.filter(pk=mail.pk).update(**told)
    assert str(shown(organiser, PEOPLE)["Diop"].mail.words) == "Non remis"


def test_ready_views_count_and_an_empty_one_is_not_shown(organiser: Client) -> None:
    event = make_event()
    people = [make_registration(event) for _ in range(2)]
    make_registration(event, status="cancelled")
    make_registration(make_event(), status="waitlisted")
    assert views(organiser, of_event(event)) == [("Toutes", 3, True), ("Confirmées", 2, False), ("Annulées", 1, False)]
    failed = Delivery.objects.enqueue(people[0], Delivery.Kind.CONFIRMATION)
    Delivery.objects.filter(pk=failed.pk).update(state="failed")
    assert views(organiser, of_event(event, "&mail=to_see"))[-1] == ("Courriel à voir", 1, True)
    assert [row.pk for row in shown(organiser, of_event(event, "&mail=to_see")).values()] == [people[0].pk]


def test_filters_and_order_are_one_form_that_keeps_the_view_and_the_search(organiser: Client) -> None:
    event = make_event()
    make_registration(event, territory="Yvelines (78)", last_name="Zola")
    make_registration(event, territory="Yvelines (78)", last_name="Aragon")
    changelist = organiser.get(of_event(event, "&status__exact=confirmed&q=example&territory=Yvelines+(78)")).context[
        "cl"
    ]
    kept = [("event__id__exact", str(event.pk)), ("status__exact", "confirmed"), ("q", "example")]
    assert sorted(changelist.kept_by_filters) == sorted(kept)
    assert changelist.has_chosen_filters
    [territory] = [field for field in changelist.filter_fields if field.name == "territory"]
    assert [(value, chosen) for value, _words, chosen in territory.choices] == [("", False), ("Yvelines (78)", True)]
    by_name = organiser.get(of_event(event, "&o=1")).context["cl"].result_list
    assert [row.last_name for row in by_name] == ["Aragon", "Zola"]


def test_nobody_found_says_what_to_do(organiser: Client) -> None:
    event = make_event()
    make_registration(event)
    page = organiser.get(of_event(event, "&q=valmari")).text
    assert "Personne ne répond ici à «\u00a0valmari\u00a0»" in page
    assert f'href="{of_event(event)}"' in page
    assert f'href="{PEOPLE}?q=valmari"' in page


def test_nobody_yet_says_what_to_do(organiser: Client) -> None:
    event = make_event()
    page = organiser.get(of_event(event)).text
    assert "Personne n’est encore inscrit" in page
    assert event.get_absolute_url() in page
    assert f"/event/{event.pk}/registrants/" in page
    assert "Personne n’est inscrit à un webinaire" in organiser.get(PEOPLE).text


def test_acts_are_named_buttons_and_a_seat_is_given_from_the_waiting_list(organiser: Client) -> None:
    event = make_event()
    make_registration(event, status="waitlisted")
    names = [act.name for act in organiser.get(of_event(event)).context["bulk_acts"]]
    assert names == ["write_to", "send_again", "note_presence", "more"]
    waiting = organiser.get(of_event(event, "&status__exact=waitlisted"))
    assert waiting.context["bulk_acts"][0].name == "give_seat"


def test_who_may_only_look_has_neither_acts_nor_boxes_to_tick() -> None:
    make_registration()
    page = logged_in("view_registration").get(PEOPLE)
    assert page.context["bulk_acts"] == []
    assert 'type="checkbox"' not in page.text
    assert "/add/" not in page.text
    assert "/export/" not in page.text


def test_something_else_lists_all_acts_with_what_they_do_and_leads_to_their_question(organiser: Client) -> None:
    people = [make_registration() for _ in range(2)]
    ticked = {"_selected_action": [one.pk for one in people]}
    page = organiser.post(PEOPLE, {"action": "more", "index": 0, **ticked})
    assert [act.name for act in page.context["changing"]][-1] == "delete_selected"
    assert "Rend la place et l’annonce par courriel" in page.text
    asked = organiser.post(PEOPLE, {"action": "withdraw", **ticked})
    assert 'value="Annuler 2 inscriptions et prévenir"' in asked.text


def test_all_that_were_found_are_chosen_without_ticking_anybody(organiser: Client) -> None:
    for _ in range(3):
        make_registration(status="cancelled")
    make_registration()
    chosen = {"action": "come_back", "index": 0, "select_across": 1}
    asked = organiser.post(f"{PEOPLE}?status__exact=cancelled", chosen)
    assert dict(asked.context["hidden"])["confirmed"] == 3


def test_a_button_without_anybody_ticked_says_so(organiser: Client) -> None:
    make_registration()
    page = organiser.post(PEOPLE, {"action": "send_again", "index": 0}, follow=True)
    assert messages(page) == ["Cochez d’abord les personnes."]


@pytest.mark.parametrize("name", ["erase_on_request", "disown", "delete_selected"])
def test_what_cannot_be_taken_back_asks_for_the_name_or_the_number(organiser: Client, name: str) -> None:
    people = [make_registration(first_name="Zoë", last_name="D’Arcy"), make_registration()]
    asked = act(organiser, name, *people, confirm=False)
    assert asked.context["to_type"] == "2"
    alone = act(organiser, name, people[0], confirm=False)
    assert "Pour confirmer, saisissez\u00a0: Zoë D’Arcy" in alone.text
    wrong = organiser.post(PEOPLE, {**dict(alone.context["hidden"]), "typed": "Zoé"})
    assert "rien n’a été fait" in wrong.text
    assert Registration.objects.filter(erase_by=None).count() == 2
    organiser.post(PEOPLE, {**dict(alone.context["hidden"]), "typed": "darcy zoe".replace("darcy", "d arcy")})
    assert Registration.objects.filter(erase_by=None).count() == 1


def test_no_stock_phrase_is_shown_on_the_pages_of_people(organiser: Client) -> None:
    event = make_event()
    person = make_registration(event)
    paths = [
        PEOPLE,
        of_event(event),
        f"{PEOPLE}add/",
        f"{PEOPLE}add/?event={event.pk}",
        f"{PEOPLE}{person.pk}/change/",
    ]
    found = {(path, words) for path in paths for words in STOCK if words in organiser.get(path).text}
    assert found == set()


def test_a_person_is_registered_for_the_event_of_the_page(organiser: Client) -> None:
    event = make_event()
    page = organiser.get(f"{PEOPLE}add/?event={event.pk}").text
    assert "<h2>Inscrire une personne</h2>" in page
    assert f'<input type="hidden" name="event" value="{event.pk}"' in page
    typed = {"first_name": "Omar", "last_name": "Diop", "email": "omar@example.org", "organisation": "Mairie"}
    typed |= {"job_title": "Élu", "status": "confirmed", "language": "fr", "event": str(event.pk)}
    answer = organiser.post(f"{PEOPLE}add/?event={event.pk}", typed)
    assert answer["Location"] == of_event(event)
    assert event.registrations.get().last_name == "Diop"


@pytest.mark.parametrize("asked", ["999", "", "abc", "9" * 30])
def test_a_person_is_registered_for_no_event_that_does_not_exist(organiser: Client, asked: str) -> None:
    assert organiser.get(f"{PEOPLE}add/?event={asked}").status_code == 404


def test_a_person_is_not_registered_for_the_event_of_others() -> None:
    mine, theirs = make_event(), make_event()
    account = User.objects.create_user("par-webinaire", is_staff=True)
    account.groups.add(Group.objects.get(name="Par webinaire"))
    EventMember.objects.create(event=mine, user=account)
    client = Client()
    client.force_login(account)
    assert client.get(f"{PEOPLE}add/?event={mine.pk}").status_code == 200
    assert client.get(f"{PEOPLE}add/?event={theirs.pk}").status_code == 404
    assert theirs.title not in client.get(of_event(theirs)).text or theirs.title == mine.title


def test_the_list_shows_when_each_registration_was_made(organiser: Client) -> None:
    moment = timezone.now() - timedelta(days=400)
    make_registration(created_at=moment)
    assert str(moment.year) in organiser.get(PEOPLE).text
    signup.welcome(Registration.objects.get())
