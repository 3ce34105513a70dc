"""The words of a message: placeholders, Markdown, and what each mail says about itself."""

import re

import pytest
from django.test import Client
from django.utils import translation

from registrations.mailing import placeholders
from registrations.models import Broadcast
from tests import mailbox
from tests.domain.broadcasts import (
    TYPED,
    composed,
    make_broadcast,
    path,
    with_people,
)
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db


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
        "<a href='http://evil.example' style='position:fixed'>x</a>",
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


def test_the_date_of_a_postponed_event_is_not_told() -> None:
    registration = make_registration(make_event(status="postponed"))
    text = mailbox.text(composed(make_broadcast(registration.event, body="{date}"), registration))
    assert text.startswith("(nouvelle date pas encore connue)\n")


def test_who_has_no_seat_is_given_the_events_page_in_place_of_the_link() -> None:
    registration = make_registration(status="waitlisted")
    text = mailbox.text(composed(make_broadcast(registration.event), registration))
    assert registration.public_url in text
    assert registration.join_code not in text
