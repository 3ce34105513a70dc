"""A message to people who were ticked in the list, or who gave an answer."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.domain import broadcasts, erasure
from registrations.models import Broadcast, Event, Registration
from tests.admin_client import PEOPLE, logged_in, with_fresh_password
from tests.domain.broadcasts import TYPED, confirm, make_broadcast, page_of, path, sent_to, with_people
from tests.factories import make_event, make_question, make_registration

pytestmark = pytest.mark.django_db
WORDS = {"subject": "À vous", "body": "Bonjour {prenom}"}


@pytest.fixture
def organiser() -> Client:
    return with_fresh_password(logged_in())


def person(event: Event, name: str, **fields: Any) -> Registration:
    return make_registration(event, first_name=name, last_name="Petit", email=f"{name.lower()}@example.org", **fields)


def ticked(organiser: Client, *people: Registration, **sent: Any) -> Any:
    """The action of the list of people."""
    chosen = {"action": "write_to", "_selected_action": [one.pk for one in people], **sent}
    return organiser.post(PEOPLE, chosen, follow=True)


def to_chosen(*people: Registration, **fields: Any) -> Broadcast:
    broadcast = make_broadcast(people[0].event, **{"audience": "chosen", **WORDS, **fields})
    broadcasts.choose(broadcast, Registration.objects.filter(pk__in=[one.pk for one in people]))
    return broadcast


def test_people_who_are_ticked_in_the_list_are_the_audience_of_a_new_message(organiser: Client) -> None:
    event = make_event()
    ann, bea = person(event, "Ann"), person(event, "Bea")
    person(event, "Zoe")
    page = ticked(organiser, ann, bea)
    assert page.context["chosen"] == ["Petit Ann", "Petit Bea"]
    broadcast = Broadcast.objects.get()
    assert page.redirect_chain[-1][0] == page_of(broadcast, "correct/")
    organiser.post(page_of(broadcast, "correct/"), {"audience": "chosen", **WORDS})
    assert "Petit Ann, Petit Bea" in organiser.get(page_of(broadcast)).text
    confirm(organiser, broadcast, 2)
    assert sent_to(broadcast) == ["ann@example.org", "bea@example.org"]


def test_who_leaves_the_list_or_is_erased_drops_out(organiser: Client) -> None:
    event = make_event()
    ann, bea, lea = person(event, "Ann"), person(event, "Bea"), person(event, "Lea")
    broadcast = to_chosen(ann, bea, lea)
    seen = organiser.get(page_of(broadcast)).context["seen"]
    Registration.objects.filter(pk=bea.pk).update(status="cancelled")
    erasure.erase(lea)
    page = organiser.post(page_of(broadcast), {"seen": seen, "typed": 3})
    assert (page.context["form"].count, sent_to(broadcast)) == (1, [])
    confirm(organiser, broadcast, 1)
    assert sent_to(broadcast) == ["ann@example.org"]


def test_other_people_of_the_same_number_are_read_once_more(organiser: Client) -> None:
    event = make_event()
    ann, bea = person(event, "Ann"), person(event, "Bea")
    broadcast = to_chosen(ann)
    seen = organiser.get(page_of(broadcast)).context["seen"]
    broadcasts.choose(broadcast, Registration.objects.filter(pk=bea.pk))
    page = organiser.post(page_of(broadcast), {"seen": seen, "typed": 1})
    assert "a changé entre-temps" in page.text
    assert sent_to(broadcast) == []


def test_people_of_two_webinars_are_not_written_to_at_once(organiser: Client) -> None:
    page = ticked(organiser, person(make_event(), "Ann"), person(make_event(), "Bea"))
    assert "d’un seul webinaire" in page.text
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(("fields", "event"), [({"status": "cancelled"}, {}), ({}, {"status": "draft"})])
def test_there_may_be_nobody_to_write_to(organiser: Client, fields: Any, event: Any) -> None:
    ticked(organiser, person(make_event(**event), "Ann", **fields))
    assert not Broadcast.objects.exists()


def test_a_message_begun_in_another_window_keeps_its_people(organiser: Client) -> None:
    event = make_event()
    ann, bea = person(event, "Ann"), person(event, "Bea")
    first = ticked(organiser, ann)
    assert ticked(organiser, bea).context["chosen"] == ["Petit Bea"]
    organiser.post(first.redirect_chain[-1][0], {"audience": "chosen", **WORDS})
    written = Broadcast.objects.exclude(subject="").get()
    assert [str(one) for one in written.recipients()] == ["Petit Ann"]


@pytest.mark.parametrize("page", ["", "plan/"])
def test_an_unwritten_draft_is_written_before_it_is_read_or_planned(organiser: Client, page: str) -> None:
    ticked(organiser, person(make_event(), "Ann"))
    broadcast = Broadcast.objects.get()
    assert organiser.get(page_of(broadcast, page), follow=True).redirect_chain[-1][0] == page_of(broadcast, "correct/")


def test_the_page_of_a_person_leads_to_a_message_to_them(organiser: Client) -> None:
    event = make_event()
    ann = person(event, "Ann")
    person(event, "Bea")
    address = f"{path(event)}?to={ann.pk}"
    assert f'href="{address}"' in organiser.get(f"{PEOPLE}{ann.pk}/change/").text
    assert organiser.get(address).context["chosen"] == ["Petit Ann"]
    assert not Broadcast.objects.exists()
    organiser.post(address, {"audience": "chosen", **WORDS})
    assert [str(one) for one in Broadcast.objects.get().recipients()] == ["Petit Ann"]


def test_whoever_is_no_longer_listed_is_not_chosen_by_an_address(organiser: Client) -> None:
    event = make_event()
    gone, other = person(event, "Ann", status="cancelled"), person(make_event(), "Bea")
    person(event, "Zoe")
    for one in [gone, other]:
        assert organiser.get(f"{path(event)}?to={one.pk}").context["chosen"] == []
    assert f"?to={gone.pk}" not in organiser.get(f"{PEOPLE}{gone.pk}/change/").text


def test_chosen_people_and_others_receive_it_once(organiser: Client) -> None:
    event = make_event()
    ann, bea = person(event, "Ann"), person(event, "Bea", status="waitlisted")
    broadcast = to_chosen(ann, bea, audience="seated,chosen")
    confirm(organiser, broadcast, 2)
    assert sent_to(broadcast) == ["ann@example.org", "bea@example.org"]


def test_a_chosen_person_who_waits_has_no_link_to_the_room(organiser: Client) -> None:
    broadcast = to_chosen(person(make_event(), "Ann", status="waitlisted"))
    sent = {**TYPED, "audience": "chosen"}
    assert list(organiser.post(page_of(broadcast, "correct/"), sent).context["form"].errors) == ["body"]


def test_a_message_from_an_earlier_one_is_for_the_same_people_still_listed(organiser: Client) -> None:
    event = make_event()
    ann, bea = person(event, "Ann"), person(event, "Bea")
    again = broadcasts.write_again(to_chosen(ann, bea), account=1)
    assert set(again.recipients()) == {ann, bea}


def test_a_planned_message_leaves_for_the_chosen_people_of_that_hour() -> None:
    event = make_event()
    ann, bea = person(event, "Ann"), person(event, "Bea")
    broadcast = to_chosen(ann, bea)
    broadcasts.plan(broadcast, at=timezone.now() + timedelta(hours=1))
    Registration.objects.filter(pk=bea.pk).update(status="cancelled")
    Broadcast.objects.update(planned_at=timezone.now())
    broadcasts.send_planned()
    assert sent_to(broadcast) == ["ann@example.org"]


# Those who gave an answer


def with_answers() -> tuple[Event, Any, Any]:
    event = make_event()
    one = make_question(event, label="Vous venez ?", kind="one", choices="Sur place\nÀ distance, « chez moi »")
    several = make_question(event, label="Thèmes", kind="several", choices="Sport\nCulture")
    person(event, "Ann", own_answers={one.key: "Sur place", several.key: ["Sport", "Culture"]})
    person(event, "Bea", own_answers={one.key: "À distance, « chez moi »", several.key: ["Culture"]})
    person(event, "Lea", own_answers={several.key: ["Culture"]}, status="waitlisted")
    person(event, "Zoe", own_answers={one.key: "Sur place"}, status="cancelled")
    return event, one, several


def names(event: Event, question: Any, answer: str) -> list[str]:
    fields = {"audience": "answered", "answered_question": question, "answer": answer}
    return sorted(one.first_name for one in make_broadcast(event, **fields).recipients())


def test_those_who_gave_an_answer_are_found_by_one_choice_and_by_several() -> None:
    event, one, several = with_answers()
    assert names(event, one, "Sur place") == ["Ann"]
    assert names(event, one, "À distance, « chez moi »") == ["Bea"]
    assert names(event, several, "Culture") == ["Ann", "Bea", "Lea"]
    assert names(event, several, "Cult") == []
    assert names(event, None, "Culture") == []


def test_those_who_answered_yes_are_found() -> None:
    event = make_event()
    question = make_question(event, kind="yes_no")
    person(event, "Ann", own_answers={question.key: "yes"})
    person(event, "Bea", own_answers={question.key: "no"})
    assert (names(event, question, "yes"), names(event, question, "no")) == (["Ann"], ["Bea"])


def test_the_form_offers_each_answer_with_the_number_of_people(organiser: Client) -> None:
    event, one, several = with_answers()
    offered = organiser.get(path(event)).context["form"].fields["answer"].choices
    assert offered[1:] == [
        (
            "Vous venez ?",
            [
                (f"{one.pk}:Sur place", "Sur place (1)"),
                (f"{one.pk}:À distance, « chez moi »", "À distance, « chez moi » (1)"),
            ],
        ),
        ("Thèmes", [(f"{several.pk}:Sport", "Sport (1)"), (f"{several.pk}:Culture", "Culture (3)")]),
    ]


def test_an_event_without_choices_offers_no_answer(organiser: Client) -> None:
    event = with_people()
    make_question(event, kind="text")
    form = organiser.get(path(event)).context["form"]
    assert "answer" not in form.fields
    assert "answered" not in dict(form.fields["audience"].choices)


def test_a_message_to_those_who_answered_is_written_read_and_sent(organiser: Client) -> None:
    event, _one, several = with_answers()
    organiser.post(path(event), {"audience": "answered", "answer": f"{several.pk}:Culture", **WORDS})
    broadcast = Broadcast.objects.get()
    ((_label, audience),) = organiser.get(page_of(broadcast)).context["facts"]
    assert audience.replace("\u00a0", " ") == "Les personnes qui ont répondu « Culture » à « Thèmes »"
    confirm(organiser, broadcast, 3)
    assert sent_to(broadcast) == ["ann@example.org", "bea@example.org", "lea@example.org"]
    again = broadcasts.write_again(broadcast, account=1)
    form = organiser.get(page_of(again, "correct/")).context["form"]
    assert (form.initial["audience"], form.initial["answer"]) == (["answered"], f"{several.pk}:Culture")


def test_the_room_s_link_is_refused_when_somebody_who_answered_waits_for_a_seat(organiser: Client) -> None:
    event, one, _several = with_answers()
    person(event, "Wim", status="waitlisted", own_answers={one.key: "Sur place"})
    typed = {"audience": "answered", "answer": f"{one.pk}:Sur place", **WORDS, "body": "Voici {lien}"}
    assert "body" in organiser.post(path(event), typed).context["form"].errors


@pytest.mark.parametrize(("audience", "answer"), [("answered", ""), ("seated", "Sport")])
def test_an_answer_is_chosen_and_ticked_or_neither(organiser: Client, audience: str, answer: str) -> None:
    event, _one, several = with_answers()
    sent = {"audience": audience, "answer": answer and f"{several.pk}:{answer}", **WORDS}
    assert list(organiser.post(path(event), sent).context["form"].errors) == ["answer"]


def test_an_answer_that_is_no_longer_offered_stays_in_the_draft(organiser: Client) -> None:
    event, one, _several = with_answers()
    broadcast = make_broadcast(event, audience="answered", answered_question=one, answer="Ailleurs", **WORDS)
    sent = {"audience": "answered", "answer": f"{one.pk}:Ailleurs", **WORDS}
    assert organiser.post(page_of(broadcast, "correct/"), sent).status_code == 302


def test_who_answers_before_a_planned_message_leaves_receives_it() -> None:
    event, one, _several = with_answers()
    broadcast = make_broadcast(event, audience="answered", answered_question=one, answer="Sur place", **WORDS)
    broadcasts.plan(broadcast, at=timezone.now() + timedelta(hours=1))
    person(event, "Tard", own_answers={one.key: "Sur place"})
    Broadcast.objects.update(planned_at=timezone.now())
    broadcasts.send_planned()
    assert sent_to(broadcast) == ["ann@example.org", "tard@example.org"]


def test_a_question_that_is_deleted_leaves_its_message_for_nobody() -> None:
    event, one, _several = with_answers()
    broadcast = make_broadcast(event, audience="answered", answered_question=one, answer="Sur place", **WORDS)
    one.delete()
    broadcast.refresh_from_db()
    assert list(broadcast.recipients()) == []
