"""An organiser's own words in automatic mails: over the site's, while the facts stay, at no cost to other events."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registrations.domain import duplication, mail_texts
from registrations.mailing import composer, outbox, own_words
from registrations.models import Delivery, Event, MailText, Registration
from registrations.models.mail_kinds import OWN_WORDS, Condition, Kind
from tests import mailbox
from tests.factories import make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db
OWN = {
    "subject": "À bientôt : {titre}",
    "opening": "Merci **{prenom}** !",
    "closing": "Guillaume,\n[programme](https://example.org/p)",
}


def write(event: Event, kind: Kind = Kind.CONFIRMATION, language: str = "fr", **words: str) -> MailText:
    return MailText.objects.create(event=event, kind=kind, language=language, **(words or OWN))


def a_mail(registration: Registration, kind: Kind = Kind.CONFIRMATION, reason: str = "new") -> Any:
    delivery = Delivery.objects.enqueue(registration, kind, reason=reason)
    return mailbox.read(composer.compose(delivery).message().as_bytes())


def forms(mail: Any) -> list[str]:
    return [mailbox.text(mail), mailbox.html(mail)]


def test_a_confirmation_opens_and_closes_as_the_organiser_wrote() -> None:
    event = make_event(report=False, title="Le réseau")
    write(event)
    mail = a_mail(make_registration(event, first_name="Awa"))
    text, html = forms(mail)
    assert mail["Subject"] == "À bientôt : Le réseau"
    assert "Bonjour Awa,\n\nMerci Awa" in text.replace("\r", "")
    assert "Merci <strong>Awa</strong>" in html
    assert "programme <https://example.org/p>" in text
    assert 'href="https://example.org/p"' in html
    assert "L’équipe du Pôle ressources" not in text + html
    assert "voici tout ce qu’il vous faut" not in text + html


def test_the_lines_of_a_closing_stay_lines() -> None:
    event = make_event(report=False)
    write(event, closing="À bientôt,\nGuillaume\n\n- un\n- deux")
    text, html = forms(a_mail(make_registration(event)))
    assert "À bientôt,\nGuillaume\n\n- un\n- deux\n" in text.replace("\r", "")
    assert re.search(r"À bientôt,<br>\s*Guillaume</p>", html)


def test_the_facts_stay_whatever_is_written() -> None:
    event = make_event(report=False, title="Le réseau")
    write(event, subject="x", opening="x", closing="x")
    registration = make_registration(event)
    for form in forms(a_mail(registration)):
        for fact in (registration.join_url, registration.manage_url, "Le réseau", "La salle ouvre à", "Ada Contact"):
            assert fact in form
        assert "Votre inscription est confirmée" in form


@pytest.mark.parametrize("kind", OWN_WORDS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_kind_with_own_words_has_them_in_text_and_html(kind: Kind, language: str) -> None:
    declared = OWN_WORDS[kind]
    event = make_past_event(report=False) if kind == Kind.FOLLOW_UP else make_event(report=False)
    write(event, kind, language, opening="Mon ouverture", closing="Ma clôture", subject="Mon objet {date}")
    mail = a_mail(make_registration(event, language=language), kind, (*declared.subject_reasons, "moved")[0])
    for form in forms(mail):
        assert ("Mon ouverture" in form, "Ma clôture" in form) == (declared.has_opening, True)
    assert mail["Subject"].startswith("Mon objet ") == bool(declared.subject_reasons)


def test_what_one_language_lacks_is_the_sites() -> None:
    event = make_event(report=False)
    write(event)
    mail = a_mail(make_registration(event, language="en"))
    assert mail["Subject"].startswith("Registration confirmed")
    assert "The Le Pôle ressources team" in mailbox.text(mail)


def test_an_empty_field_leaves_the_words_of_the_site() -> None:
    event = make_event(report=False)
    write(event, closing="Guillaume")
    mail = a_mail(make_registration(event))
    assert mail["Subject"].startswith("Inscription confirmée")
    assert "Merci de votre inscription" in mailbox.text(mail)
    assert "Guillaume" in mailbox.text(mail)


@pytest.mark.parametrize("reason", ["known", "resent", "corrected"])
def test_a_mail_that_says_what_is_the_matter_keeps_the_sites_subject(reason: str) -> None:
    event = make_event(report=False)
    write(event)
    assert "À bientôt" not in a_mail(make_registration(event), reason=reason)["Subject"]


def test_a_name_typed_by_a_visitor_stays_words() -> None:
    event = make_event(report=False)
    write(event)
    html = mailbox.html(a_mail(make_registration(event, first_name="<b>[x](https://evil.example)")))
    assert "<b>" not in html
    assert 'href="https://evil.example' not in html


def test_hostile_markdown_is_dead() -> None:
    event = make_event(report=False)
    write(event, opening="<script>x</script> ![x](https://evil.example/p.png) [x](javascript:x)")
    html = mailbox.html(a_mail(make_registration(event)))
    assert [bad for bad in ("<script", "<img", 'href="javascript') if bad in html] == []


def test_a_long_subject_of_ones_own_is_cut_as_any_other() -> None:
    event = make_event(report=False, title="Long " * 40)
    write(event)
    assert len(a_mail(make_registration(event))["Subject"]) <= 90


def test_a_mail_that_waits_leaves_with_the_words_of_that_moment(outbox_folder: Path) -> None:
    event = make_event(report=False)
    Delivery.objects.enqueue(make_registration(event), Kind.REMINDER_HOUR)
    mail_texts.write(event, Kind.REMINDER_HOUR, {"fr": {"opening": "Écrit après coup"}})
    outbox.drain()
    [mail] = mailbox.read_folder(outbox_folder)
    assert "Écrit après coup" in mailbox.text(mail)


def sent_queries(event: Event) -> int:
    Delivery.objects.enqueue(make_registration(event), Kind.CONFIRMATION, reason="new")
    with CaptureQueriesContext(connection) as captured:
        outbox.drain()
    return len(captured)


def test_own_words_cost_one_query_where_there_are_some_and_none_elsewhere() -> None:
    event = make_event(report=False)
    without = sent_queries(event)
    write(make_event(report=False))
    assert sent_queries(event) == without
    write(event)
    assert sent_queries(event) == without + 1


def test_composing_for_an_event_without_own_words_asks_for_none() -> None:
    event = make_event(report=False)
    Delivery.objects.enqueue(make_registration(event), Kind.CONFIRMATION, reason="new")
    with CaptureQueriesContext(connection) as captured:
        outbox.drain()
    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT") and "mailtext" in query["sql"]]
    assert all("registrations_event" in sql for sql in asked), asked
    assert len(asked) == 1


def test_a_duplicated_event_has_the_same_words() -> None:
    event = make_event()
    write(event)
    [text] = duplication.duplicate(event).mail_texts.all()
    assert {name: getattr(text, name) for name in OWN} == OWN


def test_words_that_are_all_taken_out_leave_no_row() -> None:
    event = make_event()
    write(event)
    changes = mail_texts.write(event, Kind.CONFIRMATION, {"fr": dict.fromkeys(OWN, "")})
    assert [(change.field, change.after) for change in changes] == [("subject", ""), ("opening", ""), ("closing", "")]
    assert not MailText.objects.exists()


def test_the_same_words_again_are_no_change() -> None:
    event = make_event()
    write(event)
    assert mail_texts.write(event, Kind.CONFIRMATION, {"fr": OWN}) == []


def test_a_postponed_event_has_no_date_in_ones_own_words() -> None:
    event = make_event(report=False, status="postponed")
    write(event, Kind.CHANGED, opening="Rendez-vous le {date}.")
    text = mailbox.text(a_mail(make_registration(event), Kind.CHANGED, "postponed"))
    assert "(nouvelle date pas encore connue)" in text


@pytest.mark.parametrize("kind", [kind for kind, declared in OWN_WORDS.items() if declared.has_link])
def test_only_who_has_a_seat_can_be_given_the_link(kind: Kind) -> None:
    conditions = Delivery(kind=kind).facts.conditions
    assert Condition.HAS_A_SEAT in conditions or kind == Kind.UPDATED
    assert "lien" in own_words.in_body(OWN_WORDS[kind])


@pytest.mark.parametrize("kind", OWN_WORDS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_form_can_name_the_sites_subject(kind: Kind, language: str) -> None:
    assert 5 < len(own_words.site_subject(make_event(starts_in=timedelta(days=3)), kind, language)) < 200
