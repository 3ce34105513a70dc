"""Words of mails and pages that were not so, each named after what somebody saw."""

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from registrations.domain import event_changes, signup
from registrations.mailing import composer
from registrations.models import Delivery, Event, Registration
from registrations.text import markdown
from tests import mailbox
from tests.calendars import OLD, has_calendar, last_mail, sign_up
from tests.factories import answers, make_event, make_past_event, make_registration
from tests.journey import Journey

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n%%EOF\n"


def words(text: str) -> str:
    """On one line, with plain spaces."""
    return " ".join(text.split())


# « Le rapport d’étude » was a presentation


def pages(client: Client, event: Event, registration: Registration) -> str:
    event_path, join_path = f"/evenements/{event.slug}/", f"/rejoindre/{registration.join_code}/"
    paths = [event_path, f"{event_path}inscription/", join_path, f"/mon-inscription/{registration.manage_code}/"]
    return "".join(client.get(path).text for path in paths)


@pytest.mark.usefixtures("with_pango")
@pytest.mark.parametrize("make", [make_event, make_past_event])
def test_a_presentation_is_called_a_report_nowhere(journey: Journey, make: type) -> None:
    event = make(open_after_session=True)
    thanks = journey.sign_up(event).text
    registration = Registration.objects.get()
    Delivery.objects.enqueue(registration, Delivery.Kind.REMINDER_DAY)
    mails = [mailbox.text(mail) + mailbox.html(mail) + str(mail["Subject"]) for mail in journey.mails()]
    seen = words(thanks + pages(journey.client, event, registration) + "".join(mails))
    assert "la présentation de l’étude" in seen
    assert "La présentation de l’étude" in seen
    assert re.findall(r"rapport d.étude|[Ll]e rapport\b", seen) == []


@pytest.mark.typesetting
def test_the_file_of_a_presentation_has_an_honest_name(journey: Journey) -> None:
    journey.sign_up(make_event())
    [mail] = journey.mails()
    assert mailbox.attachment_names(mail) == ["invitation.ics", "presentation-etude.pdf"]
    assert "La présentation de l’étude (PDF," in words(mailbox.text(mail))


def test_a_finished_pdf_is_the_report_everywhere(journey: Journey, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event(report_file=SimpleUploadedFile("rapport.pdf", PDF))
    thanks = journey.sign_up(event).text
    [mail] = journey.mails()
    seen = words(thanks + pages(journey.client, event, Registration.objects.get()) + mailbox.text(mail))
    assert mailbox.attachment_names(mail) == ["invitation.ics", "rapport-etude.pdf"]
    assert "le rapport d’étude" in seen
    assert "présentation de l’étude" not in seen


@pytest.mark.parametrize("make", [make_event, make_past_event])
def test_where_no_report_is_announced_none_is_promised(journey: Journey, make: type) -> None:
    event = make(report=False, open_after_session=True)
    thanks = journey.sign_up(event).text
    [mail] = journey.mails()
    seen = words(thanks + pages(journey.client, event, Registration.objects.get()))
    for text in (seen, words(mailbox.text(mail)), words(mailbox.html(mail))):
        assert re.findall(r"rapport d.étude|[Ll]e rapport\b|présentation de l.étude", text) == []
        assert "mène maintenant aux documents" not in text
    if event.is_over:
        assert "Voir les documents" not in seen + words(mailbox.html(mail))
        assert "<h2>Documents" not in seen


# A full event


def full_event(**fields: object) -> Event:
    event = make_event(report=False, capacity=1, **fields)  # type: ignore[arg-type]
    sign_up(event)
    return event


def test_a_confirmed_person_who_signs_up_again_is_not_told_of_a_waiting_list(journey: Journey) -> None:
    event = full_event()
    known = words(journey.sign_up(event, email=OLD).text)
    assert "un courriel qui dit où vous en êtes est en route" in known
    assert "Si vous n’aviez pas encore de place, vous êtes en liste d’attente" in known
    assert "votre place sur la liste d’attente" not in known
    assert "Votre inscription" in words(mailbox.text(last_mail(journey.folder)))
    assert has_calendar(last_mail(journey.folder))


def test_who_would_come_back_to_a_full_event_is_told_before_that_the_place_is_lost(journey: Journey) -> None:
    event = full_event()
    registration = Registration.objects.get()
    own = f"/mon-inscription/{registration.manage_code}/"
    leaving = words(journey.client.get(f"{own}annuler/").text)
    assert "si toutes les places sont alors prises, vous serez en liste d’attente" in leaving
    sign_up(event, "suivante@example.org")
    journey.client.post(f"{own}annuler/")
    page = words(journey.client.get(own).text)
    assert "Toutes les places sont prises pour le moment : vous seriez en liste d’attente." in page
    assert "Me réinscrire" not in page
    mail = words(mailbox.text(last_mail(journey.folder)))
    assert "Toutes les places sont prises pour le moment ; vous pouvez rejoindre la liste d’attente" in mail
    back = words(journey.client.post(f"{own}revenir/", follow=True).text)
    assert "Vous êtes en liste d’attente. Un courriel le confirme." in back


def test_without_a_waiting_list_who_leaves_is_told_that_coming_back_needs_a_free_seat(client: Client) -> None:
    event = make_event(report=False, capacity=2, waiting_list=False)
    registration = make_registration(event)
    page = words(client.get(f"/mon-inscription/{registration.manage_code}/annuler/").text)
    assert "Vous ne pourrez revenir que s’il reste une place." in page


# A withdrawn person who asked for the link got nothing


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_withdrawn_person_who_asks_for_the_link_gets_the_mail_that_brings_them_back(
    outbox_folder: Path, client: Client, language: str
) -> None:
    registration = sign_up(language=language)
    signup.withdraw(registration)
    last_mail(outbox_folder)
    client.post(f"/evenements/{registration.event.slug}/renvoyer/", {"email": OLD})
    mail = last_mail(outbox_folder)
    sentence = {
        "fr": "l’inscription est annulée, et son lien ne fonctionne plus. Vous avez changé d’avis ? Vous pouvez",
        "en": "the registration is cancelled, and its link no longer works. Changed your mind? You can",
    }
    assert sentence[language] in words(mailbox.text(mail))
    assert registration.manage_url in mailbox.links(mailbox.text(mail))
    assert not has_calendar(mail)


def test_who_is_being_erased_gets_no_link(outbox_folder: Path, client: Client) -> None:
    registration = sign_up()
    Registration.objects.update(erase_by=registration.created_at + timedelta(days=1), status="cancelled")
    assert not signup.resend(registration.event, email=OLD)


# A moved mail did not name the old date


def moved_mail(folder: Path, language: str = "fr", **by: int) -> EmailMessage:
    starts_at = datetime(2035, 6, 12, 14, 30, tzinfo=UTC)
    event = make_event(report=False, starts_at=starts_at, short_title="Réseau")
    sign_up(event, language=language)
    last_mail(folder)
    later = timedelta(**by)
    event_changes.reschedule(event, starts_at=event.starts_at + later, ends_at=event.ends_at + later)
    return last_mail(folder)


@pytest.mark.parametrize(
    ("language", "before", "subject"),
    [
        (
            "fr",
            "Date précédente : {}mardi 12 juin 2035, de 16 h 30 à 18 h{}",
            "Nouvelle date : jeudi 14 juin, 16 h 30 – Réseau",
        ),
        (
            "en",
            "Previous date: {}Tuesday 12 June 2035, from 16:30 to 18:00{}",
            "New date: Thursday 14 June, 16:30 – Réseau",
        ),
    ],
)
def test_a_moved_mail_names_the_old_date_struck_out_and_its_subject_begins_with_the_new_one(
    outbox_folder: Path, language: str, before: str, subject: str
) -> None:
    mail = moved_mail(outbox_folder, language, days=2)
    assert words(mail["Subject"]) == subject
    assert before.format("", "") in words(mailbox.text(mail))
    in_html = words(re.sub(r"<(?!/?s>)[^>]+>", " ", mailbox.html(mail)))
    assert before.format("<s>", "</s>") in in_html
    new = {"fr": "Jeudi 14 juin 2035", "en": "Thursday 14 June 2035"}[language]
    assert all(new in words(form) for form in (mailbox.text(mail), mailbox.html(mail)))


def test_a_new_hour_is_told_in_the_same_way(outbox_folder: Path) -> None:
    mail = moved_mail(outbox_folder, hours=1)
    assert words(mail["Subject"]) == "Nouvel horaire : mardi 12 juin, 17 h 30 – Réseau"
    assert "Date précédente : mardi 12 juin 2035, de 16 h 30 à 18 h" in words(mailbox.text(mail))


def test_two_moves_before_a_mail_has_left_name_the_date_that_people_know(outbox_folder: Path) -> None:
    event = make_event(report=False, starts_at=datetime(2035, 6, 12, 14, 30, tzinfo=UTC))
    sign_up(event)
    last_mail(outbox_folder)
    for days in (1, 2):
        later = timedelta(days=days)
        event_changes.reschedule(event, starts_at=event.starts_at + later, ends_at=event.ends_at + later)
        event.refresh_from_db()
    assert "Date précédente : mardi 12 juin 2035," in words(mailbox.text(last_mail(outbox_folder)))
    back = datetime(2035, 6, 12, 14, 30, tzinfo=UTC)
    event_changes.reschedule(event, starts_at=back, ends_at=back + timedelta(minutes=90))
    assert "Date précédente : vendredi 15 juin 2035," in words(mailbox.text(last_mail(outbox_folder)))


# A sign after the link belonged to the link


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Votre lien : <https://x.fr/a/>.", "Votre lien\u00a0: <https://x.fr/a/>."),
        ("(<https://x.fr/a/>)", "(<https://x.fr/a/>)"),
        ("<https://x.fr/a/> et", "https://x.fr/a/ et"),
        ("<https://x.fr/a/>\nSuite.", "https://x.fr/a/\nSuite."),
        ("<https://x.fr/a/>", "https://x.fr/a/"),
        ("**<https://x.fr/a/>**, voilà", "<https://x.fr/a/>, voilà"),
        ("« <https://x.fr/a/> ».", "«\u00a0https://x.fr/a/\u00a0»."),
    ],
)
def test_a_sign_after_a_placeholders_link_is_no_part_of_it_in_the_text(text: str, plain: str) -> None:
    assert markdown.plain(text) == plain


@pytest.mark.parametrize(
    "stray", [".", ",", ";", ":", "!", "?", ")", "»", "\u00a0»", "”", "…", ">", '"', "*", ").", " "]
)
def test_a_stray_sign_at_the_end_of_a_pasted_link_leads_to_the_page(client: Client, stray: str) -> None:
    registration = make_registration()
    personal = [registration.join_url, registration.manage_url, registration.public_url]
    for link in [*personal, registration.report_url, registration.join_url.rstrip("/")]:
        path = link.removeprefix("https://webinaires.example.org")
        response = client.get(f"{path}{stray}".replace("?", "%3F"))
        right = path if path.endswith((".pdf", "/")) else f"{path}/"
        assert (response.status_code, response["Location"]) == (302, right)


@pytest.mark.parametrize("path", ["/nulle-part.", "/nulle-part/.", "/evenements/nulle part."])
def test_a_wrong_address_with_a_sign_is_still_not_found(client: Client, path: str) -> None:
    assert client.get(path, follow=True).status_code == 404


# Two people with one shared mailbox


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("status", ["confirmed", "waitlisted"])
def test_the_mail_that_a_colleague_sets_off_says_what_the_colleague_should_do(
    outbox_folder: Path, status: str, language: str
) -> None:
    event = make_event(report=False)
    registration = make_registration(event, email=OLD, status=status, language=language)
    signup.register(event, language=language, **answers(email=OLD, first_name="Ivo", last_name="Kovač"))
    mail = last_mail(outbox_folder)
    sentence = {
        "fr": "cette personne peut s’inscrire avec une autre adresse, ou répondre à ce courriel",
        "en": "your colleague can sign up with another address, or reply to this email",
    }
    for form in (mailbox.text(mail), mailbox.html(mail)):
        assert sentence[language] in words(form)
        assert "Ivo" not in form
        assert "Kovač" not in form
    assert registration.deliveries.get().reason == "known"


def test_who_asked_for_the_link_alone_is_told_of_no_colleague(outbox_folder: Path) -> None:
    registration = make_registration(make_event(report=False), email=OLD, language="en")
    delivery = Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="resent")
    assert "colleague" not in str(composer.compose(delivery).body)


@pytest.mark.parametrize(("language", "button"), [("fr", "Entrer dans la salle"), ("en", "Go into the room")])
def test_the_button_that_a_mail_names_is_the_one_of_the_page(client: Client, language: str, button: str) -> None:
    registration = make_registration(make_event(starts_in=timedelta(minutes=5)), language=language)
    mail = composer.compose(Delivery.objects.enqueue(registration, Delivery.Kind.REMINDER_HOUR))
    assert button in mail.body
    assert f">{button}</button>" in client.get(registration.join_url).text
