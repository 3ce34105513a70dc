"""What is mailed: a Delivery in, a complete message out. Nothing here sends.

A new kind of mail is a `Delivery.Kind`, a .txt (partials `subject` and `body`) and a .html; `letter` puts it together.
"""

import email.policy
import json
import logging
import re
from collections.abc import Callable
from email.message import EmailMessage as StandardMessage
from email.policy import Policy
from typing import Any
from urllib.parse import urlsplit

from anymail.message import AnymailMessageMixin
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from registrations.documents import pdf, study_report
from registrations.documents.invitation import Method, invitation, personal_entry
from registrations.mailing import placeholders, previews
from registrations.mailing.transports import mime
from registrations.models import Delivery, Registration
from registrations.text import markdown

logger = logging.getLogger(__name__)

SMTP = "registrations.mailing.transports.smtp.EmailBackend"
RAW_BACKENDS = {
    "registrations.mailing.transports.eml_folder.EmailBackend",
    SMTP,
    "anymail.backends.amazon_ses.EmailBackend",
}
Kind = Delivery.Kind
WRITTEN_BY_HAND = {Kind.BROADCAST, Kind.TRIAL}
WITH_REPORT = {Kind.CONFIRMATION, Kind.PROMOTED}
BLANK_LINES = re.compile(r"\n{3,}")
SUBJECT_MAX = 90  # characters; a short title alone may have 80
SPACES = re.compile(r"[ \n]+")  # not the no-break space
NO_METADATA = {"mailersend", "postal"}  # their APIs take none
ALERT_REASONS = 5  # at most, in one alert
TRIES_WITH_REPORT = 3  # then the mail leaves without it: the link matters more than the document


class Mail(AnymailMessageMixin, EmailMultiAlternatives):  # type: ignore[misc] # anymail has no types
    """A message that is 7-bit clean, as RFC 6047, section 2.5, asks of a calendar object in transport."""

    encoded_report: study_report.Report | None = None

    def message(self, *, policy: "Policy[Any] | None" = None) -> StandardMessage:
        message: StandardMessage = super().message(policy=mime.SEVEN_BIT[(policy or email.policy.default).linesep])
        if self.encoded_report:
            return mime.Encoded.of(message, self.encoded_report.base64)
        return message


def compose(delivery: Delivery) -> Mail:
    """The message of a delivery, in the registrant's language, as the configured transport can carry it."""
    if delivery.kind == Kind.TRIAL and delivery.sample:
        delivery = previews.tried(delivery)
    registration = delivery.registration
    if registration:
        registration.preview_as_published()
    language = registration.language if registration else settings.LANGUAGE_CODE
    with translation.override(language):
        mail = COMPOSERS[Delivery.Kind(delivery.kind)](delivery)
    mail.to = [delivery.address]
    ours = {"delivery": str(delivery.pk), "site": settings.HOST[:80]}
    if _provider() not in NO_METADATA:
        mail.metadata = ours
    mail.extra_headers = {
        **_message_id(delivery),
        **_relay_headers(ours),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, NRN, AutoReply, RN",
        "Content-Language": language,
        **_thread(delivery),
        **_way_out(delivery),
    }
    return mail


def _provider() -> str:
    """The name of anymail's backend, as in EMAIL_URL; empty for the folder and for SMTP, whoever's it is."""
    module = settings.MAILERS["default"]["BACKEND"].removesuffix(".EmailBackend")
    return module.removeprefix("anymail.backends.") if module.startswith("anymail.") else ""


def _message_id(delivery: Delivery) -> dict[str, str]:
    """Mailjet's API refuses a mail with a Message-ID of ours; Postmark's replaces it unless told not to."""
    match _provider():
        case "mailjet":
            return {}
        case "postmark":
            return {"Message-ID": delivery.message_id, "X-PM-KeepID": "true"}
    return {"Message-ID": delivery.message_id}


def _relay_headers(ours: dict[str, str]) -> dict[str, str]:
    """What a provider's SMTP relay is told in headers: our own id, which its events bring back, and no tracking."""
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
    """A mail to a registrant: its words, and as its kind asks, the calendar object and the study report."""
    registration = delivery.registration
    if registration is None:
        raise ValueError("This kind of mail needs a registration.")
    event = registration.event
    method = calendar_method(delivery)
    report = _report(delivery) if delivery.kind in WITH_REPORT else None
    attached = report is not None and study_report.fits_in_mail(report.size)
    mail = _written(
        delivery.kind,
        {
            "registration": registration,
            "event": event,
            "reason": delivery.reason,
            "calendar": method,
            "report": report,
            "report_attached": attached,
            "site": settings.HOST,
        },
    )
    mail.reply_to = [event.contact_email]
    if method == Method.REQUEST and delivery.sample:
        mail.attach("invitation.ics", personal_entry(registration), "application/ics")
    elif method:
        _add_calendar(mail, invitation(registration, method), method)
    if report and attached:
        _add_report(mail, report)
    return mail


def calendar_method(delivery: Delivery) -> Method | None:
    """What this mail does to the registrant's calendar entry: put it there or bring it up to date, or take it out."""
    registration = delivery.registration
    match delivery.kind:
        case Kind.CONFIRMATION | Kind.PROMOTED:
            return Method.REQUEST
        case Kind.CHANGED | Kind.CANCELLED if not (registration and registration.is_seated):
            return None  # who waits has no entry
        case Kind.CHANGED if delivery.reason == Delivery.Reason.NOTES:
            return None
        case Kind.CHANGED:
            return Method.CANCEL if delivery.reason == Delivery.Reason.POSTPONED else Method.REQUEST
        case Kind.CANCELLED:
            return Method.CANCEL
        case Kind.WITHDRAWN | Kind.ERASED if delivery.reason == Delivery.Reason.SEAT:
            return None if registration and registration.event.is_over else Method.CANCEL
    return None


def alert(delivery: Delivery) -> Mail:
    """To the operator: what keeps mails from leaving, or makes them leave later, and how many."""
    blocked = Delivery.objects.blocked().exclude(pk=delivery.pk)
    context = {
        "count": blocked.count(),
        "delayed": Delivery.objects.delayed().count(),
        "reasons": blocked.order_by().values_list("error", flat=True).distinct()[:ALERT_REASONS],
        "desk": settings.BASE_URL + reverse("admin:registrations_delivery_changelist"),
        "site": settings.HOST,
    }
    return _written("alert", context)


def message(delivery: Delivery) -> Mail:
    """What an organiser wrote, to one of those whom it is for, or as a trial."""
    broadcast = delivery.broadcast
    if broadcast is None:
        raise ValueError("This kind of mail needs a message.")
    registration = delivery.registration or placeholders.anyone(broadcast.event)
    text = placeholders.filled(broadcast.body, placeholders.markdown_values(registration))
    schemes = {*markdown.SCHEMES, urlsplit(settings.BASE_URL).scheme}
    mail = _written(
        delivery.kind,
        {
            "registration": registration,
            "event": broadcast.event,
            "subject": placeholders.filled(broadcast.subject, placeholders.plain_values(broadcast.event)),
            "text": markdown.plain(text, schemes=schemes),
            "html": markdown.safe_html(text, schemes=schemes),
            "site": settings.HOST,
        },
    )
    mail.reply_to = [broadcast.event.contact_email]
    return mail


COMPOSERS: dict[Delivery.Kind, Callable[[Delivery], Mail]] = {
    **dict.fromkeys(set(Kind) - {Kind.ALERT, *WRITTEN_BY_HAND}, letter),
    **dict.fromkeys(WRITTEN_BY_HAND, message),
    Kind.ALERT: alert,
}


def _written(name: str, context: dict[str, Any]) -> Mail:
    context["base_url"] = settings.BASE_URL
    context["trial"] = _trial_note(context.get("registration"))
    subject: str = SPACES.sub(" ", render_to_string(f"mail/{name}.txt#subject", context)).strip()
    body: str = render_to_string(f"mail/{name}.txt#body", context)
    if context["trial"]:
        subject, body = _("[Trial] %(subject)s") % {"subject": subject}, f"{context['trial']}\n\n{body.lstrip()}"
    mail = Mail(subject=Truncator(subject).chars(SUBJECT_MAX), body=BLANK_LINES.sub("\n\n", body).strip() + "\n")
    mail.attach_alternative(render_to_string(f"mail/{name}.html", context), "text/html")
    return mail


def _trial_note(registration: Registration | None) -> str:
    """The first line of a mail that tells an organiser what registrants will be told."""
    return (
        _("This is a trial, which nobody else receives. It counts nowhere.")
        if registration and registration.is_dry_run
        else ""
    )


def _report(delivery: Delivery) -> study_report.Report | None:
    """A report that cannot be made must not keep the link back: after a few tries the mail leaves without it."""
    try:
        event = delivery.registration.event if delivery.registration else None
        return study_report.study_report(event, wait_max=pdf.TIMEOUT) if event else None
    except pdf.PangoMissing:
        return None
    except pdf.RenderingFailed:
        if delivery.attempts < TRIES_WITH_REPORT:
            raise
        logger.exception("Delivery %s leaves without its report", delivery.pk)
        return None


def _add_report(mail: Mail, report: study_report.Report) -> None:
    """HTTP APIs encode the file themselves; for a raw transport it is put in place once the rest is."""
    if not _is_raw():
        mail.attach(study_report.FILENAME, report.content, "application/pdf")
        return
    mail.attach(mime.place_of_report(study_report.FILENAME))
    mail.encoded_report = report


def _is_raw() -> bool:
    return settings.MAILERS["default"]["BACKEND"] in RAW_BACKENDS


def _add_calendar(mail: Mail, calendar: bytes, method: Method) -> None:
    """Raw transports carry the object twice, as alternative and as attachment; HTTP APIs only as attachment."""
    if _is_raw():
        mail.attach_alternative(calendar.decode(), f"text/calendar; method={method}")
        mail.attach("invitation.ics", calendar, "application/ics")
    else:
        mail.attach("invitation.ics", calendar.decode(), f"text/calendar; method={method}")


def _thread(delivery: Delivery) -> dict[str, str]:
    """In-Reply-To and References (RFC 5322, section 3.6.4): every later mail answers the first one."""
    if delivery.is_first or delivery.registration_id is None or delivery.pk is None:
        return {}
    earlier = Delivery.objects.filter(registration=delivery.registration_id, pk__lt=delivery.pk)
    first = earlier.order_by("pk").values_list("message_id", flat=True).first()
    return {"In-Reply-To": first, "References": first} if first else {}


def _way_out(delivery: Delivery) -> dict[str, str]:
    """List-Unsubscribe (RFC 2369) of what goes to many: the page where one takes oneself off the list.

    Not in one click (RFC 8058), which would cost someone a seat who only wanted fewer mails.
    """
    if delivery.kind != Kind.BROADCAST or delivery.registration is None:
        return {}
    return {"List-Unsubscribe": f"<{delivery.registration.manage_url}>"}
