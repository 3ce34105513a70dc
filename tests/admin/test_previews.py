"""What visitors and registrants will get, seen by the team before: the page of a draft, and each mail."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registrations.admin.events.events import warnings
from registrations.domain import dry_runs
from registrations.mailing import composer, outbox, previews
from registrations.mailing.previews import SAMPLES
from registrations.models import AuditEntry, Delivery, Event, Registration
from registrations.models.mail_kinds import KINDS, Recipient
from registrations.views.reading import MAIL_CSP
from tests import mailbox
from tests.admin_client import EVENTS, event_form, logged_in, messages
from tests.factories import make_event, make_past_event, make_registration
from tests.views.test_every_address import everything

pytestmark = pytest.mark.django_db


def mails(event: Event, **query: Any) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{EVENTS}{event.pk}/mails/?{asked}"


def test_the_page_of_a_draft_is_shown_to_the_team_as_visitors_will_see_it() -> None:
    event = make_event(status="draft", title="Un titre à relire")
    page = logged_in("view_event").get(f"{EVENTS}{event.pk}/preview/")
    assert "<strong>Aperçu</strong>" in page.text
    assert "seule l’équipe la voit" in page.text
    assert "Un titre à relire" in page.text
    assert "S’inscrire au webinaire" in page.text


def test_the_preview_is_kept_by_no_cache_and_listed_by_nobody() -> None:
    page = logged_in().get(f"{EVENTS}{make_event(status='draft').pk}/preview/")
    assert page["Cache-Control"].startswith("no-store, private")
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert "canonical" not in page.text


def test_a_draft_stays_hidden_from_everybody_else(client: Client) -> None:
    event = make_event(status="draft")
    assert client.get(event.get_absolute_url()).status_code == 404
    assert client.get(f"{EVENTS}{event.pk}/preview/").status_code == 302
    assert logged_in("view_registration").get(f"{EVENTS}{event.pk}/preview/").status_code == 403


@pytest.mark.parametrize("key", SAMPLES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_mail_is_shown_to_an_example_person(key: str, language: str) -> None:
    event = make_event(report=False)
    page = logged_in().get(mails(event, mail=key, person=language))
    assert page.status_code == 200
    assert page.context["mail"].text.strip()
    goes_to_contact = KINDS[SAMPLES[key].kind].recipient == Recipient.CONTACT
    assert page.context["mail"].message["To"] == (event.contact_email if goes_to_contact else previews.EXAMPLE_ADDRESS)


def test_a_preview_is_what_the_registrant_is_sent_word_for_word() -> None:
    event = make_event(report=False)
    registration = make_registration(event)
    shown = logged_in().get(mails(event, mail="confirmation-new", person=registration.pk)).context["mail"]
    sent = composer.compose(Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new"))
    text = re.sub(f"{registration.join_code}|{registration.manage_code}", previews.PERSONAL_LINK, str(sent.body))
    assert (shown.message["Subject"], shown.text.strip()) == (sent.subject, text.strip())
    assert shown.message["To"] == registration.email


def test_the_attachments_are_listed_with_their_sizes(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event(report=False)
    event.report_file.save("rapport.pdf", ContentFile(b"%PDF-1.7\n" + b"x" * 40_000 + b"\n%%EOF"))
    client = logged_in()
    attached = client.get(mails(event, mail="confirmation-new")).context["mail"].attachments
    assert [name for _number, name, _size in attached] == ["invitation.ics", "rapport-etude.pdf"]
    assert attached[1][2] == 40_015
    assert client.get(mails(event, mail="reminder_day")).context["mail"].attachments == []


def test_the_html_stands_in_a_frame_that_can_do_nothing() -> None:
    event = make_event(report=False)
    client = logged_in()
    page = client.get(mails(event, mail="reminder_day"))
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    number = page.context["mail"].html_number
    part = client.get(f"{EVENTS}{event.pk}/mails/{number}/?mail=reminder_day&person=fr")
    assert part["Content-Security-Policy"] == MAIL_CSP
    assert part["X-Frame-Options"] == "SAMEORIGIN"
    assert part["Cache-Control"].startswith("no-store, private")
    assert f'src="{EVENTS}{event.pk}/mails/{number}/?mail=reminder_day&amp;person=fr"' in page.text


def test_those_who_came_are_shown_other_words_than_those_who_did_not() -> None:
    event = make_past_event(follow_up_present="Merci d’être venu.", follow_up_absent="Vous nous avez manqué.")
    client = logged_in()
    present = client.get(mails(event, mail="follow_up-present")).context["mail"].text
    absent = client.get(mails(event, mail="follow_up")).context["mail"].text
    assert ("Merci d’être venu" in present, "manqué" in absent) == (True, True)


def test_a_draft_has_its_mails_shown_as_they_will_be() -> None:
    event = make_event(status="draft", report=False)
    assert "rejoindre" in logged_in().get(mails(event, mail="reminder_hour")).context["mail"].text


def test_a_preview_writes_nothing_and_owes_nothing() -> None:
    registration = make_registration(make_event(report=False))
    client = logged_in()
    before = everything()
    for key in SAMPLES:
        client.get(mails(registration.event, mail=key, person=registration.pk))
    assert everything() == before


@pytest.mark.parametrize("query", [{"mail": "x"}, {"person": "0"}, {"person": "9" * 30}, {"person": "zz"}])
def test_what_does_not_exist_is_not_found(query: dict[str, str]) -> None:
    assert logged_in().get(mails(make_event(report=False), **query)).status_code == 404


def test_a_person_of_another_event_is_not_found() -> None:
    stranger = make_registration()
    assert logged_in().get(mails(make_event(report=False), person=stranger.pk)).status_code == 404


def test_who_may_not_see_people_does_not_see_their_mails() -> None:
    event = make_event(report=False)
    assert logged_in("view_event").get(mails(event)).status_code == 403


def test_the_page_asks_as_much_for_three_people_as_for_one() -> None:
    event = make_event(report=False)
    client = logged_in()

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(mails(event, mail="confirmation-new")).status_code == 200
        return len(captured)

    make_registration(event)
    one = asked()
    for _ in range(2):
        make_registration(event)
    assert asked() == one


def test_the_page_of_a_person_leads_to_their_mails() -> None:
    registration = make_registration(make_event(report=False))
    page = logged_in().get(f"/admin/registrations/registration/{registration.pk}/change/").text
    assert f"{EVENTS}{registration.event_id}/mails/?person={registration.pk}" in page


def test_the_place_in_line_of_an_example_is_behind_those_who_wait() -> None:
    event = make_event(report=False)
    make_registration(event, status="waitlisted")
    delivery = previews.sample_delivery(event, SAMPLES["waiting_list-new"], "fr")
    assert delivery.registration is not None
    assert delivery.registration.waiting_position == 2


def test_a_report_above_the_limit_is_told_when_the_event_is_saved(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_past_event(report=False)
    event.report_file.save("rapport.pdf", ContentFile(b"x" * settings.MAIL_MAX_BYTES))
    told = [str(sentence) for sentence in warnings(event, set()) if sentence]
    assert "Le rapport est trop lourd pour être joint à un courriel\u00a0: il sera donné en lien." in told


def test_the_state_that_a_mail_tells_of_is_shown_though_the_event_is_not_in_it() -> None:
    event = make_event(report=False)
    page = logged_in().get(mails(event, mail="cancelled")).context["mail"].text
    assert "n’aura pas lieu" in page
    assert Event.objects.get().status == "published"
    assert Registration.objects.count() == 0


def test_words_of_time_are_those_of_today() -> None:
    event = make_event(report=False, starts_in=timedelta(days=30))
    assert "demain" not in logged_in().get(mails(event, mail="reminder_day")).context["mail"].text


# On trial


@pytest.mark.parametrize(("key", "status"), [*((key, "draft") for key in SAMPLES), ("confirmation-new", "published")])
def test_every_mail_can_be_tried_on_oneself_with_links_that_open_nothing(
    key: str, status: str, outbox_folder: Path
) -> None:
    event = make_event(report=False, status=status)
    person = make_registration(event)
    client = logged_in()
    answer = client.post(f"{EVENTS}{event.pk}/mails/", {"mail": key, "person": person.pk})
    assert answer["Location"] == mails(event, mail=key, person=person.pk)
    outbox.drain()
    trial = Delivery.objects.get()
    assert (trial.kind, trial.state, trial.registration, trial.error) == ("trial", "sent", None, "")
    [message] = mailbox.read_folder(outbox_folder)
    shown = client.get(answer["Location"]).context["mail"]
    assert message["To"] == "contact@example.org"
    assert message["Subject"] == f"[Essai] {shown.message['Subject']}"[:90]
    assert mailbox.text(message).startswith("Ceci est un essai")
    codes = [person.join_code, person.manage_code]
    assert [code for code in codes if code in message.as_string()] == []
    assert "METHOD:REQUEST" not in message.as_string()


def test_an_invitation_on_trial_is_a_file_that_no_calendar_takes_in_by_itself(outbox_folder: Path) -> None:
    event = make_event(report=False)
    dry_runs.send_preview(event, "confirmation-new", "en", recipient="odile@example.org")
    outbox.drain()
    [message] = mailbox.read_folder(outbox_folder)
    assert message["Subject"].startswith("[Trial] Registration confirmed")
    assert message["Content-Language"] == "en"
    types = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert types == ["text/plain", "text/html", "application/ics"]
    assert "METHOD:PUBLISH" in mailbox.calendar_lines(mailbox.part(message, "application/ics"))


def test_who_is_erased_before_their_mail_is_tried_is_an_example(outbox_folder: Path) -> None:
    person = make_registration(make_event(report=False), first_name="Zénobie")
    dry_runs.send_preview(person.event, "follow_up", str(person.pk), recipient="odile@example.org")
    person.delete()
    outbox.drain()
    [message] = mailbox.read_folder(outbox_folder)
    assert "Zénobie" not in mailbox.text(message)


def test_who_only_looks_sends_no_trial() -> None:
    event = make_event(report=False)
    client = logged_in("view_event", "view_registration")
    assert "Envoyer un essai" not in client.get(mails(event)).text
    assert client.post(f"{EVENTS}{event.pk}/mails/", {}).status_code == 403
    assert not Delivery.objects.exists()


def test_the_preview_shows_what_is_typed_and_saves_nothing(organiser: Client) -> None:
    event = make_event(status="draft", report=False)
    path = f"{EVENTS}{event.pk}/"
    typed = event_form(organiser, f"{path}change/") | {"title": "Un titre à l’essai", "capacity": "3"}
    before = rows()
    page = organiser.post(f"{path}preview/", typed)
    assert "<strong>Aperçu</strong>" in page.text
    assert "Un titre à l’essai" in page.text
    assert "rien n’est enregistré" in page.text
    assert rows() == before
    assert messages(organiser.get(f"{path}change/")) == []


def test_the_preview_of_the_form_has_the_questions_that_are_typed(organiser: Client) -> None:
    event = make_event(status="draft", report=False)
    path = f"{EVENTS}{event.pk}/"
    question = {"TOTAL_FORMS": 1, "0-position": 1, "0-label": "Quel repas ?", "0-kind": "text", "0-is_asked": "on"}
    typed = {f"own_questions-{name}": value for name, value in question.items()}
    page = organiser.post(f"{path}preview/form/", event_form(organiser, f"{path}change/") | typed)
    assert "Quel repas" in page.text
    assert not event.own_questions.exists()


def test_what_has_to_be_corrected_is_said_in_place_of_the_preview(organiser: Client) -> None:
    event = make_event(status="draft", report=False)
    path = f"{EVENTS}{event.pk}/"
    page = organiser.post(f"{path}preview/", event_form(organiser, f"{path}change/") | {"title": ""})
    assert page.context["adminform"].form.errors.keys() == {"title"}
    event.refresh_from_db()
    assert event.title


def test_a_file_is_not_stored_for_a_preview(organiser: Client, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event(status="draft", report=False)
    path = f"{EVENTS}{event.pk}/"
    upload = {"report_file": ContentFile(b"%PDF-1.7", "rapport.pdf")}
    assert organiser.post(f"{path}preview/", event_form(organiser, f"{path}change/") | upload).status_code == 200
    assert list(tmp_path.rglob("*.pdf")) == []


def test_the_preview_of_the_mails_shows_what_is_typed_and_saves_nothing(organiser: Client) -> None:
    event = make_event(status="draft", report=False)
    path = f"{EVENTS}{event.pk}/"
    typed = event_form(organiser, f"{path}change/") | {"title": "Un titre à l’essai", "contact_name": "Odile Essai"}
    before = rows()
    page = organiser.post(f"{path}mails/", typed)
    assert "Odile Essai" in page.context["mail"].text
    assert "rien n’est enregistré" in page.text
    assert "Envoyer un essai" not in page.text
    assert rows() == before
    assert messages(organiser.get(f"{path}change/")) == []


def test_another_mail_and_its_html_are_of_what_is_typed_too(organiser: Client) -> None:
    event = make_event(status="draft", report=False)
    path = f"{EVENTS}{event.pk}/"
    page = organiser.post(f"{path}mails/", event_form(organiser, f"{path}change/") | {"title": "Un titre à l’essai"})
    again = dict(page.context["typed"]) | {"mail": "waiting_list-new", "person": "en"}
    other = organiser.post(f"{path}mails/", again)
    assert "waiting list" in other.context["mail"].message["Subject"].lower()
    number = other.context["mail"].html_number
    assert "Un titre à l’essai" in organiser.post(f"{path}mails/{number}/", again).text
    event.refresh_from_db()
    assert event.title != "Un titre à l’essai"


def test_what_has_to_be_corrected_is_said_in_place_of_the_mails(organiser: Client) -> None:
    event = make_event(status="draft", report=False)
    path = f"{EVENTS}{event.pk}/"
    page = organiser.post(f"{path}mails/", event_form(organiser, f"{path}change/") | {"title": ""})
    assert page.context["adminform"].form.errors.keys() == {"title"}


def test_who_may_only_look_previews_what_is_saved() -> None:
    event = make_event(status="draft")
    client = logged_in("view_event")
    assert f'href="{EVENTS}{event.pk}/preview/"' in client.get(f"{EVENTS}{event.pk}/change/").text
    assert client.post(f"{EVENTS}{event.pk}/preview/", {"title": "x"}).status_code == 403


def rows() -> list[Any]:
    return [
        *Event.objects.values(),
        *Delivery.objects.values(),
        *LogEntry.objects.values(),
        *AuditEntry.objects.values(),
    ]
