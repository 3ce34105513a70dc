"""Whatever is typed into any field of an event and of a registration: every mail, page and document can be made."""

from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import icalendar
import pytest
from django.db.models import CharField, EmailField, Model, TextField
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
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
from registrations.mailing import composer
from registrations.mailing.previews import EXAMPLES, SAMPLES, sample_delivery
from registrations.models import Attendance, Broadcast, Delivery, Event, EventQuestion, Registration, ReportSection
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
    Broadcast: {"state"},
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


class Webinar:
    """An event, with a person who was there and a message, all of them with these texts."""

    def __init__(self, draw: Any) -> None:
        self.event = make_event(report=False, **typed(draw, Event))
        ReportSection.objects.create(event=self.event, position=1, **typed(draw, ReportSection))
        question = make_question(self.event, **typed(draw, EventQuestion))
        answers = {str(question.pk): draw(texts, "answer")}
        self.person = make_registration(self.event, own_answers=answers, **typed(draw, Registration))
        fields = {"state": Broadcast.State.CONFIRMED, "confirmed_at": timezone.now(), **typed(draw, Broadcast)}
        self.broadcast = make_broadcast(self.event, **fields)
        Attendance.objects.create(registration=self.person, minutes=42, origin="report")


every_text = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


class Texts(HTMLParser):
    def error(self, message: str) -> None:
        raise AssertionError(message)


@every_text
@given(data=st.data())
def test_every_kind_of_mail_is_composed_and_read_again(data: Any) -> None:
    made = Webinar(data.draw)
    for sample in SAMPLES.values():
        for person in (str(made.person.pk), *EXAMPLES):
            delivery = sample_delivery(made.event, sample, person)
            if sample.kind == Delivery.Kind.BROADCAST:
                delivery.broadcast = made.broadcast
            mail = message_from_bytes(composer.compose(delivery).message().as_bytes(), policy=default)
            assert mail.defects == [], sample.key
            assert len(str(mail["Subject"]).splitlines()) == 1, sample.key
            for part in mail.walk():
                assert part.defects == [], sample.key
                if part.get_content_type() == "text/calendar":
                    assert icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")


@every_text
@given(data=st.data())
def test_every_page_is_shown(data: Any, admin_client: Client) -> None:
    made = Webinar(data.draw)
    event, person, client = made.event, made.person, Client()
    with translation.override("fr"):  # a page before may have been English
        of_event = [reverse(name, args=[event.slug]) for name in ("event", "sign_up", "public_calendar")]
        joined = [reverse(name, args=[person.join_code]) for name in ("join", "personal_calendar")]
        own = ("manage", "correct", "change_address", "my_data")
        managed = [reverse(name, args=[person.manage_code]) for name in own]
    for path in [*of_event, *joined, *managed]:
        for prefix in ("", "/en"):
            answer = client.get(prefix + path)
            assert answer.status_code == 200, path
            Texts().feed(answer.text)
    assert client.get("/sitemap.xml").status_code == 200
    changed = [("event", event.pk), ("registration", person.pk)]
    pages = [reverse(f"admin:registrations_{name}_change", args=[pk]) for name, pk in changed]
    lists = [reverse(f"admin:registrations_{name}_changelist") for name in ("event", "registration", "delivery")]
    for path in ["/admin/", *pages, *lists]:
        assert admin_client.get(path).status_code == 200, path


@every_text
@given(data=st.data())
def test_every_document_is_written_and_typeset(data: Any, tmp_path: Path) -> None:
    made = Webinar(data.draw)
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
