"""A message that does not reach everyone: its draft thrown away, what remains of it stopped, a second press."""

from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from registrations.domain import broadcasts
from registrations.mailing import outbox
from registrations.models import AuditEntry, Broadcast, Delivery
from tests.admin_client import logged_in, messages
from tests.domain.broadcasts import confirm, let_pass, make_broadcast, page_of, path, with_people
from tests.factories import make_event, make_registration
from tests.threads import together

pytestmark = pytest.mark.django_db


def under_way(people: int = 3, *, left: int = 1) -> Broadcast:
    """Confirmed, past its two minutes, and partly gone."""
    event = make_event()
    for _person in range(people):
        make_registration(event)
    broadcast = make_broadcast(event)
    broadcasts.send(broadcast, count=people)
    let_pass(broadcast)
    gone = broadcast.deliveries.order_by("pk")[:left].values("pk")
    broadcast.deliveries.filter(pk__in=list(gone.values_list("pk", flat=True))).update(state="sent")
    broadcast.refresh_from_db()
    return broadcast


# A draft


def test_a_draft_is_deleted_after_a_question_with_its_trials(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    broadcasts.try_out(broadcast, recipient="equipe@example.org")
    question = organiser.get(page_of(broadcast, "delete/"))
    assert "Supprimer le brouillon" in question.text
    assert Broadcast.objects.exists()
    page = organiser.post(page_of(broadcast, "delete/"), {"confirmed": "yes"}, follow=True)
    assert messages(page) == ["Le brouillon est supprimé."]
    assert (Broadcast.objects.count(), Delivery.objects.count()) == (0, 0)
    assert LogEntry.objects.get().object_id == str(broadcast.event.pk)


def test_what_was_confirmed_is_never_deleted(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    confirm(organiser, broadcast, 2)
    page = organiser.post(page_of(broadcast, "delete/"), {"confirmed": "yes"}, follow=True)
    assert messages(page) == ["Ce message a été confirmé_: il reste, avec ce qu’il est devenu."]
    assert not broadcasts.discard(broadcast)
    assert Broadcast.objects.get().deliveries.count() == 2


def test_deleting_needs_the_permission_to_write() -> None:
    broadcast = make_broadcast()
    assert logged_in("change_event").post(page_of(broadcast, "delete/")).status_code == 403


# What remains


def test_what_remains_is_stopped_after_a_question_that_counts(organiser: Client) -> None:
    broadcast = under_way(3, left=1)
    assert organiser.get(page_of(broadcast)).context["waiting"] == 2
    question = organiser.post(page_of(broadcast), {"stop": "yes"})
    assert question.context["button"] == "Arrêter 2 courriels"
    assert question.context["sentences"][0] == "1 courriel est déjà parti."
    page = organiser.post(page_of(broadcast), dict(question.context["hidden"]), follow=True)
    assert messages(page) == ["Arrêté_: 2 courriels ne partent pas."]
    assert "Ce message a été arrêté" in page.text
    assert page.context["waiting"] == 0
    found = broadcast.deliveries.order_by("pk").values_list("state", "error")
    stopped = ("cancelled", "l’équipe a arrêté ce message")
    assert list(found) == [("sent", ""), stopped, stopped]
    assert AuditEntry.objects.filter(detail__act="stop", detail__count=2).exists()


def test_a_mail_that_a_worker_holds_when_the_message_is_stopped_is_not_tried_again() -> None:
    broadcast = under_way(2, left=0)
    held = broadcast.deliveries.order_by("pk")[0]
    broadcast.deliveries.filter(pk=held.pk).update(state="sending", lease="x")
    assert broadcasts.stop(broadcast) == 1
    broadcast.deliveries.filter(pk=held.pk).update(state="pending", lease="")
    outbox.drain()
    held.refresh_from_db()
    assert (held.state, held.error) == ("cancelled", "l’équipe a arrêté ce message")


def test_there_is_nothing_to_stop_before_or_after(organiser: Client) -> None:
    fresh = make_broadcast(with_people())
    assert broadcasts.stop(fresh) is None
    broadcasts.send(fresh, count=2)
    assert broadcasts.stop(fresh) is None  # it can be taken back
    assert "Arrêter ce qui reste" not in organiser.get(page_of(fresh)).text
    gone = under_way(1, left=1)
    sent: dict[str, Any] = {"stop": "yes", "confirmed": "yes"}
    assert messages(organiser.post(page_of(gone), sent, follow=True)) == ["Il n’y avait plus rien à arrêter."]
    gone.refresh_from_db()
    assert gone.state == "confirmed"


# What lists show


def test_a_subject_is_read_filled_in_wherever_it_is_listed(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    assert "Avant Faire vivre un réseau" in organiser.get(path(broadcast.event, "timeline")).text
    confirm(organiser, broadcast, 2)
    assert organiser.get(page_of(broadcast)).context["title"].startswith("Avant Faire vivre")


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_a_button_pressed_twice_at_the_same_moment_makes_one_set_of_mails() -> None:
    first = logged_in()
    second = Client()
    second.force_login(User.objects.get())
    broadcast = make_broadcast(with_people())
    typed = {"seen": first.get(page_of(broadcast)).context["seen"], "typed": 2}
    assert together([partial(client.post, page_of(broadcast), typed) for client in (first, second)]) == []
    found = broadcast.deliveries.values_list("registration__email", "revision")
    assert sorted(found) == [("ann@example.org", 0), ("zoe@example.org", 0)]
    assert AuditEntry.objects.filter(action="bulk_mail").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_stop_at_the_same_moment_count_each_mail_once() -> None:
    broadcast = under_way(3, left=1)
    counts: list[int | None] = []
    assert together([lambda: counts.append(broadcasts.stop(broadcast))] * 2) == []
    assert sorted(counts, key=str) == [2, None]
