"""Whatever is typed into any field of an event and of a registration: every mail, page and document can be made.

Few examples, and other ones in each run: whole pages and mails are made of each.
"""

import time
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import uuid4

import icalendar
import pytest
from django.conf import settings as site
from django.db.models import CharField, EmailField, Model, TextField
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from registrations.documents import (
    certificate,
    event_report,
    invitation,
    pdf,
    sign_in_sheet,
    speakers_sheet,
    study_report,
)
from registrations.domain import attendance, colleagues
from registrations.mailing import composer
from registrations.mailing.previews import EXAMPLES, SAMPLES, sample_delivery
from registrations.models import (
    Attendance,
    Broadcast,
    Delivery,
    Event,
    EventQuestion,
    Registration,
    ReportSection,
)
from registrations.models.one_line import one_line
from registrations.models.registration import new_code
from registrations.security.roles import PER_EVENT
from registrations.web import signed_up
from registrations.web.fields import AddressField
from tests.admin_client import logged_in
from tests.domain.broadcasts import make_broadcast
from tests.factories import make_event, make_question, make_registration

pytestmark = pytest.mark.django_db

WRITTEN_BY_THE_SITE = {
    Event: {"slug", "timezone", "connection_url", "replay_url", "status"},
    Registration: {
        "status",
        "language",
        "uid",
        "join_code",
        "manage_code",
        "new_email_code",
        "certificate_number",
        "search",
    },
    EventQuestion: {"kind"},
    ReportSection: set[str](),
    Broadcast: {"state", "audience", "planned_for_status", "held_because"},
}
PITFALLS = [
    "\u2028",
    "\x85",
    "\v",
    "\u202e",  # the text after it runs from right to left
    "\ufeff",
    "\u00ad",
    "{lien}",
    "{{ event }}",
    "{% if %}",
    "%(name)s",
    "<script>alert(1)</script>",
    "]]>",
    "&amp;",
    "\\",
    '"',
    "'",
    ";",
    ",",
    ":",
    "=?utf-8?q?x?=",
    "[a](javascript:b)",
    "![](https://example.org/a.png)",
    "*" * 40,
    "#" * 8,
    "> " * 20,
    "\n\n",
    "\r\n",
    "www.example.org/\u200b",
    "عربي",
    "漢字",
    "👩‍👩‍👧",
    "e" + "\u0301" * 30,
    "a" * 400,
]
texts = st.lists(
    st.sampled_from(PITFALLS)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),  # both refused by forms
    max_size=5,
).map("".join)


ATOM = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=8)  # RFC 5322, section 3.2.3
local_parts = st.lists(ATOM, min_size=1, max_size=3).map(".".join).filter(lambda text: len(text) <= 64)
DOMAINS = ["example.org", "a-b.c.example", "xn--fa-hia.example", "1.example"]
addresses = st.builds("{}@{}".format, local_parts, st.sampled_from(DOMAINS)).filter(
    lambda address: not address.startswith("'")  # quotation marks around an address are no part of it
)
DAYS = {"starts_in": timedelta(days=7), "lasts": timedelta(days=2)}
SESSIONS: dict[str, dict[str, Any]] = {
    "of one day": {"starts_in": timedelta(days=7)},
    "of several days": DAYS,
    "yesterday, and open": {"starts_in": timedelta(days=-1), "open_after_session": True},
    "not yet open": {"starts_in": timedelta(days=7), "opens_in": timedelta(days=1)},
    "postponed": {**DAYS, "status": Event.Status.POSTPONED},
    "cancelled": {**DAYS, "status": Event.Status.CANCELLED},
}


def fields_of(model: type[Model]) -> list[Any]:
    """Fields for text that a person types."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, CharField | TextField)
        and not isinstance(field, EmailField)
        and field.name not in WRITTEN_BY_THE_SITE[model]
        and not field.choices
    ]


def typed(draw: Any, model: type[Model]) -> dict[str, Any]:
    return {
        field.name: draw(texts, f"{model.__name__}.{field.name}")[: field.max_length] for field in fields_of(model)
    }


def invitation_to(event: Event) -> Delivery:
    address = f"{uuid4().hex}@example.org"
    invited = colleagues.invite(email=address, first_name="", last_name="", role=PER_EVENT, events=[event], by=1)
    return Delivery.objects.get(invitation=invited)


class Webinar:
    """An event, with a person who was there and messages, all of them with these texts and addresses."""

    def __init__(self, draw: Any, session: str) -> None:
        times = {"lasts": timedelta(minutes=90), "opens_in": None, **SESSIONS[session]}
        lasts, opens_in = times.pop("lasts"), times.pop("opens_in")
        self.contact, self.address, new_address = (draw(addresses, name) for name in ("contact", "person", "new"))
        words = typed(draw, Event)
        words["contact_name"] = one_line(words["contact_name"]).strip() or "Zoë"  # a published event has one
        self.event = make_event(report=False, contact_email=self.contact, **times, **words)
        self.event.ends_at = self.event.starts_at + lasts
        self.event.registration_opens_at = timezone.now() + opens_in if opens_in else None
        self.event.save()
        ReportSection.objects.create(event=self.event, position=1, **typed(draw, ReportSection))
        question = make_question(self.event, **typed(draw, EventQuestion))
        self.person = make_registration(
            self.event,
            own_answers={str(question.pk): draw(texts, "answer")},
            email=self.address,
            new_email=new_address,
            new_email_code=new_code(),
            **typed(draw, Registration),
        )
        words = typed(draw, Broadcast)
        self.draft = make_broadcast(self.event, **words)
        state = {"state": Broadcast.State.CONFIRMED, "confirmed_at": timezone.now()}
        self.broadcast = make_broadcast(self.event, **state, **words)
        attendance.note(self.person, Attendance.Origin.IMPORT, minutes=42)
        self.person.refresh_from_db()


every_text = settings(
    max_examples=2,
    phases=[Phase.generate],  # to look for the smallest example takes minutes
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@settings(deadline=None)
@given(address=addresses)
def test_the_addresses_tried_here_are_those_that_the_forms_take(address: str) -> None:
    assert AddressField().clean(address).lower() == address.lower()


@pytest.mark.parametrize("session", ["of one day", "of several days"])
@every_text
@given(data=st.data())
def test_every_kind_of_mail_is_composed_and_read_again(data: Any, session: str) -> None:
    made = Webinar(data.draw, session)
    event, trial = made.event, {"kind": Delivery.Kind.TRIAL, "recipient": made.address}
    Delivery.objects.create(event=event, attempts=1, error=data.draw(texts, "error"))  # of which an alert tells
    of_kinds = [
        *(
            sample_delivery(event, sample, person)
            for sample in SAMPLES.values()
            for person in (str(made.person.pk), *EXAMPLES)
        ),
        Delivery(kind=Delivery.Kind.BROADCAST, registration=made.person, broadcast=made.broadcast),
        Delivery(**trial, broadcast=made.draft),
        Delivery(**trial, sample={"event": event.pk, "mail": "confirmation-new", "person": str(made.person.pk)}),
        Delivery(kind=Delivery.Kind.ALERT, recipient=made.contact),
        invitation_to(event),
    ]
    assert {delivery.kind for delivery in of_kinds} == set(Delivery.Kind)
    for delivery in of_kinds:
        mail = message_from_bytes(composer.compose(delivery).message().as_bytes(), policy=default)
        assert mail.defects == [], delivery.kind
        assert len(str(mail["Subject"]).splitlines()) <= 1, delivery.kind
        assert addresses_in(mail, "To") == [delivery.address], delivery.kind
        assert addresses_in(mail, "Reply-To") in ([made.contact], []), delivery.kind
        for part in mail.walk():
            assert part.defects == [], delivery.kind
            if part.get_content_type() == "text/calendar":
                assert icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")


def addresses_in(mail: Any, header: str) -> list[str]:
    return [one.addr_spec for one in mail[header].addresses] if mail[header] else []


@pytest.mark.parametrize("session", SESSIONS)
@every_text
@given(data=st.data())
def test_every_page_is_shown(data: Any, session: str) -> None:
    made = Webinar(data.draw, session)
    event, person, client = made.event, made.person, Client()
    remember_sign_up(client, person)
    with translation.override("fr"):  # a page before may have been English
        of_event = [reverse(name, args=[event.slug]) for name in OF_EVENT]
        joined = [reverse("join", args=[person.join_code])]
        managed = [reverse(name, args=[person.manage_code]) for name in OF_PERSON]
        confirmed = [reverse("confirm_address", args=[person.new_email_code])]
        elsewhere = {reverse("report", args=[person.join_code]): {200, 202}, reverse("home"): {200, 302}}
        if session == "not yet open":
            of_event.append(reverse("public_calendar", args=[event.slug]))
        if event.status == Event.Status.PUBLISHED:
            joined.append(reverse("personal_calendar", args=[person.join_code]))
        if person.has_certificate:
            managed.append(reverse("certificate_check", args=[person.certificate_number]))
            elsewhere[reverse("certificate", args=[person.manage_code])] = {202, 503}  # 503: no font has a character
    expected = {**{path: {200} for path in [*of_event, *joined, *managed, *confirmed]}, **elsewhere}
    for path, statuses in expected.items():
        for prefix in ("", "/en"):
            assert client.get(prefix + path).status_code in statuses, path
    assert client.get("/sitemap.xml").status_code == 200


OF_EVENT = ["event", "sign_up", "thanks", "correct_address", "resend"]
OF_PERSON = ["manage", "correct", "change_address", "withdraw", "erase", "not_me", "my_data"]


def remember_sign_up(client: Client, person: Registration) -> None:
    """The browser of someone who has just signed up."""
    answers = {"email": person.email, "first_name": person.first_name}
    session = client.session
    session[signed_up.KEY] = {
        "slug": person.event.slug,
        "answers": answers,
        "registration": person.pk,
        "at": time.time(),
    }
    session.save()
    client.cookies[site.SESSION_COOKIE_NAME] = session.session_key or ""


@pytest.mark.parametrize("session", ["of one day", "of several days", "postponed"])
@every_text
@given(data=st.data())
def test_every_page_of_the_back_office_is_shown(data: Any, session: str, organiser: Client) -> None:
    made = Webinar(data.draw, session)
    of_event = [reverse(f"admin:registrations_event_{name}", args=[made.event.pk]) for name in ADMIN_OF_EVENT]
    messages = [
        reverse("admin:registrations_event_broadcast", args=[made.event.pk, broadcast.pk])
        for broadcast in (made.draft, made.broadcast)
    ]
    person = [
        reverse(f"admin:registrations_registration_{name}", args=[made.person.pk]) for name in ("change", "history")
    ]
    lists = [reverse(f"admin:registrations_{name}_changelist") for name in ("event", "registration", "delivery")]
    for path in ["/admin/", *of_event, *messages, *person, *lists]:
        assert organiser.get(path).status_code == 200, path


ADMIN_OF_EVENT = [
    *["change", "preview", "preview_form", "mails", "figures", "lists", "timeline", "answers", "duplicate"],
    *["presences", "registrants", "write"],
]


@pytest.fixture
def organiser() -> Client:
    return logged_in()


@pytest.mark.parametrize("session", ["of one day", "of several days"])
@settings(every_text, max_examples=1)
@given(data=st.data())
def test_every_document_is_written_and_typeset(data: Any, session: str) -> None:
    made = Webinar(data.draw, session)
    event, person = made.event, made.person
    for entry in (invitation.invitation(person), invitation.personal_entry(person), invitation.public_entry(event)):
        assert icalendar.Calendar.from_ical(entry).walk("VEVENT")
    htmls = [
        certificate.typeset_html(person, issued_at=timezone.now()),
        event_report.typeset_html(event),
        sign_in_sheet.typeset_html(event),
        speakers_sheet.typeset_html(event, with_territory=True),
        study_report.typeset_html(study_report.presentation_of(event)),
    ]
    assert all(made.startswith(b"%PDF-") for made in pdf.render_all(htmls, timeout=120))
