"""An event whose texts are in both languages, and one that has them in one only."""

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import translation

from registrations.documents import certificate, invitation
from registrations.domain import event_changes, signup
from registrations.mailing import composer
from registrations.models import Delivery, Event, EventPage, ProgrammeItem, Registration
from tests.factories import answers, make_event, make_past_event, make_question, make_registration, make_speaker

pytestmark = pytest.mark.django_db

ENGLISH: dict[str, Any] = {
    "title_en": "Towns and family policy",
    "short_title_en": "Family policy",
    "summary_en": "What towns can do.",
    "description_en": "A study in **four** towns.",
    "origins": "Un courriel\nUn ou une collègue",
    "origins_en": "An email\nA colleague",
    "newsletter_label": "Recevoir la lettre",
    "newsletter_label_en": "Send me the newsletter",
}
ONLY = "This text is in French only."
PARTLY = "Part of the text is in French only."


def in_both(**fields: Any) -> Event:
    event = make_event(**{**ENGLISH, **fields})
    EventPage.objects.create(
        event=event,
        audience="Élu·es",
        audience_en="Elected representatives",
        accessibility="gros caractères",
        accessibility_en="large print",
    )
    make_speaker(event, role_en="Mediator", bio_en="She listens.")
    ProgrammeItem.objects.create(event=event, starts_at="16:30", title="Accueil", title_en="Welcome")
    event.documents.create(name="La note", name_en="The note", link="https://x.example.org/", audience="everybody")
    return event


def page(client: Client, event: Event, language: str = "en") -> str:
    with translation.override(language):
        return client.get(event.get_absolute_url()).content.decode()


def main_of(html: str) -> str:
    return re.sub(r"<script.*?</script>", "", html[html.index("<main") :], flags=re.DOTALL)


def test_the_english_page_has_the_english_texts_and_no_mark_of_another_language(client: Client) -> None:
    event = in_both()
    main = main_of(page(client, event))
    for words in (
        "Towns and family policy",
        "What towns can do.",
        "<strong>four</strong>",
        "Elected representatives",
        "Large print",
        "Mediator",
        "She listens.",
        "Welcome",
        "The note",
    ):
        assert words in main, words
    for words in (event.title, "Élu·es", "Médiatrice", "Accueil", "La note", "in French only"):
        assert words not in main, words


def test_the_french_page_stays_french(client: Client) -> None:
    event = in_both()
    main = main_of(page(client, event, "fr"))
    assert event.title in main
    assert "Médiatrice" in main
    for words in ("Towns and", "Mediator", "Welcome", "The note", 'lang="en"', "seulement en"):
        assert words not in main.replace('hreflang="en" lang="en"', ""), words


def test_an_english_page_of_a_french_event_says_so_and_marks_the_texts(client: Client) -> None:
    event = make_event()
    main = main_of(page(client, event))
    assert main.count(ONLY) == 1
    assert '<h1 lang="fr">' in main
    assert ONLY not in page(client, event, "fr")


def test_a_page_that_is_translated_in_part_says_that(client: Client) -> None:
    main = main_of(page(client, make_event(title_en="Towns", description="Texte", description_en="Text")))
    assert PARTLY in main
    assert "<h1>Towns</h1>" in main


def test_a_text_that_is_in_english_only_is_shown_and_named_on_the_french_page(client: Client) -> None:
    main = main_of(page(client, make_event(summary="", description="", description_en="A talk."), "fr"))
    assert 'class="prose" lang="en"' in main
    assert "n’existe qu’en anglais" in main


def test_the_form_asks_in_english_and_keeps_the_french_choice(client: Client) -> None:
    event = in_both()
    own = make_question(
        event, "one", label="Où ?", label_en="Where?", choices="Ici\nAilleurs", choices_en="Here\nElsewhere"
    )
    form = client.get(f"/en/evenements/{event.slug}/inscription/").content.decode()
    for words in ("Towns and family policy", "An email", "Send me the newsletter", "Where?", "Elsewhere"):
        assert words in form, words
    for words in (event.title, "Un courriel<", "Où ?", "Recevoir la lettre"):
        assert words not in form, words
    assert 'value="Un courriel"' in form
    assert 'value="Ici"' in form
    typed = answers(heard_from="Un courriel", newsletter=True)
    with translation.override("en"):
        signup.register(event, language="en", **typed, own_answers={own.key: "Ici"})
    registration = Registration.objects.get()
    assert registration.newsletter_words == "Send me the newsletter"
    own_page = client.get(f"/en/mon-inscription/{registration.manage_code}/").content.decode()
    assert "An email" in own_page
    assert "Here" in own_page
    assert "Un courriel" not in own_page


@pytest.mark.parametrize(("language", "title"), [("en", "Towns and family policy"), ("fr", "Villes et familles")])
def test_mail_calendar_and_certificate_speak_the_language_of_the_person(language: str, title: str) -> None:
    event = make_past_event(title="Villes et familles", title_en="Towns and family policy")
    registration = make_registration(event, language=language)
    registration.attendances.create(origin="by_hand")
    mail_ = composer.compose(Delivery(registration=registration, kind=Delivery.Kind.CONFIRMATION))
    other = {"Villes et familles", "Towns and family policy"} - {title}
    for text in (
        str(mail_.body),
        str(mail_.alternatives[0][0]),
        invitation.personal_entry(registration).decode(),
        certificate.typeset_html(registration, issued_at=event.ends_at),
    ):
        assert title in text
        assert not [words for words in other if words in text]
    assert mail.outbox == []


def test_feed_search_data_and_public_calendar_file_are_in_the_language_of_the_address(client: Client) -> None:
    event = in_both()
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page(client, event))
    assert data
    assert json.loads(data[1])["name"] == "Towns and family policy"
    for address in ("/en/webinaires.atom", f"/en/evenements/{event.slug}/evenement.ics", "/en/webinaires.ics"):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "Towns and family policy" in answer.content.decode(), address


def test_words_on_a_change_have_their_english_and_a_new_note_leaves_no_old_one() -> None:
    event = make_event(connection_notes="Code : 1", connection_notes_en="Code: 1")
    make_registration(event, language="en")
    event_changes.reschedule(event, starts_at=event.starts_at, ends_at=event.ends_at, connection_notes="Code : 2")
    event.refresh_from_db()
    assert event.connection_notes_en == ""
    event_changes.cancel(event, words="La salle a brûlé.", words_en="The room burnt down.")
    told = composer.compose(Delivery.objects.filter(kind="cancelled").get())
    assert "The room burnt down." in str(told.body)
    assert "brûlé" not in str(told.body)
