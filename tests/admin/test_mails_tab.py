"""The mails of an event on one page: those that need somebody, the next ones, messages, automatic ones by moment."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registrations.domain import broadcasts, event_changes
from registrations.mailing import reminders
from registrations.models import Delivery, Event, Registration
from registrations.models.mail_kinds import KINDS, Kind, by_moment
from tests.admin_client import EVENTS, MAILS, logged_in
from tests.domain.broadcasts import make_broadcast
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


def tab(event: Event, client: Client | None = None) -> Any:
    return (client or logged_in()).get(f"{EVENTS}{event.pk}/timeline/")


def failed(registration: Registration, kind: str = "confirmation", **fields: Any) -> Delivery:
    mail = Delivery.objects.enqueue(registration, Kind(kind))
    told = {"state": "failed", "error": "cette adresse n’existe pas", "sent_to": registration.email, **fields}
    Delivery.objects.filter(pk=mail.pk).update(**told)
    mail.refresh_from_db()
    return mail


def test_mails_that_need_somebody_come_first_with_the_reason_and_what_can_be_done() -> None:
    event = make_event()
    ann = make_registration(event, first_name="Ann", last_name="Petit", email="ann@example.org")
    mail = failed(ann)
    failed(make_registration(make_event()))
    page = tab(event)
    (card,) = page.context["cards"]
    assert (card.mail, card.may_correct, card.may_send, page.context["to_see"]) == (mail, True, True, 1)
    for words in ["Petit Ann", "Non remis", "cette adresse n’existe pas", "Corriger et renvoyer", "Marquer comme vu"]:
        assert words in page.text


def test_a_returned_mail_and_one_that_cannot_be_composed_stand_there_too() -> None:
    event = make_event()
    failed(make_registration(event), state="sent", error="", provider_status="bounced")
    failed(make_registration(event), state="broken")
    assert [(str(card.badge.words), card.may_send) for card in tab(event).context["cards"]] == [
        ("Impossible à composer", False),
        ("Revenu", True),
    ]


def test_more_than_six_are_counted_and_lead_to_the_list() -> None:
    event = make_event()
    for _number in range(8):
        failed(make_registration(event))
    page = tab(event)
    assert (len(page.context["cards"]), page.context["to_see"]) == (6, 8)
    assert f"{MAILS}?event__id__exact={event.pk}&amp;look=all" in page.text


def test_nothing_to_see_is_said() -> None:
    assert "Aucun courriel à voir" in tab(make_event()).text


def test_a_corrected_address_gets_the_link_and_the_mail_is_no_longer_to_see() -> None:
    event, client = make_event(), logged_in()
    ann = make_registration(event, email="ann@exemple.invalid")
    mail = failed(ann)
    page = client.post(f"{MAILS}{mail.pk}/correct/", {"email": "ann@example.org"}, follow=True)
    ann.refresh_from_db()
    assert (ann.email, page.context["to_see"]) == ("ann@example.org", 0)
    assert ann.deliveries.pending().get(kind="confirmation").reason == "corrected"


def test_a_message_that_failed_is_sent_to_the_corrected_address_too() -> None:
    event, client = make_event(), logged_in()
    ann = make_registration(event, email="ann@exemple.invalid")
    mail = failed(ann, "updated")
    client.post(f"{MAILS}{mail.pk}/correct/", {"email": "ann@example.org"})
    assert set(ann.deliveries.pending().values_list("kind", flat=True)) == {"confirmation", "updated"}


def test_the_address_of_somebody_else_is_refused_beside_the_field() -> None:
    event, client = make_event(), logged_in()
    mail = failed(make_registration(event))
    make_registration(event, email="prise@example.org")
    page = client.post(f"{MAILS}{mail.pk}/correct/", {"email": "PRISE@example.org"})
    assert list(page.context["form"].errors) == ["email"]


def test_who_has_left_the_list_has_no_address_to_correct() -> None:
    event, client = make_event(), logged_in()
    mail = failed(make_registration(event, status="cancelled"), "withdrawn")
    assert not tab(event, client).context["cards"][0].may_correct
    page = client.post(f"{MAILS}{mail.pk}/correct/", {"email": "ann@example.org"}, follow=True)
    assert "pas d’adresse à corriger" in page.text


@pytest.mark.parametrize(("act", "state"), [("again", "pending"), ("seen", "failed")])
def test_a_mail_is_tried_again_or_marked_as_seen(act: str, state: str) -> None:
    event, client = make_event(), logged_in()
    mail = failed(make_registration(event))
    assert client.get(f"{MAILS}{mail.pk}/{act}/").status_code == 405
    page = client.post(f"{MAILS}{mail.pk}/{act}/", follow=True)
    mail.refresh_from_db()
    assert (mail.state, page.context["to_see"]) == (state, 0)


def test_who_may_only_look_is_offered_no_act() -> None:
    event = make_event()
    mail = failed(make_registration(event))
    client = logged_in("view_event", "view_delivery")
    page = tab(event, client)
    assert (page.context["cards"][0].may_correct, page.context["cards"][0].may_send) == (False, False)
    assert "Écrire un message" not in page.text
    assert "/words/" not in page.text
    assert client.post(f"{MAILS}{mail.pk}/seen/").status_code == 403


def test_planned_messages_stand_among_the_mails_to_come_in_the_order_of_time() -> None:
    event = make_event(reminder_minutes_before=60)
    make_registration(event)
    reminders.schedule(event)
    broadcast = make_broadcast(event, subject="Le programme")
    broadcasts.plan(broadcast, at=event.starts_at - timedelta(minutes=90))
    to_come = [str(getattr(one, "subject", "") or one.kind) for one in tab(event).context["next"]]
    assert to_come == ["reminder_day", "Le programme", "reminder_hour"]


def test_a_planned_message_stays_in_sight_behind_many_drafts() -> None:
    event = make_event()
    make_registration(event)
    broadcasts.plan(make_broadcast(event, subject="Le programme"), at=event.starts_at - timedelta(minutes=90))
    for _ in range(12):
        make_broadcast(event, subject="Brouillon")
    assert "Le programme" in [str(getattr(one, "subject", "")) for one in tab(event).context["next"]]


def test_drafts_and_messages_sent_stand_apart_with_their_author_and_another_use() -> None:
    event = make_event()
    make_registration(event)
    client = logged_in()
    account = int(client.session["_auth_user_id"])
    draft = make_broadcast(event, subject="Brouillon de mardi", created_by=account)
    sent = make_broadcast(event, subject="Une salle plus grande", created_by=account)
    broadcasts.send(sent, count=1)
    page = tab(event, client)
    assert [one.broadcast for one in page.context["messages_written"]] == [sent, draft]
    assert f"{EVENTS}{event.pk}/write/?from={sent.pk}" in page.text
    assert f"?from={draft.pk}" not in page.text
    assert "par equipe" in page.text


def test_the_automatic_mails_stand_by_moment_with_their_numbers() -> None:
    event = make_event(follow_up_hours_after=None)
    first, second = make_registration(event), make_registration(event)
    failed(first)
    failed(second, state="sent", error="", sent_at=timezone.now())
    groups = {moment.value: kinds for moment, kinds in tab(event).context["groups"]}
    assert list(groups) == ["sign_up", "before", "day", "after", "change", "registration"]
    assert groups["sign_up"][0].figures == ["1 envoyé", "1 non remis"]
    assert groups["after"][0].line.send_at is None


def test_every_kind_stands_in_one_moment() -> None:
    assert sorted(kind for _moment, kinds in by_moment() for kind in kinds) == sorted(KINDS)


def test_the_list_of_mails_groups_its_filter_by_moment() -> None:
    page = logged_in().get(f"{MAILS}?kind__exact=follow_up")
    moments = [
        page.text.index(words) for words in ("À l’inscription", "Avant la séance", "Le jour même", "À l’équipe")
    ]
    assert moments == sorted(moments)
    assert page.context["cl"].get_filters(page.wsgi_request)[0]


def test_the_previews_group_their_mails_by_moment() -> None:
    choices = logged_in().get(f"{EVENTS}{make_event().pk}/mails/").context["form"].fields["mail"].choices
    assert [str(label) for label, _mails in choices][:3] == ["À l’inscription", "Avant la séance", "Le jour même"]


def test_a_postponed_event_says_that_no_reminder_leaves() -> None:
    event = make_event()
    make_registration(event)
    event_changes.postpone(event)
    assert "reporté" in tab(event).text
