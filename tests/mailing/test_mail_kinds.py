"""Every mail there is: each kind for each reason, in both languages, before, on the day of, and after the event."""

import email.policy
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from registrations.domain import attendance
from registrations.mailing import composer
from registrations.models import Attendance, Broadcast, Delivery, Event, Registration
from registrations.models.mail_kinds import KINDS, Recipient
from registrations.models.registration import new_code
from tests import mailbox
from tests.factories import ROOM, make_event, make_registration

pytestmark = pytest.mark.django_db

SITE = "https://webinaires.example.org"
NOTE = "1234-SECRET"
WORDS = "Les mots de l’équipe."
WHEN = {"before": timedelta(days=7), "today": timedelta(minutes=10), "past": timedelta(days=-30)}


class Case(NamedTuple):
    kind: str
    reason: str = ""
    status: str = "confirmed"
    event: str = "published"
    links: str = ""  # first letters: join, report, manage, not me, stop messages, data, new address
    calendar: str = ""
    past_calendar: str | None = None  # where it is another one after the session


SEATED, WAITING, GONE = "confirmed", "waitlisted", "cancelled"
CASES = [
    *(
        Case("confirmation", reason, links="jrmnd", calendar="REQUEST", past_calendar="")
        for reason in ("new", "known", "resent", "returned", "corrected")
    ),
    Case("promoted", "promoted", links="jrmnd", calendar="REQUEST", past_calendar=""),
    *(
        Case("waiting_list", reason, WAITING, links="mnd")
        for reason in ("new", "known", "resent", "returned", "corrected")
    ),
    Case("waiting_list", "invited", WAITING, links="mnd", calendar="CANCEL", past_calendar=""),
    Case("reminder_day", links="jrmnd"),
    Case("reminder_hour", links="jrd"),
    Case("follow_up", links="jrmnd"),
    *(
        Case("changed", reason, links="jmnd", calendar="REQUEST", past_calendar="")
        for reason in ("moved", "hour", "reopened")
    ),
    *(Case("changed", reason, WAITING, links="mnd") for reason in ("moved", "hour", "reopened")),
    Case("changed", "notes", links="jmnd"),
    Case("changed", "postponed", event="postponed", links="mnd", calendar="CANCEL"),
    Case("changed", "postponed", WAITING, "postponed", links="mnd"),
    Case("cancelled", event="cancelled", links="mnd", calendar="CANCEL"),
    Case("cancelled", "", WAITING, "cancelled", links="mnd"),
    Case("withdrawn", "seat", GONE, links="mnd", calendar="CANCEL", past_calendar=""),
    Case("withdrawn", "seat", GONE, "postponed", links="mnd", calendar="CANCEL", past_calendar=""),
    Case("withdrawn", "seat_taken", GONE, links="mnd", calendar="CANCEL", past_calendar=""),
    Case("withdrawn", "resent", GONE, links="mnd"),
    Case("withdrawn", "line", GONE, links="mnd"),
    Case("updated", links="mnd"),
    Case("updated", "", WAITING, links="mnd"),
    Case("broadcast", links="jmnsd"),
    Case("broadcast", "", WAITING, links="mnsd"),
    Case("broadcast", "", WAITING, "postponed", links="mnsd"),
    Case("address_check", links="ad"),
    Case("address_changed", links="md"),
    Case("address_changed", "", GONE, links="md"),
    Case("address_changed", "invited", links="md", calendar="CANCEL", past_calendar=""),
    Case("address_changed", "invited", GONE, links="md", calendar="CANCEL", past_calendar=""),
    Case("address_changed", "corrected", links="d", calendar="CANCEL", past_calendar=""),
    Case("erased", "seat", GONE, links="d", calendar="CANCEL", past_calendar=""),
    Case("erased", "line", GONE, links="d"),
    Case("erased", "", GONE, links="d"),
]


def name(case: Case) -> str:
    return "-".join(part for part in (case.kind, case.reason, case.status, case.event) if part)


def an_event(when: str, case: Case, **fields: Any) -> Event:
    report = SimpleUploadedFile("rapport.pdf", b"%PDF-1.7\n%%EOF\n")
    defaults = {
        "starts_in": WHEN[when],
        "status": case.event,
        "connection_notes": NOTE,
        "organiser_words": WORDS if case.kind in {"changed", "cancelled"} else "",
        "open_after_session": True,
    }
    return make_event(report=False, report_file=report, **{**defaults, **fields})


def a_mail(case: Case, registration: Registration) -> composer.Mail:
    recipient = {"address_check": "new@example.org", "address_changed": "old@example.org"}.get(case.kind, "")
    kind = Delivery.Kind(case.kind)
    broadcast = a_broadcast(registration) if case.kind == "broadcast" else None
    owed = Delivery.objects.enqueue(registration, kind, reason=case.reason, recipient=recipient, broadcast=broadcast)
    return composer.compose(owed)


def a_broadcast(registration: Registration) -> Broadcast:
    audience, body = ("seated", "Votre lien : {lien}") if registration.is_seated else ("waiting", "Merci.")
    subject, body = "À propos de {titre}", f"## Bonjour {{prenom}} !\n\n{body}\n\n- **un**\n- deux"
    return Broadcast.objects.create(
        event=registration.event, audience=audience, subject=subject, body=body, created_by=1
    )


def read(composed: composer.Mail) -> tuple[str, str, str]:
    """Subject, text and HTML."""
    message = mailbox.read(composed.message().as_bytes())
    return message["Subject"], mailbox.text(message), mailbox.html(message)


def a_person(event: Event, case: Case, language: str) -> Registration:
    return make_registration(
        event,
        status=case.status,
        language=language,
        new_email="new@example.org",
        new_email_code=new_code(),
        last_name="NOM-X",
        organisation="STRUCTURE-X",
        question="QUESTION-X",
    )


def expected_links(case: Case, registration: Registration) -> set[str]:
    prefix = "" if registration.language == "fr" else "/en"
    by_letter = {
        "j": registration.join_url,
        "r": registration.report_url,
        "m": registration.manage_url,
        "n": registration.not_me_url,
        "s": registration.stop_messages_url,
        "d": f"{SITE}{prefix}/donnees-personnelles/",
        "a": registration.new_address_url,
    }
    return {by_letter[letter] for letter in case.links}


@pytest.fixture(autouse=True)
def _reports_land_in_a_folder(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_no_kind_and_no_reason_is_forgotten() -> None:
    to_registrants = {kind for kind, facts in KINDS.items() if facts.recipient == Recipient.REGISTRANT}
    assert {case.kind for case in CASES} == to_registrants
    assert {case.reason for case in CASES} - {""} == set(Delivery.Reason.values)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("case", CASES, ids=name)
def test_every_link_opens_for_someone_who_is_logged_out(case: Case, language: str, when: str) -> None:
    text = mailbox.text(
        mailbox.read(a_mail(case, a_person(an_event(when, case), case, language)).message().as_bytes())
    )
    answers = {link: Client().get(link.removeprefix(SITE)).status_code for link in mailbox.links(text)}
    assert answers
    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("case", CASES, ids=name)
def test_every_mail_is_whole(case: Case, language: str, when: str) -> None:
    registration = a_person(an_event(when, case), case, language)
    composed = a_mail(case, registration)
    content = composed.message(policy=email.policy.SMTP).as_bytes()
    message = mailbox.read(content)
    text, html = mailbox.text(message), mailbox.html(message)

    assert max(content) < 128
    assert message["Content-Language"] == language
    assert 10 < len(message["Subject"]) <= 90
    assert len(html.encode()) < 102_000

    links = expected_links(case, registration)
    assert set(mailbox.links(text)) == links
    assert {unescape(link) for link in mailbox.links(html)} == links
    assert links <= set(re.split(r"[\s]", text))  # each ends where the line or the word ends

    everything = "\n".join([message["Subject"], text, html])
    for never in ("None", "{{", "{%", "}}", "%(", "&amp;amp;", "\n\n\n\n", ROOM, "NOM-X", "STRUCTURE-X", "QUESTION-X"):
        assert never not in everything, never
    assert (NOTE in text, NOTE in html) == (case.reason == "notes", case.reason == "notes")
    if case.kind in {"changed", "cancelled"}:
        assert (WORDS in text, WORDS in html) == (True, True)

    method = case.calendar if when != "past" or case.past_calendar is None else case.past_calendar
    calendars = [part for part in message.walk() if part.get_content_type() in {"text/calendar", "application/ics"}]
    assert len(calendars) == (2 if method else 0)
    if method:
        one, other = mailbox.part(message, "text/calendar"), mailbox.part(message, "application/ics")
        assert one == other
        unfolded = "\n".join(mailbox.calendar_lines(one))
        assert f"METHOD:{method}" in unfolded
        secrets = [registration.manage_code, str(registration.new_email_code), ROOM, NOTE]
        assert [secret for secret in secrets if secret in unfolded] == []
        assert "invitation.ics" in text
        assert "invitation.ics" in html
    else:
        assert "invitation.ics" not in text + html


def words(marked_up: str) -> list[str]:
    """The words of a mail, in either form, without addresses and marks."""
    plain = re.sub(r"(?s)<head>.*?</head>|<!--.*?-->|<[^>]+>", " ", marked_up)
    return re.findall(r"[^\W\d_]+", re.sub(r"https?://\S+", " ", unescape(plain)))


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("case", CASES, ids=name)
def test_text_and_html_say_the_same(case: Case, when: str) -> None:
    """Every word of the text stands in the HTML in the same order; the HTML adds its title and its buttons."""
    message = mailbox.read(a_mail(case, a_person(an_event(when, case), case, "en")).message().as_bytes())
    in_html = iter(words(mailbox.html(message)))
    missing = [word for word in words(mailbox.text(message)) if word not in in_html]
    assert missing == []


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_longest_title_makes_no_long_subject(case: Case) -> None:
    event = an_event("before", case, short_title="Réseau " * 11, title="Long " * 40)
    subject = a_mail(case, a_person(event, case, "en")).subject
    assert len(subject) <= 90


@pytest.mark.parametrize("case", [case for case in CASES if case.status == WAITING], ids=name)
@pytest.mark.parametrize("when", WHEN)
def test_who_waits_is_given_no_way_into_the_room(case: Case, when: str) -> None:
    registration = a_person(an_event(when, case), case, "en")
    assert registration.join_code not in a_mail(case, registration).message().as_string()


def test_once_it_has_begun_nobody_is_promised_a_seat() -> None:
    case = Case("waiting_list", "resent", WAITING)
    before, begun = (read(a_mail(case, a_person(an_event(when, case), case, "en"))) for when in ("before", "past"))
    assert "We will write to you as soon as a seat becomes free" in before[1]
    assert begun[0].startswith("No seat became free: webinar of ")
    for form in begun[1:]:
        assert "no seat became free before the start" in form
        assert "as soon as a seat" not in form
        assert "When:" not in form


def test_a_mail_of_a_postponed_event_tells_no_date_but_that_of_the_entry_to_take_out() -> None:
    for case in CASES:
        if case.event == "postponed":
            event = an_event("before", case)
            day = f"{event.starts_at.astimezone(event.zone).day}\u00a0{event.starts_at.astimezone(event.zone):%B}"
            subject, *forms = read(a_mail(case, a_person(event, case, "en")))
            assert day not in subject
            taken_out = "takes out the entry of "
            assert [form.count(day) for form in forms] == [form.count(taken_out) for form in forms]


@pytest.mark.usefixtures("with_pango")
def test_the_follow_up_speaks_of_the_certificate_only_to_who_came() -> None:
    case = Case("follow_up")
    event = an_event("past", case)
    attended, away = a_person(event, case, "en"), make_registration(event, language="en")
    attendance.note(attended, Attendance.Origin.JOIN)
    assert ["certificate" in a_mail(case, registration).body for registration in (attended, away)] == [True, False]


def test_the_alert_has_one_link_and_no_registrant() -> None:
    message = composer.compose(Delivery.objects.create(kind="alert", recipient="operator@example.org"))
    assert mailbox.links(str(message.body)) == [f"{SITE}/admin/registrations/delivery/"]
    assert message.to == ["operator@example.org"]
