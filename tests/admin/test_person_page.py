"""The page of one person: what comes next, the answers, named acts with what they do, and the history beside."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from registrations.domain import attendance
from registrations.models import Attendance, Delivery, EventMember, Registration
from registrations.security.second_factor import PASSWORD_AT
from tests.admin_client import PEOPLE, confirmed, logged_in, messages, with_fresh_password
from tests.admin_pages import paths, rows
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def organiser() -> Client:
    return with_fresh_password(logged_in())


def path(person: Registration, query: str = "") -> str:
    return f"{PEOPLE}{person.pk}/change/{query}"


def do(client: Client, person: Registration, name: str) -> Any:
    """Press the button of the person's page, then the one of the page that asks."""
    asked = client.post(path(person), {"CHANGE_FORM-action": name, "_selected_action": person.pk})
    return client.post(path(person), confirmed(asked), follow=True)


def names(page: Any, part: str) -> list[str]:
    return [act.name for act in page.context[part]]


def typed(client: Client, person: Registration, **changed: Any) -> dict[str, Any]:
    form = client.get(path(person)).context["adminform"].form
    return {**{one.name: one.value() for one in form if one.value() not in (None, False, "")}, **changed}


def with_returned_mail(**fields: Any) -> Registration:
    person = make_registration(**fields)
    mail = Delivery.objects.enqueue(person, Delivery.Kind.CONFIRMATION)
    Delivery.objects.filter(pk=mail.pk).update(
        state="sent", sent_at=mail.created_at, sent_to=person.email, provider_status="bounced"
    )
    return person


def test_the_page_has_the_name_the_state_and_the_way_back_to_the_list_of_the_event(organiser: Client) -> None:
    person = make_registration(make_event(short_title="La rue"), first_name="Omar", last_name="Diop")
    page = organiser.get(path(person)).text
    assert "<h1><bdi>Omar Diop</bdi></h1>" in page
    assert '<span class="badge quiet">Confirmée</span>' in page
    assert f'href="{PEOPLE}?event__id__exact={person.event_id}"' in page
    assert "Inscrits de «\u00a0La rue, " in page


def test_answers_are_read_and_corrected_on_request(organiser: Client) -> None:
    person = make_registration(question="Le créneau du soir ?")
    page = organiser.get(path(person))
    assert ("Question", "Le créneau du soir ?") in [(str(label), words) for label, words in page.context["facts"]]
    assert 'name="_save"' not in page.text
    form = organiser.get(path(person, "?edit=1")).text
    assert 'name="_save"' in form
    assert "Une adresse corrigée reçoit le lien" in form


def test_saving_leads_back_to_the_person_and_says_so(organiser: Client) -> None:
    person = make_registration()
    page = organiser.post(path(person, "?edit=1"), typed(organiser, person, job_title="Maire"), follow=True)
    assert page.redirect_chain == [(path(person), 302)]
    assert messages(page) == ["Les réponses sont enregistrées."]
    assert Registration.objects.get().job_title == "Maire"


def test_a_mistake_leaves_the_form_open_and_leads_to_its_field(organiser: Client) -> None:
    person = make_registration()
    page = organiser.post(path(person, "?edit=1"), typed(organiser, person, last_name=""))
    assert 'href="#id_last_name"' in page.text
    assert 'name="_save"' in page.text


def test_what_can_be_done_depends_on_where_the_person_stands(organiser: Client) -> None:
    seated, past = make_registration(), make_past_event()
    page = organiser.get(path(seated))
    assert names(page, "safe") == ["send_again", "take_data"]
    assert "Vous pourrez l’enlever" in page.text  # the presence: from the day of the session on
    assert names(page, "changing") == ["withdraw", "renew_links", "disown", "erase_on_request", "delete_selected"]
    waiting = organiser.get(path(make_registration(status="waitlisted")))
    assert names(waiting, "changing")[0] == "give_seat"
    cancelled = organiser.get(path(make_registration(status="cancelled")))
    assert names(cancelled, "changing")[0] == "come_back"
    assert "withdraw" not in names(cancelled, "changing")
    came = make_registration(past)
    assert "note_presence" in names(organiser.get(path(came)), "safe")
    attendance.note(came, Attendance.Origin.HAND)
    assert names(organiser.get(path(came)), "changing")[0] == "take_presence_back"


def test_each_act_says_what_it_does_and_the_feared_ones_are_in_the_last_card(organiser: Client) -> None:
    page = organiser.get(path(make_registration())).text
    assert "Rend la place et l’annonce par courriel. Vous pourrez la redonner" in page
    assert page.index("Pour cette personne") < page.index("Ce qui change son inscription") < page.index("Effacer ses")


def test_a_cancelled_registration_is_taken_back_from_the_same_page(organiser: Client) -> None:
    person = make_registration()
    page = do(organiser, person, "withdraw")
    assert "Remettre sur la liste…" in page.text
    do(organiser, person, "come_back")
    assert Registration.objects.get().is_seated


def test_an_address_that_was_noted_as_failing_is_taken_back_from_the_same_page(organiser: Client) -> None:
    person = with_returned_mail()
    assert "address_works" in names(organiser.get(path(person)), "safe")
    do(organiser, person, "address_works")
    assert "address_fails" in names(organiser.get(path(person)), "changing")


@pytest.mark.parametrize("name", ["disown", "delete_selected"])
def test_after_somebody_is_deleted_the_list_of_the_event_follows(organiser: Client, name: str) -> None:
    person = make_registration()
    page = do(organiser, person, name)
    assert page.redirect_chain == [(f"{PEOPLE}?event__id__exact={person.event_id}", 302)]
    assert not Registration.objects.exists()


def test_erasing_asks_for_the_name_and_for_the_password() -> None:
    person, client = make_registration(first_name="Omar", last_name="Diop"), logged_in()
    session = client.session
    session[PASSWORD_AT] = 0
    session.save()
    asked = client.post(path(person), {"CHANGE_FORM-action": "erase_on_request", "_selected_action": person.pk})
    assert asked.status_code == 302
    assert "/admin/confirm/" in asked["Location"]
    asked = with_fresh_password(client).post(
        path(person), {"CHANGE_FORM-action": "erase_on_request", "_selected_action": person.pk}
    )
    assert "Pour confirmer, saisissez\u00a0: Omar Diop" in asked.text
    assert "C’est sans retour" in asked.text


def test_a_mail_that_came_back_is_the_next_step_with_the_address_to_correct(organiser: Client) -> None:
    person = with_returned_mail(email="omar@gmial.com")
    page = organiser.get(path(person))
    assert "Confirmation\u00a0: courriel non remis" in page.text
    assert page.context["problem"].address == "omar@gmail.com"
    mail = page.context["problem"].mail
    to = reverse("admin:registrations_delivery_correct", args=[mail.pk])
    assert f'action="{to}"' in page.text
    corrected = organiser.post(to, {"email": "omar@gmail.com", "of_person": "yes"}, follow=True)
    assert corrected.redirect_chain[-1][0] == path(person)
    assert corrected.context["problem"] is None
    assert Registration.objects.get().email == "omar@gmail.com"
    assert Delivery.objects.filter(state="pending", kind="confirmation").exists()


def test_a_failed_mail_is_sent_again_to_an_address_that_was_right_after_all(organiser: Client) -> None:
    person = make_registration()
    mail = Delivery.objects.enqueue(person, Delivery.Kind.REMINDER_DAY)
    Delivery.objects.update(state="failed", error="550", sent_to=person.email)
    to = reverse("admin:registrations_delivery_correct", args=[mail.pk])
    organiser.post(to, {"email": person.email, "of_person": "yes"})
    assert Delivery.objects.get(pk=mail.pk).state == "pending"


def test_a_mail_that_came_back_may_be_marked_as_seen(organiser: Client) -> None:
    person = with_returned_mail()
    sent = {"CHANGE_FORM-action": "mails_seen", "_selected_action": person.pk}
    page = organiser.post(path(person), sent, follow=True)
    assert page.context["problem"] is None
    assert messages(page) == ["1 courriel n’est plus à voir."]


def test_the_history_is_beside_with_the_newest_first_and_other_webinars_below(organiser: Client) -> None:
    person = make_registration(email="omar@example.org")
    other = make_registration(make_past_event(short_title="Autrefois"), email="Omar@example.org")
    attendance.note(other, Attendance.Origin.IMPORT, minutes=71)
    page = organiser.get(path(person))
    assert [moment.look for moment in page.context["past"]] == ["good"]
    assert [one.registration for one in page.context["elsewhere"]] == [other]
    assert "présence\u00a0: rapport de la salle, 71\u00a0min" in page.text
    assert f'href="{path(other)}"' in page.text


def test_who_runs_one_event_sees_nothing_of_the_person_at_others() -> None:
    person = make_registration(email="omar@example.org")
    make_registration(make_past_event(), email="omar@example.org")
    account = User.objects.create_user("par-webinaire", is_staff=True)
    account.groups.add(Group.objects.get(name="Par webinaire"))
    EventMember.objects.create(event=person.event, user=account)
    client = Client()
    client.force_login(account)
    assert client.get(path(person)).context["elsewhere"] == []


def test_who_may_only_look_reads_the_answers_and_the_history_and_is_offered_nothing() -> None:
    person = with_returned_mail()
    page = logged_in("view_registration").get(path(person))
    assert names(page, "safe") + names(page, "changing") == []
    assert "Ce qui s’est passé" in page.text
    assert "<form" not in page.text.partition('id="content"')[2]
    assert "?edit=1" not in page.text
    assert person.join_code not in page.text
    assert person.manage_code not in page.text
    assert not logged_out_form(person)


def logged_out_form(person: Registration) -> bool:
    account = User.objects.get(username="equipe")
    client = Client()
    client.force_login(account)
    return 'name="_save"' in client.get(path(person, "?edit=1")).text


def test_the_presence_is_offered_on_the_day_itself(organiser: Client) -> None:
    person = make_registration(make_event(starts_in=timedelta(minutes=30)))
    assert "note_presence" in names(organiser.get(path(person)), "safe")


@pytest.mark.parametrize("model", ["registration", "event", "speaker", "siteidentity", "user", "group"])
def test_deleting_never_stands_beside_saving(organiser: Client, model: str) -> None:
    label = "auth" if model in {"user", "group"} else "registrations"
    page = organiser.get(paths(rows(make_event()))[f"{label}_{model}_change"]).text
    for row in page.split('class="submit-row"')[1:] + page.split('class="save-bar"')[1:]:
        assert "/delete/" not in row.partition("</form>")[0]
    assert "deletelink" not in page
