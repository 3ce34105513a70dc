"""The calendar as registrants saw it in Thunderbird and Roundcube, each fault named after what they saw."""

import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import icalendar
import pytest
import vobject
from django.test import Client
from ical.calendar_stream import IcsCalendarStream

from registrations.documents import invitation
from registrations.documents.invitation import Method
from registrations.domain import corrections, erasure, event_changes, signup
from registrations.mailing import outbox
from registrations.models import Registration
from tests import mailbox
from tests.admin_client import logged_in
from tests.calendars import NEW, OLD, Calendars, by_name, change_address, has_calendar, last_mail, lines_of, sign_up
from tests.factories import answers, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db

# « L’organisateur a annulé cet évènement »


def comment_of(mail: EmailMessage) -> str:
    [entry] = icalendar.Calendar.from_ical(mailbox.part(mail, "text/calendar")).walk("VEVENT")
    return str(entry["COMMENT"])


TAKES_PLACE = {"fr": "Le webinaire a bien lieu.", "en": "The webinar does take place."}
HAPPENED = {
    "withdrawn": ("Vous avez annulé votre inscription. {}", "You have cancelled your registration. {}"),
    "by the team": ("L’équipe a annulé votre inscription. {}", "Your registration was cancelled by the team. {}"),
    "erased": (
        "Votre inscription est annulée et vos données sont effacées, comme vous l’avez demandé. {}",
        "Your registration is cancelled and your data erased, as you asked. {}",
    ),
    "cancelled": ("Le webinaire est annulé.", "The webinar is cancelled."),
    "postponed": (
        "Le webinaire est reporté. La nouvelle date n’est pas encore connue.",
        "The webinar is postponed. The new date is not known yet.",
    ),
    "moved": (
        "Vous avez changé d’adresse\u00a0: les courriels au sujet de ce webinaire vont désormais à la nouvelle. {}",
        "You have changed your address: emails about this webinar now go to the new one. {}",
    ),
    "corrected": (
        "L’adresse de cette inscription a été corrigée\u00a0: elle ne concerne plus cette boîte aux lettres. {}",
        "The address of this registration was corrected: it does not concern this mailbox. {}",
    ),
}


def happens(what: str, registration: Registration) -> None:
    match what:
        case "withdrawn":
            signup.withdraw(registration)
        case "by the team":
            signup.withdraw(registration, by_team=True)
        case "erased":
            erasure.ask_for_erasure(registration)
        case "cancelled":
            event_changes.cancel(registration.event)
        case "postponed":
            event_changes.postpone(registration.event)
        case "moved":
            change_address(registration, NEW)
        case "corrected":
            typed = corrections.answers(registration)
            corrections.correct_sign_up(
                registration.event, registration.pk, email=NEW, language=registration.language, **typed
            )


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("what", HAPPENED)
def test_a_cancellation_says_what_happened_with_day_and_hour_and_has_no_dead_link(
    outbox_folder: Path, what: str, language: str
) -> None:
    starts_at = make_event().starts_at.replace(year=2035, month=6, day=12, hour=14, minute=30)
    event = make_event(report=False, starts_at=starts_at)
    registration = sign_up(event, language=language)
    outbox.drain()
    happens(what, registration)
    mail = last_mail(outbox_folder)
    lines = lines_of(mail)
    assert (lines["METHOD"], lines["STATUS"]) == ("CANCEL", "CANCELLED")
    assert {"LOCATION", "URL", "DESCRIPTION", "CONFERENCE", "BEGIN:VALARM"} & lines.keys() == set()
    assert comment_of(mail) == HAPPENED[what][language == "en"].format(TAKES_PLACE[language])
    when = {
        "fr": "du mardi 12\u00a0juin 2035, de 16\u00a0h\u00a030 à 18\u00a0h (heure de Paris)",
        "en": "of Tuesday 12\u00a0June 2035, from 16:30 to 18:00 (Paris time)",
    }
    for form in (mailbox.text(mail), mailbox.html(mail)):
        assert when[language] in " ".join(re.split(r"[ \n]+", form))


def test_who_withdraws_from_a_postponed_webinar_is_not_told_that_it_takes_place(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    event_changes.postpone(registration.event)
    signup.withdraw(registration)
    assert comment_of(last_mail(outbox_folder)) == "Vous avez annulé votre inscription."


def test_who_comes_back_to_a_full_webinar_before_the_mail_has_left_keeps_no_entry(outbox_folder: Path) -> None:
    event = make_event(report=False, capacity=1)
    registration = sign_up(event)
    sign_up(event, "suivante@example.org")
    outbox.drain()
    signup.withdraw(registration)
    signup.come_back(registration)
    mail = last_mail(outbox_folder)
    assert comment_of(mail).startswith("Vous êtes en liste d’attente\u00a0: aucune place ne vous est réservée")
    assert Calendars(outbox_folder).entries[OLD] == {}


def test_the_organiser_s_action_says_that_the_team_did_it(outbox_folder: Path) -> None:
    registration = sign_up()
    outbox.drain()
    page = "/admin/registrations/registration/"
    chosen = {"action": "withdraw", "_selected_action": [registration.pk], "confirmed": "1"}
    logged_in().post(page, chosen)
    assert comment_of(last_mail(outbox_folder)).startswith("L’équipe a annulé votre inscription.")


# The same link three times above the mail


def test_the_join_link_is_shown_once_above_the_mail(outbox_folder: Path) -> None:
    registration = sign_up(make_event())
    lines = lines_of(last_mail(outbox_folder))
    assert lines["LOCATION"] == registration.join_url
    assert "URL" not in lines
    holds_it = [
        value for value in lines.values() if registration.join_url in value.replace(registration.report_url, "")
    ]
    assert holds_it == [registration.join_url]


def test_the_attendee_has_a_name(outbox_folder: Path) -> None:
    signup.register(
        make_event(report=False), language="fr", **answers(email=OLD, first_name="Zoë", last_name="Durand")
    )
    assert lines_of(last_mail(outbox_folder))["ATTENDEE"].startswith('CN="Zoë Durand";')


def test_an_advert_in_a_name_comes_into_no_calendar(outbox_folder: Path) -> None:
    event = make_event(report=False)
    advert = {"first_name": "Bet.Casino", "last_name": "Gagnez sur casino"}
    signup.register(event, language="fr", **answers(email=OLD, **advert))
    assert lines_of(last_mail(outbox_folder))["ATTENDEE"].startswith("CN=ancienne@example.org;")


# « Refuser » changed nothing


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "fr",
            (
                "« Refuser » dans l’agenda n’annule pas votre inscription : seul le lien suivant le fait. "
                "Un empêchement, une erreur ? Corriger ou annuler mon inscription : {}"
            ),
        ),
        (
            "en",
            (
                "“Decline” in a calendar does not cancel your registration: only the next link does. "
                "Can’t make it? A mistake to correct? Correct or cancel my registration: {}"
            ),
        ),
    ],
)
def test_who_declines_in_the_calendar_was_told_that_it_changes_nothing(
    outbox_folder: Path, language: str, sentence: str
) -> None:
    registration = sign_up(language=language)
    mails = [last_mail(outbox_folder)]
    event = registration.event
    event_changes.reschedule(
        event, starts_at=event.starts_at + timedelta(days=1), ends_at=event.ends_at + timedelta(days=1)
    )
    mails.append(last_mail(outbox_folder))
    for mail in mails:
        assert lines_of(mail)["METHOD"] == "REQUEST"
        assert sentence.format(registration.manage_url) in " ".join(mailbox.text(mail).split())


def test_the_guide_says_what_arrives_in_the_sender_s_mailbox() -> None:
    page = " ".join(logged_in().get("/admin/aide/").text.split())
    assert "<em>inscriptions@example.org</em>, qui reçoit aussi les réponses des agendas" in page


# The session stood twice in the calendar


def test_a_page_where_one_can_sign_up_says_that_the_invitation_makes_the_entry(client: Client) -> None:
    for capacity in (None, 1):
        event = make_event(report=False, capacity=capacity)
        make_registration(event)
        page = client.get(f"/evenements/{event.slug}/").text
        assert (
            "L’invitation jointe au courriel crée ce rendez-vous, avec votre lien\u00a0: rien à ajouter ici." in page
        )
    closed = make_event(report=False, registration_closes_at="2020-01-01T00:00Z")
    page = client.get(f"/evenements/{closed.slug}/").text
    assert page.count("evenement.ics") == 2
    assert "L’invitation jointe à votre courriel a déjà créé ce rendez-vous." in page


def test_before_sign_up_opens_the_calendar_takes_in_the_opening_and_not_the_session(client: Client) -> None:
    event = make_event(report=False)
    event.registration_opens_at = event.starts_at - timedelta(days=3)
    event.save()
    assert "Ajouter l’ouverture des inscriptions à mon agenda" in client.get(f"/evenements/{event.slug}/").text
    lines = by_name(client.get(f"/evenements/{event.slug}/evenement.ics").content)
    assert lines["UID"] == f"ouverture-{event.slug}@webinaires.example.org"
    assert lines["DTSTART"] == f"{event.registration_opens_at:%Y%m%dT%H%M%SZ}"
    assert lines["SUMMARY"].startswith("Ouverture des inscriptions\u00a0: Faire vivre")


# An invitation into the past


def test_a_sign_up_after_the_session_gets_no_invitation_into_the_past(outbox_folder: Path, client: Client) -> None:
    event = make_past_event(report=False, open_after_session=True)
    form = client.get(f"/evenements/{event.slug}/inscription/").text
    assert "agenda" not in form
    registration = sign_up(event)
    mail = last_mail(outbox_folder)
    assert not has_calendar(mail)
    assert "agenda" not in mailbox.text(mail)
    assert "invitation.ics" not in client.get(f"/rejoindre/{registration.join_code}/").text


# Names and titles that a parser did not read


READ = {
    'Association "Les Voisins"': "Association “Les Voisins”",
    'La "Maison': "La ”Maison",
    "Pôle ^ ressources": "Pôle ˆ ressources",
    'Pôle "A", B; C: D \\ E': "Pôle “A”, B; C: D \\ E",
    "L’Île\x07 d’Yeu\u2028et": "L’Île d’Yeu et",
}


@pytest.mark.parametrize("name", READ, ids=repr)
@pytest.mark.parametrize("method", [Method.REQUEST, Method.CANCEL])
def test_the_organiser_s_name_reads_well_in_every_parser(method: Method, name: str) -> None:
    event = make_event(report=False)
    event.organiser_name = name
    content = invitation.invitation(Registration(event=event, email=OLD, **names(name)), method)
    [entry] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    [other] = IcsCalendarStream.calendar_from_ics(content.decode()).events
    third = vobject.readOne(content.decode()).vevent
    assert other.organizer
    read = [entry["ORGANIZER"].params["CN"], other.organizer.common_name, third.organizer.params["CN"][0]]
    assert read == [READ[name]] * 3
    assert str(entry["ATTENDEE"].params["CN"]) == "Zoë"  # without a last name that is in doubt


def names(last_name: str) -> dict[str, str]:
    return {"first_name": "Zoë", "last_name": last_name}


@pytest.mark.parametrize("title", ["", " ", "\u2028", "\x07", "\x1c"], ids=repr)
def test_a_title_that_is_empty_in_the_database_stops_no_calendar_entry(title: str) -> None:
    event = make_event(report=False)
    registration = make_registration(event)
    event.title, event.short_title = title, "Titre court"
    for content in (invitation.invitation(registration), invitation.public_entry(event)):
        assert by_name(content)["SUMMARY"] == "Titre court"
    event.short_title = title
    event.registration_opens_at = event.starts_at - timedelta(days=1)
    contents = [
        invitation.invitation(registration),
        invitation.invitation(registration, Method.CANCEL),
        invitation.personal_entry(registration),
    ]
    assert {by_name(content)["SUMMARY"] for content in contents} == {"Webinaire"}
    assert by_name(invitation.public_entry(event))["SUMMARY"] == "Ouverture des inscriptions\u00a0: Webinaire"
