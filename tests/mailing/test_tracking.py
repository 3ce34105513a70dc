"""What a mail provider tells later, as it tells it: through its own webhook, guarded by the secret."""

import base64
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from registrations import urls
from registrations.admin.mails.deliveries import mail_state
from registrations.mailing import claims, outbox, providers
from registrations.mailing import tracking as mail_tracking
from registrations.models import Delivery
from tests.factories import make_event, make_registration
from tests.smtp import smtp_server

pytestmark = pytest.mark.django_db

SECRET = "mail:a-long-enough-password"
Post = Callable[..., int]


def enqueue(**fields: Any) -> Delivery:
    registration = fields.pop("registration", None) or make_registration(make_event(report=False))
    return Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")


@pytest.fixture
def sent() -> Delivery:
    delivery = enqueue()
    outbox.drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.provider_status) == ("sent", "")
    return delivery


def configure(settings: Settings, esp: str, secret: str = SECRET) -> None:
    settings.MAIL_PROVIDER = esp
    settings.MAIL_EVENTS_VIEW = providers.EVENT_VIEWS.get(esp, "")
    settings.ANYMAIL_WEBHOOK_SECRET = secret
    settings.ANYMAIL = {"WEBHOOK_SECRET": secret}
    urlconf: Any = ModuleType("urls_with_events")
    urlconf.urlpatterns = [*urls.urlpatterns, *urls.mail_events()]
    settings.ROOT_URLCONF = urlconf


@pytest.fixture
def post(settings: Settings, client: Client) -> Post:
    def send(esp: str, event: Any, secret: str | None = SECRET) -> int:
        configure(settings, esp)
        credentials = base64.b64encode((secret or "").encode()).decode()
        headers = {"authorization": f"Basic {credentials}"} if secret else {}
        path = f"/anymail/{esp}/tracking/"
        return client.post(path, json.dumps(event), content_type="application/json", headers=headers).status_code

    return send


def metadata(delivery: Delivery) -> dict[str, str]:
    return {"delivery": str(delivery.pk), "site": "webinaires.example.org"}


def brevo(delivery: Delivery, event: str) -> dict[str, Any]:
    return {
        "event": event,
        "email": delivery.sent_to,
        "id": 1,
        "date": "2025-05-01 10:00:00",
        "ts_epoch": 1746086400000,
        "message-id": "<202505011000.1@smtp-relay.mailin.fr>",
        "subject": "Inscription confirmée",
        "X-Mailin-custom": json.dumps(metadata(delivery)),
        "reason": "550 5.1.1 no such user",
        "tags": [],
    }


def mailjet(delivery: Delivery, event: str, **fields: Any) -> dict[str, Any]:
    return {
        "event": event,
        "time": 1746086400,
        "MessageID": 19421777835146490,
        "Message_GUID": "1ab23cd4-e567-8901-2345-6789f0gh1i2j",
        "email": delivery.sent_to,
        "mj_campaign_id": 7257,
        "CustomID": "",
        "Payload": json.dumps(metadata(delivery)),
        **fields,
    }


def postmark(delivery: Delivery, record_type: str, **fields: Any) -> dict[str, Any]:
    return {
        "RecordType": record_type,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": metadata(delivery),
        "Email": delivery.sent_to,
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        **fields,
    }


def bounce(delivery: Delivery, kind: str) -> dict[str, Any]:
    return postmark(delivery, "Bounce", ID=692560173, Type=kind, TypeCode=1, BouncedAt="2025-05-01T10:00:00Z")


def ses(delivery: Delivery, event: str, **details: Any) -> AnymailTrackingEvent:
    """As anymail's view makes it: the view itself needs Amazon's library."""
    types = {"Bounce": EventType.BOUNCED, "Complaint": EventType.COMPLAINED, "Delivery": EventType.DELIVERED}
    return AnymailTrackingEvent(
        event_type=types[event],
        esp_event={"eventType": event, "mail": {"messageId": "0101"}, event.lower(): details},
        metadata=metadata(delivery),
        message_id="0101",
        recipient=delivery.sent_to,
        reject_reason=RejectReason.BOUNCED if event == "Bounce" else None,
    )


EVENTS: list[tuple[str, Callable[[Delivery], Any], str]] = [
    ("brevo", lambda mail: brevo(mail, "request"), "queued"),
    ("brevo", lambda mail: brevo(mail, "deferred"), "deferred"),
    ("brevo", lambda mail: brevo(mail, "delivered"), "delivered"),
    ("brevo", lambda mail: brevo(mail, "soft_bounce"), "deferred"),
    ("brevo", lambda mail: brevo(mail, "hard_bounce"), "bounced"),
    ("brevo", lambda mail: brevo(mail, "invalid_email"), "bounced"),
    ("brevo", lambda mail: brevo(mail, "blocked"), "rejected"),
    ("brevo", lambda mail: brevo(mail, "error"), "rejected"),
    ("brevo", lambda mail: brevo(mail, "spam"), "complained"),
    ("brevo", lambda mail: brevo(mail, "unique_opened"), ""),
    ("brevo", lambda mail: brevo(mail, "something new"), ""),
    ("mailjet", lambda mail: [mailjet(mail, "sent", smtp_reply="sent (250 OK)")], "delivered"),
    ("mailjet", lambda mail: mailjet(mail, "bounce", hard_bounce=True, error="user unknown"), "bounced"),
    ("mailjet", lambda mail: mailjet(mail, "bounce", hard_bounce=False, error="quota exceeded"), "deferred"),
    ("mailjet", lambda mail: mailjet(mail, "bounce", hard_bounce=False, error="greylisted"), "deferred"),
    ("mailjet", lambda mail: mailjet(mail, "blocked", error="preblocked"), "rejected"),
    ("mailjet", lambda mail: mailjet(mail, "spam", source="JMRPP"), "complained"),
    ("mailjet", lambda mail: mailjet(mail, "open"), ""),
    ("postmark", lambda mail: postmark(mail, "Delivery", DeliveredAt="2025-05-01T10:00:00Z"), "delivered"),
    ("postmark", lambda mail: bounce(mail, "HardBounce"), "bounced"),
    ("postmark", lambda mail: bounce(mail, "BadEmailAddress"), "bounced"),
    ("postmark", lambda mail: bounce(mail, "SoftBounce"), "deferred"),
    ("postmark", lambda mail: bounce(mail, "Transient"), "deferred"),
    ("postmark", lambda mail: bounce(mail, "Blocked"), "rejected"),
    ("postmark", lambda mail: bounce(mail, "AutoResponder"), ""),
    (
        "postmark",
        lambda mail: postmark(mail, "SubscriptionChange", SuppressSending=True, SuppressionReason="HardBounce"),
        "bounced",
    ),
    ("postmark", lambda mail: postmark(mail, "SpamComplaint", Type="SpamComplaint"), "complained"),
]


@pytest.mark.parametrize(("esp", "event", "status"), EVENTS)
def test_each_provider_s_event_is_understood_and_changes_nothing_when_replayed(
    post: Post, sent: Delivery, esp: str, event: Callable[[Delivery], Any], status: str
) -> None:
    for _ in range(2):
        assert post(esp, event(sent)) == 200
        sent.refresh_from_db()
        assert (sent.provider_status, sent.state) == (status, "sent")


@pytest.mark.parametrize(
    ("event", "details", "status"),
    [
        ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}, "bounced"),
        ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}, "deferred"),
        ("Bounce", {"bounceType": "Undetermined", "bounceSubType": "Undetermined"}, "deferred"),
        ("Complaint", {"complaintFeedbackType": "abuse"}, "complained"),
        ("Delivery", {"recipients": ["zoe@example.org"]}, "delivered"),
    ],
)
def test_amazon_s_events_are_understood(sent: Delivery, event: str, details: dict[str, Any], status: str) -> None:
    tracking.send(sender=None, event=ses(sent, event, **details), esp_name="Amazon SES")
    sent.refresh_from_db()
    assert sent.provider_status == status


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (["delivered", "request", "deferred"], "delivered"),
        (["soft_bounce", "delivered"], "delivered"),
        (["delivered", "hard_bounce", "delivered"], "bounced"),
        (["spam", "delivered", "hard_bounce"], "complained"),
        (["request", "deferred", "soft_bounce", "request"], "deferred"),
    ],
)
def test_events_out_of_order_move_a_mail_forward_only(
    post: Post, sent: Delivery, told: list[str], status: str
) -> None:
    for event in told:
        post("brevo", brevo(sent, event))
    sent.refresh_from_db()
    assert sent.provider_status == status


@pytest.mark.parametrize("secret", [None, "mail:wrong-password-entirely", ":", "mail"])
def test_without_the_secret_an_event_is_refused(post: Post, sent: Delivery, secret: str | None) -> None:
    assert post("brevo", brevo(sent, "hard_bounce"), secret) == 400
    sent.refresh_from_db()
    assert sent.provider_status == ""


@pytest.mark.parametrize(
    "custom",
    [
        None,
        "",
        "rubbish",
        "[]",
        "7",
        "{}",
        '{"delivery": "999999"}',
        '{"delivery": "99999999999999999999999"}',
        '{"delivery": "1 OR 1=1"}',
        '{"delivery": null}',
        '{"delivery": "1", "site": "another.example.org"}',
    ],
)
def test_an_event_about_a_mail_that_is_not_ours_is_ignored(post: Post, sent: Delivery, custom: str | None) -> None:
    event = {**brevo(sent, "hard_bounce"), "message-id": sent.message_id}
    event["X-Mailin-custom"] = custom and custom.replace('"1"', f'"{sent.pk}"')
    if custom is None:
        del event["X-Mailin-custom"]
    assert post("brevo", event) == 200
    sent.refresh_from_db()
    assert sent.provider_status == ""


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("hard_bounce", "un courriel précédent est revenu\u00a0: cette adresse ne fonctionne pas"),
        ("spam", "la personne a signalé un courriel précédent comme indésirable"),
    ],
)
def test_after_a_hard_bounce_or_a_complaint_no_mail_leaves_to_that_address(
    post: Post, sent: Delivery, outbox_folder: Any, event: str, reason: str
) -> None:
    post("brevo", brevo(sent, event))
    later, somebody_else = enqueue(registration=sent.registration), enqueue()
    outbox.drain()
    later.refresh_from_db()
    somebody_else.refresh_from_db()
    assert (later.state, later.error) == ("cancelled", reason)
    assert somebody_else.state == "sent"
    assert mail_state(later) == f"Annulé\u00a0: {reason}"


@pytest.mark.parametrize("event", ["soft_bounce", "blocked", "delivered"])
def test_a_soft_bounce_stops_nothing(post: Post, sent: Delivery, event: str) -> None:
    post("brevo", brevo(sent, event))
    later = enqueue(registration=sent.registration)
    outbox.drain()
    later.refresh_from_db()
    assert later.state == "sent"


def test_a_corrected_address_gets_its_mail_and_the_wrong_one_stays_named(post: Post, sent: Delivery) -> None:
    post("brevo", brevo(sent, "hard_bounce"))
    registration = sent.registration
    assert registration is not None
    wrong, registration.email = registration.email, "right@example.org"
    registration.save()
    later = enqueue(registration=registration)
    outbox.drain()
    later.refresh_from_db()
    sent.refresh_from_db()
    assert (later.state, later.sent_to, sent.sent_to) == ("sent", "right@example.org", wrong)


def test_a_mail_whose_answer_was_lost_but_that_was_delivered_is_not_sent_again(post: Post, outbox_folder: Any) -> None:
    delivery = enqueue()
    claimed = claims.claim()
    assert claimed is not None
    claims.record_retry(
        claimed, after=outbox.LONG_WAIT, error="ReadTimeout", counts=True, obstacle=Delivery.Obstacle.MAIL
    )
    post("brevo", brevo(claimed, "delivered"))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("sent", "")
    assert delivery.sent_at is not None


@pytest.mark.parametrize(
    ("event", "words"),
    [("delivered", "remis"), ("hard_bounce", "revenu, cette adresse ne fonctionne pas"), ("spam", "signalé")],
)
def test_the_organiser_reads_what_became_of_a_mail(
    admin_client: Client, sent: Delivery, event: str, words: str
) -> None:
    status = {"delivered": "delivered", "hard_bounce": "bounced", "spam": "complained"}[event]
    Delivery.objects.filter(pk=sent.pk).note_event(Delivery.ProviderStatus(status))
    assert sent.registration
    page = admin_client.get(f"/admin/registrations/registration/{sent.registration.pk}/change/").text
    assert "Envoyé à " in page
    assert words in page


@pytest.mark.parametrize(
    ("provider", "header"),
    [
        ("brevo", "X-Mailin-custom"),
        ("mailjet", "X-MJ-EventPayload"),
        ("postmark", "X-PM-Metadata-delivery"),
        ("", None),
    ],
)
def test_a_provider_s_smtp_relay_gets_our_own_id_in_its_own_header(
    settings: Settings, provider: str, header: str | None
) -> None:
    settings.MAIL_PROVIDER = provider
    with smtp_server() as (server, mailers):
        settings.MAILERS = mailers
        delivery = enqueue()
        outbox.drain()
    [message] = server.mails
    told = {name: value for name, value in message.items() if name.startswith(("X-M", "X-PM"))}
    if header is None:
        assert told == {}
        return
    value = told[header] if provider == "postmark" else json.loads(told[header])["delivery"]
    assert value == str(delivery.pk)


@pytest.mark.parametrize("esp", sorted(providers.EVENT_VIEWS))
def test_only_the_configured_provider_s_webhook_is_mounted(settings: Settings, esp: str) -> None:
    configure(settings, esp)
    assert [str(pattern.pattern) for pattern in urls.mail_events()] == [f"anymail/{esp}/tracking/"]


@pytest.mark.parametrize(("esp", "secret"), [("", SECRET), ("scaleway", SECRET), ("brevo", "")])
def test_nothing_is_mounted_without_a_provider_or_without_the_secret(
    settings: Settings, client: Client, esp: str, secret: str
) -> None:
    configure(settings, esp, secret)
    assert urls.mail_events() == []
    assert client.post(f"/anymail/{esp or 'brevo'}/tracking/").status_code == 404


def test_another_program_s_mailjet_mail_is_ignored(post: Post, sent: Delivery) -> None:
    assert post("mailjet", [{**mailjet(sent, "bounce", hard_bounce=True), "Payload": "order 12"}]) == 200
    sent.refresh_from_db()
    assert sent.provider_status == ""


def test_a_provider_of_whose_bounces_we_know_nothing_stops_no_mail() -> None:
    assert not mail_tracking._is_hard({"event": "hard_bounce"}, "Somebody")


@pytest.mark.parametrize(
    ("esp", "warned"), [("brevo", True), ("mailersend", True), ("mailjet", False), ("postmark", False)]
)
def test_a_check_warns_where_a_provider_s_api_loses_the_invitation(settings: Settings, esp: str, warned: bool) -> None:
    settings.MAILERS = {"default": {"BACKEND": f"anymail.backends.{esp}.EmailBackend"}}
    found = [(message.id, "EMAIL_URL=smtp+tls://" in str(message.hint)) for message in run_checks()]
    assert (("registrations.W001", True) in found) == warned
