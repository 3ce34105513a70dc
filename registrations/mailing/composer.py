"""Compose a mail: a Delivery in, a complete message out. Nothing here sends.

The rules of each kind are in models/mail_kinds.py; its words are in `templates/mail/`.
"""

import email.policy
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage as StandardMessage
from email.policy import Policy
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from anymail.message import AnymailMessageMixin
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import DatabaseError, InterfaceError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from registrations.documents import pdf, study_report
from registrations.documents.invitation import Method, personal_entry
from registrations.mailing import (
    calendar_objects,
    enclosures,
    first_mails,
    invitations,
    own_words,
    placeholders,
    previews,
)
from registrations.mailing.failures import NotComposed
from registrations.mailing.own_words import SPACES
from registrations.mailing.transports import mime
from registrations.models import Delivery, Event, shown_identity
from registrations.models.mail_kinds import Recipient
from registrations.models.one_line import one_line
from registrations.text import markdown

logger = logging.getLogger(__name__)

SMTP = "registrations.mailing.transports.smtp.EmailBackend"
RAW_BACKENDS = {
    "registrations.mailing.transports.eml_folder.EmailBackend",
    SMTP,
    "anymail.backends.amazon_ses.EmailBackend",
}
Kind = Delivery.Kind
BLANK_LINES = re.compile(r"\n{3,}")
SUBJECT_MAX = 90  # characters; a short title alone may have 80
NO_METADATA = {"mailersend", "postal"}  # their APIs accept none
ALERT_REASONS = 5  # at most, in one alert


class Mail(AnymailMessageMixin, EmailMultiAlternatives):  # type: ignore[misc] # anymail has no types
    """A 7-bit clean message, as RFC 6047, section 2.5, requires for calendar objects."""

    encoded_report: study_report.Report | None = None

    def message(self, *, policy: "Policy[Any] | None" = None) -> StandardMessage:
        with not_composed():
            message: StandardMessage = super().message(policy=mime.SEVEN_BIT[(policy or email.policy.default).linesep])
        if self.encoded_report:
            return mime.Encoded.of(message, self.encoded_report.base64)
        return message


def compose(delivery: Delivery) -> Mail:
    """The message of a delivery, in the recipient's language, in the form that the configured transport accepts.

    Raises NotComposed, and RenderingFailed while the report cannot be typeset.
    """
    with not_composed():
        return _with_headers(delivery)


@contextmanager
def not_composed() -> Iterator[None]:
    """Whatever goes wrong in the block is a defect of this mail, except for the report and for the database."""
    try:
        yield
    except (pdf.RenderingFailed, DatabaseError, InterfaceError):
        raise
    except Exception as error:
        raise NotComposed from error


def _with_headers(delivery: Delivery) -> Mail:
    if delivery.kind == Kind.TRIAL and delivery.sample:
        delivery = previews.trial_delivery(delivery)
    registration = delivery.registration
    if registration:
        registration.preview_as_published()
    language = registration.language if registration else settings.LANGUAGE_CODE
    with translation.override(language):
        mail = _composed(delivery)
    mail.to = [one_line(delivery.address)]
    ours = {"delivery": str(delivery.pk), "site": settings.HOST[:80]}
    if _provider() not in NO_METADATA:
        mail.metadata = ours
    headers = {
        **_message_id(delivery),
        **_relay_headers(ours),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, NRN, AutoReply, RN",
        "Content-Language": language,
        **_thread(delivery),
        **_unsubscribe(delivery),
    }
    mail.extra_headers = {name: one_line(value) for name, value in headers.items()}
    return mail


def _composed(delivery: Delivery) -> Mail:
    if delivery.facts.recipient == Recipient.OPERATOR:
        return alert(delivery)
    if delivery.kind == Kind.INVITATION:
        return invitation(delivery)
    return message(delivery) if delivery.facts.is_written_by_organiser else letter(delivery)


def _provider() -> str:
    """The name of anymail's backend, as in EMAIL_URL; empty for the folder and for any SMTP server."""
    module = settings.MAILERS["default"]["BACKEND"].removesuffix(".EmailBackend")
    return module.removeprefix("anymail.backends.") if module.startswith("anymail.") else ""


def _message_id(delivery: Delivery) -> dict[str, str]:
    """Mailjet's API refuses a mail with our Message-ID; Postmark's replaces it unless a header says otherwise."""
    match _provider():
        case "mailjet":
            return {}
        case "postmark":
            return {"Message-ID": delivery.message_id, "X-PM-KeepID": "true"}
    return {"Message-ID": delivery.message_id}


def _relay_headers(ours: dict[str, str]) -> dict[str, str]:
    """Headers for a provider's SMTP relay: our own id, which comes back in its events, and no tracking."""
    if settings.MAILERS["default"]["BACKEND"] != SMTP:
        return {}
    match settings.MAIL_PROVIDER:
        case "brevo":
            return {"X-Mailin-custom": json.dumps(ours)}
        case "mailjet":
            untracked = {"X-Mailjet-TrackOpen": "0", "X-Mailjet-TrackClick": "0"}
            return {"X-MJ-EventPayload": json.dumps(ours), **untracked}
        case "postmark":
            untracked = {"X-PM-TrackOpens": "false", "X-PM-TrackLinks": "None"}
            metadata = {f"X-PM-Metadata-{name}": value for name, value in ours.items()}
            return {**metadata, **untracked, "X-PM-KeepID": "true"}
    return {}


def letter(delivery: Delivery) -> Mail:
    """A mail with the words of its kind and, if its kind has them, the calendar object and the study report."""
    registration, event = delivery.registration, delivery.related_event
    if event is None:
        raise ValueError("This kind of mail needs a registration or an event.")
    method = calendar_objects.method_of(delivery)
    report = _report(delivery) if delivery.facts.has_report else None
    attached = report is not None and study_report.fits_in_mail(report.size)
    enclosed = enclosures.enclosures(delivery, taken=report.size if report and attached else 0)
    context = {
        "registration": registration,
        "event": event,
        "enclosures": enclosed,
        "reason": delivery.reason,
        "calendar": method,
        "report": report,
        "report_attached": attached,
        "knows_link": SimpleLazyObject(partial(first_mails.was_had_before, delivery)),
        "own": own_words.filled_words(delivery),
        "site": settings.HOST,
    }
    mail = _written(delivery, context)
    mail.reply_to = _reply_to(event)
    if registration and method == Method.REQUEST and delivery.sample:
        mail.attach("invitation.ics", personal_entry(registration), "application/ics")
    elif registration and method:
        _add_calendar(mail, calendar_objects.calendar_object(delivery, method), method)
    if report and attached:
        _add_report(mail, report)
    for one in enclosed:
        if one.content is not None:
            mail.attach(one.document.filename, one.content, "application/pdf")
    return mail


def alert(delivery: Delivery) -> Mail:
    """To the operator: how many mails are blocked or delayed, and why."""
    blocked = Delivery.objects.blocked().exclude(pk=delivery.pk)
    context = {
        "count": blocked.count(),
        "delayed": Delivery.objects.delayed().count(),
        "reasons": blocked.order_by().values_list("error", flat=True).distinct()[:ALERT_REASONS],
        "admin_url": settings.BASE_URL + reverse("admin:registrations_delivery_changelist"),
        "site": settings.HOST,
    }
    return _written(delivery, context)


def invitation(delivery: Delivery) -> Mail:
    """To a colleague: the link to choose a password, which is made here and stored nowhere."""
    return _written(delivery, {**invitations.words(delivery), "site": settings.HOST})


def message(delivery: Delivery) -> Mail:
    """An organiser's own message, to one registrant or as a trial."""
    broadcast = delivery.broadcast
    if broadcast is None:
        raise ValueError("This kind of mail needs a message.")
    registration = delivery.registration or placeholders.anyone(broadcast.event)
    text = placeholders.filled(broadcast.body, placeholders.markdown_values(registration))
    schemes = {*markdown.SCHEMES, urlsplit(settings.BASE_URL).scheme}
    mail = _written(
        delivery,
        {
            "registration": registration,
            "event": broadcast.event,
            "subject": placeholders.filled(broadcast.subject, placeholders.plain_values(broadcast.event)),
            "text": markdown.plain(text, schemes=schemes),
            "html": markdown.safe_html(text, schemes=schemes),
            "site": settings.HOST,
        },
    )
    mail.reply_to = _reply_to(broadcast.event)
    return mail


def _reply_to(event: Event) -> list[str]:
    """The contact; nobody in the preview of a draft that has none yet."""
    return [one_line(event.contact_email)] if event.contact_email else []


def _written(delivery: Delivery, context: dict[str, Any]) -> Mail:
    """Subject, text and HTML from the templates of the kind."""
    name = delivery.kind
    context["base_url"] = settings.BASE_URL
    context["accent"] = shown_identity.current().accents
    context["trial"] = _trial_note(delivery)
    context["kicker"] = _line(f"mail/{name}.txt#kicker", context)
    own = context.get("own")
    subject = (own and one_line(own.subject)) or _line(f"mail/{name}.txt#subject", context)
    context["mail_subject"] = subject
    body: str = render_to_string(f"mail/{name}.txt#body", context)
    if context["trial"]:
        subject, body = _("[Trial] %(subject)s") % {"subject": subject}, f"{context['trial']}\n\n{body.lstrip()}"
    mail = Mail(subject=Truncator(subject).chars(SUBJECT_MAX), body=BLANK_LINES.sub("\n\n", body).strip() + "\n")
    mail.attach_alternative(render_to_string(f"mail/{name}.html", context), "text/html")
    return mail


def _line(template: str, context: dict[str, Any]) -> str:
    return SPACES.sub(" ", one_line(render_to_string(template, context))).strip()


def _trial_note(delivery: Delivery) -> str:
    """The first line of a mail that shows an organiser what others will receive."""
    is_dry_run = delivery.registration is not None and delivery.registration.is_dry_run
    return (
        _("This is a trial, which nobody else receives. It counts nowhere.") if is_dry_run or delivery.sample else ""
    )


def _report(delivery: Delivery) -> study_report.Report | None:
    """The study report, or None when it could not be made several times: the link must not wait for it.

    The tries count for the report, not for this mail, whose own may have been lost to the mail server.
    """
    try:
        event = delivery.related_event
        return study_report.study_report(event) if event else None
    except pdf.PangoMissing:
        return None
    except study_report.GivenUp as error:
        logger.warning("Delivery %s leaves without its report: %s", delivery.pk, error)
        return None
    except pdf.RenderingFailed:
        if delivery.pk is None:  # a preview
            return None
        raise


def _add_report(mail: Mail, report: study_report.Report) -> None:
    """HTTP APIs encode the file themselves; for a raw transport its base64 is inserted into the finished message."""
    if not _is_raw():
        mail.attach(report.filename, report.content, "application/pdf")
        return
    mail.attach(mime.place_of_report(report.filename))
    mail.encoded_report = report


def _is_raw() -> bool:
    return settings.MAILERS["default"]["BACKEND"] in RAW_BACKENDS


def _add_calendar(mail: Mail, calendar: bytes, method: Method) -> None:
    """Raw transports get the object twice, as alternative and as attachment; HTTP APIs only as attachment."""
    if _is_raw():
        mail.attach_alternative(calendar.decode(), f"text/calendar; method={method}")
        mail.attach("invitation.ics", calendar, "application/ics")
    else:
        mail.attach("invitation.ics", calendar.decode(), f"text/calendar; method={method}")


def _thread(delivery: Delivery) -> dict[str, str]:
    """In-Reply-To and References (RFC 5322, section 3.6.4): later mails answer the first one to the same recipient."""
    related = delivery.others_to_recipient()
    if related is None or not delivery.facts.in_thread or delivery.is_first or delivery.pk is None:
        return {}
    first = related.filter(pk__lt=delivery.pk).order_by("pk").values_list("message_id", flat=True).first()
    return {"In-Reply-To": first, "References": first} if first else {}


def _unsubscribe(delivery: Delivery) -> dict[str, str]:
    """List-Unsubscribe with one click (RFC 8058) of a message: it stops messages only, and keeps the seat."""
    if not delivery.facts.may_unsubscribe or delivery.registration is None:
        return {}
    address = f"<{delivery.registration.stop_messages_url}>"
    return {"List-Unsubscribe": address, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
