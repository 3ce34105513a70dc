"""Writing to the registrants: to whom, in what words, confirmed once, taken back in time, and true when it leaves."""

import re
import time
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from registrations.domain import attendance, broadcasts, event_changes, signup, waiting_list
from registrations.mailing import composer, outbox, placeholders, relevance
from registrations.models import Attendance, AuditEntry, Broadcast, Delivery, Event, Registration, Suppression
from registrations.models.mail_kinds import KINDS
from registrations.security import second_factor
from tests import mailbox
from tests.admin_client import EVENTS, logged_in, messages
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db

TYPED = {"audience": "seated", "subject": "Avant {titre}", "body": "Bonjour {prenom},\n\nVotre lien : {lien}"}


@pytest.fixture
def organiser() -> Client:
    return logged_in()


def path(event: Event, page: str = "write") -> str:
    return f"{EVENTS}{event.pk}/{page}/"


def page_of(broadcast: Broadcast, page: str = "") -> str:
    return path(broadcast.event, f"write/{broadcast.pk}") + page


def make_broadcast(event: Event | None = None, **fields: Any) -> Broadcast:
    return Broadcast.objects.create(**{"event": event or make_event(), "created_by": 1, **TYPED, **fields})


def with_people() -> Event:
    """Two seats, one of them in English, one person in line, and one who withdrew."""
    event = make_event()
    make_registration(event, first_name="Zoë", email="zoe@example.org")
    make_registration(event, first_name="Ann", email="ann@example.org", language="en")
    make_registration(event, status="waitlisted", email="wait@example.org")
    make_registration(event, status="cancelled", email="gone@example.org")
    return event


def confirm(organiser: Client, broadcast: Broadcast, typed: int | str, **sent: Any) -> Any:
    seen = organiser.get(page_of(broadcast)).context["seen"]
    return organiser.post(page_of(broadcast), {"seen": seen, "typed": typed, **sent}, follow=True)


def sent_to(broadcast: Broadcast) -> list[str]:
    mails = Delivery.objects.filter(broadcast=broadcast, kind="broadcast").order_by("pk")
    return [delivery.address for delivery in mails]


def let_pass(broadcast: Broadcast) -> None:
    """Two minutes later."""
    Broadcast.objects.filter(pk=broadcast.pk).update(confirmed_at=timezone.now() - timedelta(minutes=3))
    broadcast.deliveries.update(send_at=timezone.now())


def outcome(broadcast: Broadcast) -> tuple[str, str]:
    let_pass(broadcast)
    outbox.drain()
    delivery = broadcast.deliveries.get()
    return delivery.state, delivery.error


def composed(broadcast: Broadcast, registration: Registration) -> EmailMessage:
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.BROADCAST, broadcast=broadcast)
    return mailbox.read(composer.compose(delivery).message().as_bytes())


# To whom


def test_the_events_page_leads_to_the_message_and_to_earlier_ones(organiser: Client) -> None:
    event = with_people()
    broadcast = make_broadcast(event)
    page = organiser.get(path(event, "change"))
    assert f'href="{path(event)}"' in page.text
    assert f'href="{page_of(broadcast)}"' in page.text


@pytest.mark.parametrize("fields", [{"status": "draft"}, {}])
def test_nothing_is_offered_for_a_draft_or_an_empty_list(organiser: Client, fields: dict[str, Any]) -> None:
    event = make_event(**fields)
    if fields:
        make_registration(event)
    assert not organiser.get(path(event, "change")).context["may_write"]
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
    assert found == {"seated": [attended, away, late], "present": [attended], "absent": [away], "waiting": [line]}


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


# In what words


@pytest.mark.parametrize(
    "stranger",
    [
        "{event.__init__.__globals__}",
        "{prénom}",
        "{prenom!r}",
        "{0}",
        "{}",
        "{ prenom }",
        "{{ prenom }}",
        "{prenom",
        "{manage_code}",
        "{prenom.__class__}",
    ],
)
def test_what_cannot_be_filled_in_is_refused_beside_the_field_with_what_can(organiser: Client, stranger: str) -> None:
    page = organiser.post(path(with_people()), {**TYPED, "body": f"Bonjour {stranger}"})
    [sentence] = page.context["form"].errors["body"]
    assert sentence.endswith("{prenom}, {nom}, {titre}, {date}, {heure}, {lien}, {mon_inscription}.")
    assert not Broadcast.objects.exists()


def test_a_subject_holds_no_word_that_a_visitor_has_typed(organiser: Client) -> None:
    page = organiser.post(path(with_people()), {**TYPED, "subject": "Pour {prenom}"})
    assert list(page.context["form"].errors) == ["subject"]


def test_a_subject_is_one_line(organiser: Client) -> None:
    organiser.post(path(with_people()), {**TYPED, "subject": "Un\r\nBcc: x@example.org"})
    assert Broadcast.objects.get().subject == "Un Bcc: x@example.org"


def test_who_waits_is_not_promised_a_link(organiser: Client) -> None:
    page = organiser.post(path(with_people()), {**TYPED, "audience": "waiting"})
    assert list(page.context["form"].errors) == ["body"]


def test_a_value_is_never_read_again_for_placeholders() -> None:
    registration = make_registration(first_name="{mon_inscription}", last_name="{nom}")
    message = composed(make_broadcast(registration.event, body="{prenom} {nom}"), registration)
    assert mailbox.text(message).splitlines()[0] == "{mon_inscription} {nom}"


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "[ici](https://evil.example)",
        "**gras**",
        "![x](https://evil.example/x.png)",
        "<https://evil.example>",
        "# Titre",
        "1. un",
        "`code`",
        r"\*",
        "&lt;",
    ],
)
def test_a_name_is_words_and_nothing_else(name: str) -> None:
    registration = make_registration(first_name=name)
    message = composed(make_broadcast(registration.event, body="{prenom}\n\nMerci"), registration)
    html = mailbox.html(message)
    assert mailbox.text(message).startswith(f"{name}\n\nMerci")
    assert [tag for tag in ("<script", "<strong", "<img", 'evil.example"', "<h2", "<ol", "<code") if tag in html] == []


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "![x](https://evil.example/pixel.png)",
        "<a href='https://evil.example' style='position:fixed'>x</a>",
    ],
)
def test_hostile_markdown_is_dead_in_the_mail(hostile: str) -> None:
    registration = make_registration()
    html = mailbox.html(composed(make_broadcast(registration.event, body=hostile), registration))
    assert "<script" not in html
    assert "<img" not in html
    outside = [link for link in re.findall(r'href="([^"]*)"', html) if not link.startswith("https://webinaires.")]
    assert outside == []


def test_the_text_part_reads_well_and_writes_its_links_out() -> None:
    registration = make_registration()
    body = "# Avant\n\nDeux **choses** :\n\n- le [programme](https://example.org/p) ;\n- votre lien\n  {lien}\n\n"
    body += "1. un\n2. deux\n\n> Merci.\n\n---\n\n[Salle]({lien})"
    text = mailbox.text(composed(make_broadcast(registration.event, body=body), registration))
    link = registration.join_url
    assert text.replace("\u00a0", " ").startswith(
        "Avant\n\nDeux choses :\n\n- le programme <https://example.org/p> ;\n"
        f"- votre lien\n  {link}\n\n1. un\n2. deux\n\n> Merci.\n\n* * *\n\nSalle <{link}>\n"
    )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_mail_says_who_writes_why_and_where_ones_registration_is(language: str) -> None:
    registration = make_registration(make_event(title="Le réseau"), language=language, first_name="Zoë")
    message = composed(make_broadcast(registration.event), registration)
    with translation.override(language):
        day = placeholders.plain_values(registration.event)["date"]
    why = {"fr": "Ce message a été écrit par Ada Contact", "en": "This message was written by Ada Contact"}[language]
    for form in (mailbox.text(message), mailbox.html(message)):
        assert why in form
        assert registration.manage_url in form
        assert registration.join_url in form
    assert message["Subject"] == "Avant Le réseau"
    assert message["Reply-To"] == "contact@example.org"
    assert message["Content-Language"] == language
    assert day in mailbox.text(composed(make_broadcast(registration.event, body="{date}"), registration))


def test_a_message_offers_the_way_off_the_list_to_the_mail_program() -> None:
    registration = make_registration()
    message = composed(make_broadcast(registration.event), registration)
    assert message["List-Unsubscribe"].strip() == f"<{registration.manage_url}>"
    assert "List-Unsubscribe-Post" not in message


def test_the_date_of_a_postponed_event_is_not_told() -> None:
    registration = make_registration(make_event(status="postponed"))
    text = mailbox.text(composed(make_broadcast(registration.event, body="{date}"), registration))
    assert text.startswith("(nouvelle date pas encore connue)\n")


def test_who_has_no_seat_is_given_the_events_page_in_place_of_the_link() -> None:
    registration = make_registration(status="waitlisted")
    text = mailbox.text(composed(make_broadcast(registration.event), registration))
    assert registration.public_url in text
    assert registration.join_code not in text


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
    assert "The team" in letters[1].text
    shown = page.text + "".join(organiser.get(letter.address).text for letter in letters)
    keys = [code for one in event.registrations.all() for code in (one.join_code, one.manage_code)]
    assert [key for key in keys if key in shown] == []
    assert "Écrire à 2 personnes" in page.text


def test_the_html_stands_in_a_frame_that_may_do_nothing(organiser: Client) -> None:
    page = organiser.get(page_of(make_broadcast(with_people())))
    frame = organiser.get(page.context["letters"][0].address)
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert '<iframe class="admin-frame" sandbox src' in page.text
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


# Confirmed once


def test_a_wrong_number_sends_nothing(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    for typed in ("", "3", "deux"):
        page = confirm(organiser, broadcast, typed)
        assert list(page.context["form"].errors) == ["typed"]
    assert sent_to(broadcast) == []


def test_the_right_number_sends_to_each_in_two_minutes_after_everything_else(organiser: Client) -> None:
    broadcast = make_broadcast(event := with_people())
    page = confirm(organiser, broadcast, 2)
    assert sent_to(broadcast) == ["zoe@example.org", "ann@example.org"]
    send_at = [delivery.send_at - timezone.now() for delivery in broadcast.deliveries.all()]
    assert all(timedelta(seconds=100) < one <= timedelta(seconds=120) for one in send_at)
    last = max(KINDS[kind].priority for kind in Delivery.Kind if kind != "broadcast")
    assert {delivery.priority for delivery in broadcast.deliveries.all()} == {last + 1}
    assert "Retirer le message" in page.text
    entry = AuditEntry.objects.get(action="bulk_mail")
    assert (entry.about, entry.detail["count"]) == (f"registrations.broadcast {broadcast.pk}", 2)
    assert LogEntry.objects.get(object_id=event.pk).get_change_message() == "Message à 2 personnes."


def test_a_button_pressed_twice_sends_once(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    sent = {"seen": organiser.get(page_of(broadcast)).context["seen"], "typed": 2}
    organiser.post(page_of(broadcast), sent)
    page = organiser.post(page_of(broadcast), sent, follow=True)
    assert "Retirer le message" in page.text
    assert len(sent_to(broadcast)) == 2
    assert AuditEntry.objects.filter(action="bulk_mail").count() == 1


def test_a_number_that_changes_at_the_last_moment_sends_nothing() -> None:
    broadcast = make_broadcast(event := with_people())
    make_registration(event)
    with pytest.raises(broadcasts.CountChanged):
        broadcasts.send(broadcast, count=2)
    broadcast.refresh_from_db()
    assert (broadcast.state, sent_to(broadcast)) == ("draft", [])


def test_what_someone_has_changed_meanwhile_is_read_once_more(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    sent = {"seen": organiser.get(page_of(broadcast)).context["seen"], "typed": 2}
    Broadcast.objects.filter(pk=broadcast.pk).update(body="Autre chose")
    page = organiser.post(page_of(broadcast), sent)
    assert messages(page) == ["Le message ou l’événement a changé entre-temps_: relisez avant d’envoyer."]
    assert sent_to(broadcast) == []


def test_an_audience_of_nobody_has_no_button(organiser: Client) -> None:
    broadcast = make_broadcast(make_event())
    page = organiser.get(page_of(broadcast))
    assert "Personne ne correspond à ce choix" in page.text
    assert 'name="typed"' not in page.text


# Taken back


def test_within_two_minutes_one_button_drops_all_of_them_and_says_why(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    confirm(organiser, broadcast, 2)
    page = organiser.post(page_of(broadcast), {"take_back": "1"}, follow=True)
    assert messages(page) == ["Message retiré_: aucun de ces courriels ne part."]
    assert set(broadcast.deliveries.values_list("state", "error")) == {("cancelled", "l’équipe a retiré ce message")}
    assert "Retirer le message" not in page.text


def test_after_two_minutes_it_is_too_late(organiser: Client) -> None:
    broadcast = make_broadcast(with_people())
    confirm(organiser, broadcast, 2)
    let_pass(broadcast)
    page = organiser.post(page_of(broadcast), {"take_back": "1"}, follow=True)
    assert messages(page) == ["Trop tard_: les courriels sont en route."]
    assert {delivery.state for delivery in broadcast.deliveries.all()} == {"pending"}


def test_a_mail_that_a_worker_holds_when_the_message_is_taken_back_does_not_leave_later() -> None:
    broadcast = make_broadcast((registration := make_registration()).event)
    broadcasts.send(broadcast, count=1)
    broadcast.deliveries.update(state="sending")
    broadcasts.take_back(broadcast)
    delivery = Delivery.objects.get(registration=registration)
    assert relevance.obsolete_reason(delivery) == "l’équipe a retiré ce message"


# True when it leaves


def test_it_arrives(outbox_folder: Path) -> None:
    registration = make_registration(first_name="Zoë", email="zoe@example.org")
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    assert outcome(broadcast) == ("sent", "")
    [message] = mailbox.read_folder(outbox_folder)
    assert (message["To"], "Bonjour Zoë," in mailbox.text(message)) == ("zoe@example.org", True)


def test_who_registers_meanwhile_receives_nothing() -> None:
    registration = make_registration()
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    signup.welcome(make_registration(registration.event))
    assert sent_to(broadcast) == [registration.email]


def test_who_withdraws_meanwhile_receives_nothing() -> None:
    registration = make_registration()
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    signup.withdraw(registration)
    assert outcome(broadcast) == ("cancelled", "l’inscription a été annulée")


def test_who_no_longer_waits_is_not_written_to_as_someone_who_does() -> None:
    registration = make_registration(status="waitlisted")
    broadcasts.send(broadcast := make_broadcast(registration.event, audience="waiting"), count=1)
    waiting_list.promote_one(registration)
    assert outcome(broadcast) == ("cancelled", "cette personne ne fait plus partie des destinataires du message")


def test_a_mailbox_left_alone_receives_nothing() -> None:
    registration = make_registration()
    Suppression.objects.add_address(registration.email)
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    assert outcome(broadcast)[0] == "cancelled"


def test_an_address_that_does_not_work_receives_nothing() -> None:
    registration = make_registration()
    Delivery.objects.create(
        registration=registration,
        kind="confirmation",
        state="sent",
        sent_to=registration.email,
        provider_status="bounced",
    )
    broadcasts.send(broadcast := make_broadcast(registration.event), count=1)
    assert outcome(broadcast)[0] == "cancelled"


def test_a_message_about_a_cancelled_event_still_leaves() -> None:
    registration = make_registration()
    event_changes.cancel(registration.event)
    broadcasts.send(broadcast := make_broadcast(Event.objects.get()), count=1)
    assert outcome(broadcast) == ("sent", "")


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
    assert client.get(path(event, "change")).context["may_write"]
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
