"""The confirmation, byte by byte: tree, headers, words, what is attached and what is said of it."""

import email
import email.policy
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings

from registrations.domain import signup
from registrations.mailing import composer, outbox
from registrations.mailing.transports import mime
from registrations.models import Delivery, Registration
from registrations.models.person_fields import PERSON_FIELDS, Kind
from tests import mailbox
from tests.factories import ROOM, answers, make_event, make_past_event, make_registration
from tests.journey import Journey, shown_stamp

pytestmark = pytest.mark.django_db

TREE = [
    "multipart/mixed",
    ["multipart/alternative", "text/plain", "text/html", "text/calendar"],
    "application/ics",
    "application/pdf",
]


def owed(registration: Registration, reason: str = "new") -> Delivery:
    return Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason=reason)


def received(registration: Registration, folder: Path, reason: str = "new") -> Any:
    owed(registration, reason)
    outbox.drain()
    return mailbox.read_folder(folder)[-1]


@pytest.mark.typesetting
def test_the_file_is_a_valid_seven_bit_message_with_the_promised_tree(outbox_folder: Path) -> None:
    received(make_registration(first_name="Zoë"), outbox_folder)
    [path] = outbox_folder.glob("*.eml")
    content = path.read_bytes()

    assert max(content) < 128
    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    message = mailbox.read(content)
    assert mailbox.tree(message) == TREE
    assert message.defects == []


def test_headers_say_who_writes_to_whom_and_that_a_machine_does(outbox_folder: Path) -> None:
    registration = make_registration(email="zoe@example.org")
    message = received(registration, outbox_folder)

    assert message["From"] == "Le Pôle ressources <inscriptions@example.org>"
    assert message["To"] == "zoe@example.org"
    assert message["Reply-To"] == "contact@example.org"
    assert message["Message-ID"] == Delivery.objects.get().message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, NRN, AutoReply, RN"
    assert message["Content-Language"] == "fr"
    absent = ["List-Unsubscribe", "Precedence", "X-Priority", "In-Reply-To", "Cc", "Bcc"]
    assert [name for name in absent if name in message] == []


def test_a_reply_does_not_quote_the_way_out(outbox_folder: Path) -> None:
    """Mail programs leave out of a reply what stands below « -- » and a blank (RFC 3676, section 4.3)."""
    registration = make_registration()
    mail = received(registration, outbox_folder)
    above, _separator, below = mailbox.text(mail).replace("\r", "").partition("\n-- \n")
    assert registration.not_me_url not in above
    assert registration.not_me_url in below


def test_in_html_the_way_out_stands_in_what_programs_know_as_a_signature(outbox_folder: Path) -> None:
    registration = make_registration()
    above, separator, below = mailbox.html(received(registration, outbox_folder)).partition(
        '<div class="moz-signature">-- <br>'
    )
    assert separator
    assert registration.not_me_url not in above
    assert registration.manage_url in above
    assert registration.not_me_url in below


def test_a_later_mail_answers_the_first_one(outbox_folder: Path) -> None:
    registration = make_registration()
    first = received(registration, outbox_folder)
    again = received(registration, outbox_folder, "known")
    assert again["In-Reply-To"] == again["References"] == first["Message-ID"]
    assert again["Message-ID"] != first["Message-ID"]


def test_the_calendar_stands_in_the_mail_twice_and_is_the_same_object(outbox_folder: Path) -> None:
    message = received(make_registration(), outbox_folder)
    [alternative] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert alternative["Content-Type"].params == {"method": "REQUEST", "charset": "utf-8"}
    assert alternative["Content-Disposition"] is None
    assert mailbox.part(message, "text/calendar") == mailbox.part(message, "application/ics")
    attachment = next(part for part in message.walk() if part.get_content_type() == "application/ics")
    assert (attachment["Content-Transfer-Encoding"], attachment.get_filename()) == ("base64", "invitation.ics")


@pytest.mark.typesetting
def test_text_and_html_carry_the_same_links_and_facts(outbox_folder: Path) -> None:
    registration = make_registration()
    message = received(registration, outbox_folder)
    text, html = mailbox.text(message), mailbox.html(message)

    personal = [*[registration.join_url, registration.report_url, registration.manage_url, registration.not_me_url]]
    assert set(mailbox.links(text)) == {*personal, "https://webinaires.example.org/donnees-personnelles/"}
    assert set(mailbox.links(html)) == set(mailbox.links(text))
    for fact in ["Faire vivre un réseau d’acteurs", "Ada Contact", "heure de Paris", "du Pôle ressources", "Zoë"]:
        assert fact in text
        assert fact in html
    assert "<img" not in html
    assert len(html.encode()) < 102_000
    assert registration.join_url in text.splitlines()  # alone on its line: no client cuts it


def test_nothing_a_visitor_typed_but_the_name_is_mailed(outbox_folder: Path) -> None:
    texts = [one.name for one in PERSON_FIELDS if one.asked and one.asked.kind in {Kind.TEXT, Kind.LONG_TEXT}]
    typed: dict[str, Any] = {name: f"{name}-X" for name in [*texts, "last_name"]}
    registration = make_registration(first_name="Zoë <b>", **typed)
    message = received(registration, outbox_folder)
    calendar = "\n".join(mailbox.calendar_lines(mailbox.part(message, "text/calendar")))
    everything = mailbox.text(message) + mailbox.html(message) + calendar
    assert [value for value in typed.values() if value in everything] == []
    assert "Zoë <b>" not in mailbox.html(message)
    assert "Zoë" not in message["Subject"]


def test_the_room_is_in_no_mail_and_no_calendar_file(outbox_folder: Path) -> None:
    event = make_event(starts_in=timedelta(minutes=5), connection_notes="Code : 1234-SECRET")
    received(make_registration(event), outbox_folder)
    [path] = outbox_folder.glob("*.eml")
    message = mailbox.read(path.read_bytes())
    for leaf in message.walk():
        content = leaf.get_payload(decode=True) or b""
        assert isinstance(content, bytes)
        assert ROOM.encode() not in content
        assert b"1234-SECRET" not in content


@pytest.mark.parametrize(
    ("reason", "subject", "sentence"),
    [
        ("new", "Inscription confirmée\u00a0: webinaire du ", "Votre inscription est confirmée"),
        ("known", "Votre inscription au webinaire du ", "Rien n’a été modifié. Voici à nouveau votre lien."),
        ("resent", "Votre lien pour le webinaire du ", "Voici à nouveau la confirmation."),
    ],
)
def test_the_reason_chooses_subject_and_first_sentence(
    outbox_folder: Path, reason: str, subject: str, sentence: str
) -> None:
    message = received(make_registration(), outbox_folder, reason)
    assert message["Subject"].startswith(subject)
    assert len(message["Subject"]) <= 90
    assert sentence in mailbox.text(message)
    assert sentence in mailbox.html(message)


def test_a_mail_about_a_past_webinar_promises_nothing_to_come(outbox_folder: Path) -> None:
    text = mailbox.text(received(make_registration(make_past_event()), outbox_folder))
    assert "qui a eu lieu le" in text
    for promise in ["en ligne", "La salle", "besoin particulier"]:
        assert promise not in text


def test_an_english_registration_gets_an_english_mail(outbox_folder: Path) -> None:
    message = received(make_registration(language="en"), outbox_folder)
    assert message["Content-Language"] == "en"
    assert message["Subject"].startswith("Registration confirmed: webinar of ")
    assert "https://webinaires.example.org/en/rejoindre/" in mailbox.text(message)
    assert 'lang="en"' in mailbox.html(message)


def a_pdf(size: int) -> SimpleUploadedFile:
    return SimpleUploadedFile("rapport.pdf", b"%PDF-1.7\n" + b"x" * size + b"\n%%EOF\n")


@pytest.mark.parametrize(
    ("size", "attached", "sentence"),
    [
        (100_000, ["invitation.ics", "rapport-etude.pdf"], "(PDF, 100\u00a0Ko), en pièce jointe"),
        (2_400_000, ["invitation.ics"], "(PDF, 2,4\u00a0Mo), à télécharger"),
    ],
)
def test_the_sentence_on_the_report_follows_what_is_attached(
    outbox_folder: Path, settings: Settings, tmp_path: Path, size: int, attached: list[str], sentence: str
) -> None:
    settings.MEDIA_ROOT = tmp_path
    registration = make_registration(make_event(report=False, report_file=a_pdf(size)))
    message = received(registration, outbox_folder)
    assert mailbox.attachment_names(message) == attached
    for words in (mailbox.text(message), mailbox.html(message)):
        size_in_words, _comma, where = sentence.rpartition(", ")
        assert size_in_words in words
        assert where in words.partition(size_in_words)[2][:200]
        assert registration.report_url in words
    [path] = outbox_folder.glob("*.eml")
    assert path.stat().st_size < settings.MAIL_MAX_BYTES


def test_a_replaced_report_leaves_with_the_next_mail(outbox_folder: Path, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event(report=False, report_file=a_pdf(10))
    received(make_registration(event), outbox_folder)
    path = Path(event.report_file.path)
    path.unlink()
    path.write_bytes(b"%PDF-1.7\nanother")
    message = received(make_registration(event), outbox_folder)
    assert mailbox.part(message, "application/pdf") == b"%PDF-1.7\nanother"


def test_the_report_arrives_byte_for_byte_with_lines_of_the_length_that_mail_allows(
    outbox_folder: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    content = b"%PDF-1.7\n" + bytes(range(256)) * 40
    registration = make_registration(make_event(report=False, report_file=SimpleUploadedFile("r.pdf", content)))
    message = received(registration, outbox_folder)
    assert mailbox.part(message, "application/pdf") == content
    [report] = [part for part in message.walk() if part.get_content_type() == "application/pdf"]
    lines = str(report.get_payload()).splitlines()
    assert max(map(len, lines)) == 76
    assert message.as_string().count(lines[0]) == 1


@pytest.mark.typesetting
def test_the_presentation_is_called_one(outbox_folder: Path) -> None:
    assert "La présentation de l’étude (PDF, " in mailbox.text(received(make_registration(), outbox_folder))


def test_a_mail_of_an_event_without_a_report_promises_none(outbox_folder: Path) -> None:
    message = received(make_registration(make_event(report=False)), outbox_folder)
    assert mailbox.attachment_names(message) == ["invitation.ics"]
    assert "rapport" not in mailbox.text(message)
    assert "rapport.pdf" not in mailbox.text(message) + mailbox.html(message)


def test_a_report_file_that_is_gone_keeps_no_mail_back_for_long(
    outbox_folder: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    event = make_event(report=False, report_file=a_pdf(10))
    Path(event.report_file.path).unlink()
    owed(make_registration(event))
    for _ in range(3):
        outbox.drain()
        Delivery.objects.update(send_at=timezone.now())
    [message] = mailbox.read_folder(outbox_folder)
    assert mailbox.attachment_names(message) == ["invitation.ics"]


@pytest.mark.typesetting
def test_an_http_api_gets_the_calendar_as_its_only_attachment_with_its_method(settings: Settings) -> None:
    settings.MAILERS = {"default": {"BACKEND": "anymail.backends.mailjet.EmailBackend"}}
    message = composer.compose(owed(make_registration()))
    assert [mimetype for _content, mimetype in message.alternatives] == ["text/html"]
    [calendar, report] = message.attachments
    assert (calendar.filename, calendar.mimetype) == ("invitation.ics", "text/calendar; method=REQUEST")
    assert isinstance(calendar.content, str)
    assert report.mimetype == "application/pdf"
    assert message.metadata == {"delivery": str(Delivery.objects.get().pk), "site": "webinaires.example.org"}


def test_links_never_come_from_the_host_header(journey: Journey, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    event = make_event()
    path = f"/evenements/{event.slug}/inscription/"
    stamp = shown_stamp(journey.client, path)
    journey.client.post(path, {**answers(), "stamp": stamp}, headers={"host": "evil.example"})
    [message] = journey.mails()
    assert "evil.example" not in mailbox.text(message) + mailbox.html(message)


def test_one_mail_costs_few_queries(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    event = make_event()
    for _ in range(3):
        signup.register(event, language="fr", **answers())
    outbox.drain()
    signup.register(event, language="fr", **answers())
    with django_assert_max_num_queries(14):
        outbox.drain()


@pytest.mark.parametrize("day", [1, 6, 9, 10, 31])
@pytest.mark.parametrize(
    "words",
    [
        "Inscription confirmée\u00a0: webinaire du dimanche {day}\u00a0décembre, 14\u00a0h",
        "Nouvel horaire\u00a0: Webinaire réseau, dimanche {day}\u00a0décembre, 21\u00a0h\u00a038",
        "Registration confirmed: webinar of Sunday {day} December, 2:00\u00a0p.m.",
        "« Très »  long" * 12 + " {day}",
        "Rappel {day}: webinar",
    ],
)
def test_a_subject_is_read_as_it_was_written_whatever_the_day(words: str, day: int) -> None:
    subject = words.format(day=day)
    for linesep, policy in mime.SEVEN_BIT.items():
        message = EmailMessage(policy=policy)
        message["Subject"] = subject
        raw = message.as_bytes()
        assert email.message_from_bytes(raw, policy=email.policy.default)["Subject"] == subject
        assert raw.isascii()
        assert max(len(line) for line in raw.decode().split(linesep)) <= 78
