"""Writing to the registrants: to whom, read before it is sent, what became of it, and who may."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.domain import attendance, broadcasts
from registrations.mailing import outbox
from registrations.models import Attendance, Broadcast, Delivery
from registrations.security import second_factor
from tests import mailbox
from tests.admin_client import logged_in, messages
from tests.domain.broadcasts import TYPED, confirm, let_pass, make_broadcast, page_of, path, sent_to, with_people
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db


# To whom


def test_the_events_page_leads_to_the_message_and_to_earlier_ones(organiser: Client) -> None:
    event = with_people()
    broadcast = make_broadcast(event)
    page = organiser.get(path(event, "timeline"))
    assert f'href="{path(event)}"' in page.text
    assert f'href="{page_of(broadcast)}"' in page.text


@pytest.mark.parametrize("fields", [{"status": "draft"}, {}])
def test_nothing_is_offered_for_a_draft_or_an_empty_list(organiser: Client, fields: dict[str, Any]) -> None:
    event = make_event(**fields)
    if fields:
        make_registration(event)
    assert not organiser.get(path(event, "timeline")).context["may_write"]
    assert organiser.get(path(event)).status_code == 302


def test_whoever_chooses_nobody_writes_to_nobody(organiser: Client) -> None:
    page = organiser.post(path(with_people()), {**TYPED, "audience": ""})
    assert list(page.context["form"].errors) == ["audience"]
    assert "checked" not in page.text
    assert not Broadcast.objects.exists()
    assert list(Broadcast(event=make_event()).recipients()) == []


def test_each_audience_is_those_it_names() -> None:
    event = make_past_event()
    before = {"created_at": event.starts_at - timedelta(days=1)}
    attended = make_registration(event, **before)
    away = make_registration(event, **before)
    late = make_registration(event)  # signed up for the documents, after the end
    line = make_registration(event, status="waitlisted", **before)
    make_registration(event, status="cancelled", **before)
    make_registration()
    attendance.note(attended, Attendance.Origin.JOIN)
    attendance.note(attended, Attendance.Origin.HAND)
    found = {
        audience: list(make_broadcast(event, audience=audience).recipients().order_by("pk"))
        for audience in Broadcast.Audience.values
    }
    named = {"seated": [attended, away, late], "present": [attended], "absent": [away], "waiting": [line]}
    assert found == {**named, "chosen": [], "answered": []}


def test_filters_make_the_audience_smaller() -> None:
    event = make_event()
    make_registration(event, territory="Val-d’Oise (95)", newsletter=True)
    near = make_registration(event, territory="Yvelines (78)")
    both = make_registration(event, territory="Yvelines (78)", newsletter=True)
    broadcast = make_broadcast(event, territory="Yvelines (78)")
    assert list(broadcast.recipients().order_by("pk")) == [near, both]
    broadcast.newsletter_only = True
    assert list(broadcast.recipients()) == [both]


def test_nobody_is_offered_as_present_before_the_start_or_absent_before_the_end(organiser: Client) -> None:
    offered = {}
    for name, event in {
        "before": make_event(),
        "during": make_event(starts_in=timedelta(minutes=-5)),
        "after": make_past_event(),
        "cancelled": make_past_event(status="cancelled"),
    }.items():
        make_registration(event)
        choices = organiser.get(path(event)).context["form"].fields["audience"].choices
        offered[name] = [value for value, _label in choices]
    assert offered == {
        "before": ["seated", "waiting"],
        "during": ["seated", "present", "waiting"],
        "after": ["seated", "present", "absent", "waiting"],
        "cancelled": ["seated", "waiting"],
    }


# Read it first


def test_what_is_typed_is_kept_as_a_draft_and_sent_to_nobody(organiser: Client) -> None:
    event = with_people()
    answer = organiser.post(path(event), TYPED)
    broadcast = Broadcast.objects.get()
    assert answer["Location"] == page_of(broadcast)
    assert (broadcast.state, broadcast.audience, broadcast.subject) == ("draft", "seated", "Avant {titre}")
    assert not Delivery.objects.exists()


def test_the_second_page_shows_the_message_to_real_recipients_of_each_language_without_their_keys(
    organiser: Client,
) -> None:
    event = with_people()
    page = organiser.get(page_of(make_broadcast(event)))
    letters = page.context["letters"]
    assert [letter.person.first_name for letter in letters] == ["Zoë", "Ann"]
    assert "Bonjour Zoë," in letters[0].text
    assert "The Le Pôle ressources team" in letters[1].text
    shown = page.text + "".join(organiser.get(letter.address).text for letter in letters)
    keys = [code for one in event.registrations.all() for code in (one.join_code, one.manage_code)]
    assert [key for key in keys if key in shown] == []
    assert "Écrire à 2 personnes" in page.text


def test_the_html_stands_in_a_frame_that_may_do_nothing(organiser: Client) -> None:
    page = organiser.get(page_of(make_broadcast(with_people())))
    frame = organiser.get(page.context["letters"][0].address)
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert '<iframe class="frame" sandbox src' in page.text
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert frame["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
    )


def test_only_recipients_can_be_looked_at(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    elsewhere = make_registration()
    assert organiser.get(page_of(broadcast, f"letter/{elsewhere.pk}/")).status_code == 404


def test_a_draft_can_be_corrected_and_a_confirmed_message_cannot(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    organiser.post(page_of(broadcast, "correct/"), {**TYPED, "subject": "Autre"})
    broadcast.refresh_from_db()
    assert broadcast.subject == "Autre"
    broadcasts.send(broadcast, count=2)
    organiser.post(page_of(broadcast, "correct/"), {**TYPED, "subject": "Encore autre"})
    broadcast.refresh_from_db()
    assert broadcast.subject == "Autre"


def test_a_trial_goes_to_who_writes_with_nobodys_name_and_nobodys_links(
    organiser: Client, outbox_folder: Path
) -> None:
    event = with_people()
    broadcast = make_broadcast(event)
    page = organiser.post(page_of(broadcast), {"trial": "1"}, follow=True)
    assert messages(page) == ["Un essai est en route vers contact@example.org."]
    outbox.drain()
    [message] = mailbox.read_folder(outbox_folder)
    everything = message["Subject"] + mailbox.text(message) + mailbox.html(message)
    assert message["To"] == "contact@example.org"
    assert message["Subject"].startswith("[Essai] Avant ")
    assert "Bonjour (prénom)," in mailbox.text(message)
    people = event.registrations.all()
    personal = [value for one in people for value in (one.join_code, one.manage_code, one.last_name, one.email)]
    assert [value for value in personal if value in everything] == []
    assert "/rejoindre/" not in everything
    assert "/mon-inscription/" not in everything
    assert "List-Unsubscribe" not in message
    assert sent_to(broadcast) == []


# What became of it


def test_progress_counts_each_outcome_and_names_who_has_not_received_it(organiser: Client) -> None:
    broadcast = make_broadcast(event := make_event())
    people = [make_registration(event) for _ in range(4)]
    broadcasts.send(broadcast, count=4)
    let_pass(broadcast)
    for person, fields in zip(
        people,
        [
            {"state": "sent"},
            {"state": "sent", "provider_status": "bounced"},
            {"state": "failed", "error": "550 inconnu"},
            {"state": "cancelled", "error": "annulée"},
        ],
        strict=True,
    ):
        broadcast.deliveries.filter(registration=person).update(**fields)
    page = organiser.get(page_of(broadcast))
    assert [figure.number for figure in page.context["figures"]] == [0, 2, 1, 1, 1]
    assert [delivery.error for delivery in page.context["not_sent"]] == ["550 inconnu", "annulée"]
    for figure in page.context["figures"]:
        found = organiser.get(figure.address)
        assert (found.status_code, found.context["cl"].result_count) == (200, figure.number)


def test_each_page_and_the_act_ask_as_much_for_many_as_for_few(organiser: Client) -> None:
    def asked(people: int) -> list[int]:
        event = make_event()
        for number in range(people):
            make_registration(event, language="en" if number % 2 else "fr", territory="Yvelines (78)")
        broadcast = make_broadcast(event)
        counts = []
        for act in (
            lambda: organiser.get(path(event)),
            lambda: organiser.get(page_of(broadcast)),
            lambda: broadcasts.send(broadcast, count=people),
            lambda: organiser.get(page_of(broadcast)),
            lambda: broadcasts.take_back(broadcast),
            lambda: organiser.get(page_of(broadcast)),
        ):
            with CaptureQueriesContext(connection) as captured:
                act()
            counts.append(len(captured))
        return counts

    asked(3)
    assert asked(40) == asked(4)


# Who may


def test_it_needs_a_permission_of_its_own() -> None:
    broadcast = make_broadcast(with_people())
    client = logged_in("view_event", "change_event", "view_registration", "change_registration")
    person = broadcast.recipients()[0]
    pages = [path(broadcast.event), page_of(broadcast), page_of(broadcast, "correct/")]
    for page in [*pages, page_of(broadcast, f"letter/{person.pk}/")]:
        assert (client.get(page).status_code, client.post(page).status_code) == (403, 403)
    assert "written" not in client.get(path(broadcast.event, "change")).context


def test_the_permission_is_enough() -> None:
    client = logged_in("view_event", "write_to_registrants")
    event = with_people()
    assert client.get(path(event)).status_code == 200
    client.post(path(event), TYPED)
    broadcast = Broadcast.objects.get()
    page = confirm(client, broadcast, 2)
    assert len(sent_to(broadcast)) == 2
    assert {figure.address for figure in page.context["figures"]} == {""}


def test_a_password_typed_long_ago_is_asked_again_before_sending_and_not_before_taking_back(
    organiser: Client,
) -> None:
    broadcast = make_broadcast(with_people())
    seen = organiser.get(page_of(broadcast)).context["seen"]
    session = organiser.session
    session[second_factor.PASSWORD_AT] = time.time() - 2 * 3600
    session.save()
    answer = organiser.post(page_of(broadcast), {"seen": seen, "typed": 2})
    assert answer["Location"].startswith("/admin/confirm/?next=")
    assert sent_to(broadcast) == []
    broadcasts.send(broadcast, count=2)
    organiser.post(page_of(broadcast), {"take_back": "1"})
    broadcast.refresh_from_db()
    assert broadcast.is_taken_back


def test_a_message_that_was_taken_back_is_corrected_and_sent_again(organiser: Client) -> None:
    broadcast = make_broadcast(with_people(), subject="Une coquile")
    broadcasts.send(broadcast, count=2)
    broadcasts.take_back(broadcast)
    assert 'name="write_again" value="Le corriger et l’envoyer à nouveau…"' in organiser.get(page_of(broadcast)).text
    page = organiser.post(page_of(broadcast), {"write_again": "1"}, follow=True)
    draft = Broadcast.objects.latest("pk")
    assert page.redirect_chain[-1][0] == page_of(draft, "correct/")
    assert page.context["form"]["subject"].value() == "Une coquile"
    organiser.post(page_of(draft, "correct/"), {**TYPED, "subject": "Une coquille"})
    draft.refresh_from_db()
    assert broadcasts.send(draft, count=2)
    assert len(sent_to(draft)) == 2
    broadcast.refresh_from_db()
    assert broadcast.is_taken_back


def test_a_message_on_its_way_is_not_written_again(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    broadcasts.send(broadcast, count=2)
    organiser.post(page_of(broadcast), {"write_again": "1"})
    assert Broadcast.objects.count() == 1
