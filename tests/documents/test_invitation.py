"""The lines of the calendar objects, which clients use."""

import re
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
from django.test import Client
from django.utils import timezone

from registrations.documents import invitation
from tests import mailbox
from tests.factories import ROOM, make_event, make_past_event, make_registration

pytestmark = pytest.mark.django_db


def properties(calendar: bytes) -> dict[str, str]:
    """Lines of the VEVENT without its alarm, as name: rest of the line."""
    lines = mailbox.calendar_lines(calendar)
    inside = lines[lines.index("BEGIN:VEVENT") + 1 : lines.index("END:VEVENT")]
    if "BEGIN:VALARM" in inside:
        inside = inside[: inside.index("BEGIN:VALARM")] + inside[inside.index("END:VALARM") + 1 :]
    return dict(re.split("[;:]", line, maxsplit=1) for line in inside)


@pytest.mark.usefixtures("with_pango")
def test_the_invitation_has_the_properties_that_calendars_need() -> None:
    starts_at = datetime(2030, 5, 13, 14, 30, tzinfo=UTC)
    event = make_event(title="Réseau, acteurs ; liens", starts_in=starts_at - timezone.now())
    event.starts_at, event.ends_at = starts_at, starts_at + timedelta(minutes=90)
    event.save()
    registration = make_registration(event, email="zoe@example.org", first_name="Zoë", last_name="Durand")
    found = properties(invitation.invitation(registration))

    assert found.pop("DTSTAMP").endswith("Z")
    assert "\\n" in found.pop("DESCRIPTION")
    assert found == {
        "UID": registration.uid,
        "SEQUENCE": "0",
        "DTSTART": "20300513T143000Z",
        "DTEND": "20300513T160000Z",
        "SUMMARY": "Réseau\\, acteurs\u00a0\\; liens",
        "LOCATION": registration.join_url,
        "ORGANIZER": 'CN="Le Pôle ressources":mailto:inscriptions@example.org',
        "ATTENDEE": (
            'CN="Zoë Durand";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE'
            ":mailto:zoe@example.org"
        ),
        "STATUS": "CONFIRMED",
        "TRANSP": "OPAQUE",
        "CLASS": "PUBLIC",
        "X-MICROSOFT-DISALLOW-COUNTER": "TRUE",
    }


def test_the_properties_of_the_calendar_around_the_entry() -> None:
    content = invitation.invitation(make_registration())
    lines = mailbox.calendar_lines(content)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "METHOD:REQUEST" in lines
    assert "BEGIN:VTIMEZONE" not in lines
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    assert "TRIGGER:-PT15M" in lines
    assert content.count(b"\n") == content.count(b"\r\n")


def test_a_past_event_has_no_alarm() -> None:
    assert b"VALARM" not in invitation.personal_entry(make_registration(make_past_event()))


def test_neither_the_room_nor_the_manage_code_is_ever_in_a_calendar() -> None:
    registration = make_registration(make_event(starts_in=timedelta(minutes=5)))
    for content in (
        invitation.invitation(registration),
        invitation.personal_entry(registration),
        invitation.public_entry(registration.event),
    ):
        unfolded = "\n".join(mailbox.calendar_lines(content))
        assert ROOM not in unfolded
        assert registration.manage_code not in unfolded


def test_the_downloaded_entry_is_the_mailed_one_without_the_person(client: Client) -> None:
    registration = make_registration()
    registration.event.sequence, registration.sequence = 2, 1
    registration.event.save()
    registration.save()
    response = client.get(f"/rejoindre/{registration.join_code}/invitation.ics")
    mailed, downloaded = properties(invitation.invitation(registration)), properties(response.content)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"METHOD:PUBLISH" in response.content
    assert "ATTENDEE" not in downloaded
    assert "ORGANIZER" in downloaded
    assert (
        (downloaded["UID"], downloaded["SEQUENCE"]) == (mailed["UID"], mailed["SEQUENCE"]) == (registration.uid, "3")
    )


def test_the_public_entry_has_its_own_uid_and_no_personal_link(client: Client) -> None:
    registration = make_registration()
    event = registration.event
    content = client.get(f"/evenements/{event.slug}/evenement.ics").content
    found = properties(content)
    assert found["UID"] == f"evenement-{event.slug}@webinaires.example.org"
    assert found["URL"] == f"https://webinaires.example.org/evenements/{event.slug}/"
    assert "ATTENDEE" not in found
    assert registration.join_code not in content.decode().replace("\r\n ", "")


def test_who_took_the_public_file_before_signing_up_reads_which_of_two_entries_to_delete(client: Client) -> None:
    event = make_event()
    for path, is_theirs in {f"/evenements/{event.slug}/evenement.ics": True, "/webinaires.ics": False}.items():
        text = properties(client.get(path).content)["DESCRIPTION"]
        assert "Après votre inscription" in text
        assert ("Supprimez alors celui-ci." in text) == is_theirs  # nobody deletes an entry of a feed


def test_the_public_file_asks_nobody_to_sign_up_once_that_is_closed(client: Client) -> None:
    event = make_event(registration_closes_at=timezone.now())
    text = properties(client.get(f"/evenements/{event.slug}/evenement.ics").content)["DESCRIPTION"]
    assert f"/evenements/{event.slug}/" in text
    assert "nscri" not in text.replace("inscriptions@example.org", "")


def test_the_uid_stays_the_same_after_a_change_of_domain(settings: object) -> None:
    registration = make_registration()
    settings.HOST = "autre.example.org"  # type: ignore[attr-defined]
    registration.refresh_from_db()
    assert properties(invitation.invitation(registration))["UID"].endswith("@webinaires.example.org")


def test_a_title_cannot_inject_calendar_lines() -> None:
    event = make_event(title="Titre\r\nATTENDEE:mailto:x@example.org\r\nEND:VEVENT")
    content = invitation.invitation(make_registration(event))
    parsed = icalendar.Calendar.from_ical(content)
    [entry] = parsed.walk("VEVENT")
    assert str(entry["ATTENDEE"]).startswith("mailto:zoe")
    assert content.count(b"\r\nATTENDEE") == 1
