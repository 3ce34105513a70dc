"""The outbox behind a mail provider's HTTP API: each answer, and each silence, has its consequence."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from anymail.exceptions import AnymailAPIError, AnymailUnsupportedFeature
from django.core.mail import mailers
from django.utils import timezone
from pytest_django import Settings

from registrations.mailing import composer, outbox, providers
from registrations.mailing.failures import Verdict, failure
from registrations.models import Delivery
from tests.esp import CUT, SILENCE, Provider, provider_api
from tests.factories import make_event, make_registration
from tests.network import free_port
from tests.site import TIMEOUT

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
KEYS = {
    "BREVO_API_KEY": "key",
    "MAILERSEND_API_TOKEN": "key",
    "MAILGUN_API_KEY": "key",
    "MAILJET_API_KEY": "key",
    "MAILJET_SECRET_KEY": "key",
    "POSTAL_API_KEY": "key",
    "POSTAL_API_URL": "http://127.0.0.1/",
    "POSTMARK_SERVER_TOKEN": "key",
    "SCALEWAY_SECRET_KEY": "key",
    "SCALEWAY_PROJECT_ID": "project",
}


def use(settings: Settings, esp: str, **options: Any) -> None:
    settings.MAILERS = {"default": {"BACKEND": f"anymail.backends.{esp}.EmailBackend"}}
    settings.ANYMAIL = {**KEYS, **options}


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    with provider_api() as (provider, address):
        use(settings, "postmark", POSTMARK_API_URL=address, REQUESTS_TIMEOUT=TIMEOUT)
        yield provider


@pytest.fixture
def mailjet(provider: Provider, settings: Settings) -> Provider:
    use(settings, "mailjet", MAILJET_API_URL=settings.ANYMAIL["POSTMARK_API_URL"], REQUESTS_TIMEOUT=TIMEOUT)
    return provider


@pytest.fixture
def scaleway(provider: Provider, settings: Settings) -> Provider:
    use(settings, "scaleway", SCALEWAY_API_URL=settings.ANYMAIL["POSTMARK_API_URL"], REQUESTS_TIMEOUT=TIMEOUT)
    return provider


def enqueue() -> Delivery:
    registration = make_registration(make_event(report=False))
    return Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")


def after_a_drain(delivery: Delivery) -> Delivery:
    outbox.drain()
    delivery.refresh_from_db()
    return delivery


def states() -> list[tuple[str, int]]:
    return list(Delivery.objects.order_by("pk").values_list("state", "attempts"))


def wait_of(delivery: Delivery) -> timedelta:
    before = timezone.now()
    return after_a_drain(delivery).send_at - before


def test_a_mail_is_handed_over_once_with_its_message_id_and_our_own_id(provider: Provider) -> None:
    delivery = after_a_drain(enqueue())
    outbox.drain()
    assert (delivery.state, delivery.error) == ("sent", "")
    [received] = provider.received
    assert received["Metadata"]["delivery"] == str(delivery.pk)
    assert provider.header("Message-ID") == [delivery.message_id]
    assert provider.header("X-PM-KeepID") == ["true"]
    [invitation] = received["Attachments"]
    assert invitation["ContentType"] == 'text/calendar; method="REQUEST"; charset="utf-8"'


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"Message": "The body is malformed."}),
        (413, "too large"),
        (422, {"ErrorCode": 300, "Message": "Invalid 'To' address: 'zoe@nowhere'."}),
        (422, {"ErrorCode": 406, "Message": "Found inactive addresses: zoe@x.org.\n Inactive recipients are ones…"}),
    ],
)
def test_a_refusal_of_this_mail_fails_at_once_says_why_and_delays_nobody(
    provider: Provider, status: int, body: Any
) -> None:
    provider.status, provider.body = status, body
    refused, other = enqueue(), enqueue()
    after_a_drain(refused)
    other.refresh_from_db()
    assert (refused.state, refused.attempts) == (other.state, other.attempts) == ("failed", 1)
    assert (body if isinstance(body, str) else body["Message"][:20]) in refused.error


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, "wrong key"),
        (402, "not enough credits"),
        (403, "not allowed"),
        (404, "no such address"),
        (422, {"ErrorCode": 400, "Message": "The Sender signature is not confirmed."}),
        (422, {"ErrorCode": 300, "Message": "Invalid 'From' address: 'x'."}),
        (302, "elsewhere"),
    ],
)
def test_what_is_wrong_with_our_account_keeps_every_mail_for_ever(provider: Provider, status: int, body: Any) -> None:
    provider.status, provider.body = status, body
    enqueue()
    enqueue()
    outbox.drain()
    assert states() == [("pending", 1), ("pending", 0)]

    Delivery.objects.update(trying_since=timezone.now() - timedelta(days=9), send_at=timezone.now())
    outbox.drain()
    assert {state for state, _attempts in states()} == {"pending"}


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_provider_that_is_away_stops_the_drain_and_keeps_every_mail(provider: Provider, status: int) -> None:
    provider.status, provider.body = status, "later"
    first = enqueue()
    enqueue()
    assert timedelta(seconds=24) <= wait_of(first) <= timedelta(seconds=37)
    assert states() == [("pending", 1), ("pending", 0)]


@pytest.mark.parametrize("status", [429, 503])
def test_a_delay_that_the_provider_asks_for_is_kept(provider: Provider, status: int) -> None:
    provider.status, provider.body, provider.headers = status, "later", {"Retry-After": "600"}
    delivery = enqueue()
    assert wait_of(delivery) >= 10 * MINUTE

    provider.headers = {"Retry-After": format_datetime(timezone.now() + 20 * MINUTE, usegmt=False)}
    Delivery.objects.update(send_at=timezone.now())
    assert 19 * MINUTE <= wait_of(delivery) <= 21 * MINUTE


@pytest.mark.parametrize(
    "value", ["soon", "-5", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 2044 08:49:37 -0000", "²"]
)
def test_a_delay_that_cannot_be_read_or_is_over_changes_nothing(provider: Provider, value: str) -> None:
    provider.status, provider.headers = 429, {"Retry-After": value.encode().decode("latin-1")}
    assert wait_of(enqueue()) <= timedelta(seconds=37)


def test_a_delay_beyond_reason_does_not_use_up_the_days_of_a_mail(provider: Provider) -> None:
    provider.status, provider.headers = 429, {"Retry-After": "99999999999999"}
    delivery = enqueue()
    assert timedelta(hours=23) < wait_of(delivery) <= timedelta(days=1, seconds=5)
    assert delivery.state == "pending"


@pytest.mark.parametrize(
    "body",
    [
        "<html>rubbish",
        "",
        "5",
        "null",
        '"text"',
        "[1]",
        "[]",
        "{}",
        {"ErrorCode": 0, "Message": "OK"},
        {"ErrorCode": 0, "Message": "OK", "MessageID": "1"},
        {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": "nobody,,@"},
    ],
)
def test_an_acceptance_that_cannot_be_read_waits_two_minutes_and_repeats_the_same_message(
    provider: Provider, body: Any
) -> None:
    provider.body = body
    delivery = enqueue()
    assert wait_of(delivery) >= 2 * MINUTE
    assert (delivery.state, delivery.attempts) == ("pending", 1)

    Delivery.objects.update(send_at=timezone.now())
    outbox.drain()
    assert provider.header("Message-ID") == [delivery.message_id] * 2


@pytest.mark.parametrize("body", ["{}", '{"emails": []}', "7", '{"emails": [3]}', '{"emails": null}'])
def test_another_provider_s_rubbish_is_no_refusal_either(scaleway: Provider, body: str) -> None:
    scaleway.body = body
    delivery = enqueue()
    assert wait_of(delivery) >= 2 * MINUTE
    assert delivery.state == "pending"


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_lost_what_stood_behind_it_is_ambiguous_too(provider: Provider, status: int) -> None:
    provider.status, provider.body = status, "<html>bad gateway"
    assert wait_of(enqueue()) >= 2 * MINUTE


@pytest.mark.parametrize("body", [SILENCE, CUT])
def test_an_answer_that_never_comes_is_ambiguous_and_stops_the_drain(
    provider: Provider, body: str, settings: Settings
) -> None:
    settings.ANYMAIL = {**settings.ANYMAIL, "REQUESTS_TIMEOUT": 0.5 if body == SILENCE else TIMEOUT}
    provider.body = body
    delivery = enqueue()
    enqueue()
    assert wait_of(delivery) >= 2 * MINUTE
    assert states() == [("pending", 1), ("pending", 0)]
    assert len(provider.received) == 1


def test_a_refused_connection_is_tried_again_soon(settings: Settings) -> None:
    use(settings, "postmark", POSTMARK_API_URL=f"http://127.0.0.1:{free_port()}/")
    delivery = enqueue()
    enqueue()
    assert wait_of(delivery) <= timedelta(seconds=37)
    assert states() == [("pending", 1), ("pending", 0)]


def test_an_address_without_a_host_behind_it_is_tried_again_soon(settings: Settings) -> None:
    use(settings, "postmark", POSTMARK_API_URL="http://provider.invalid/")
    assert wait_of(enqueue()) <= timedelta(seconds=37)


def test_an_api_that_does_not_speak_tls_is_ours_to_mend(provider: Provider, settings: Settings) -> None:
    address = settings.ANYMAIL["POSTMARK_API_URL"].replace("http://", "https://")
    use(settings, "postmark", POSTMARK_API_URL=address, REQUESTS_TIMEOUT=TIMEOUT)
    delivery = after_a_drain(enqueue())
    assert (delivery.state, delivery.trying_since) == ("pending", None)


def test_a_mailjet_mail_that_is_refused_without_an_exception_fails(mailjet: Provider) -> None:
    error = {"ErrorCode": "mj-0013", "StatusCode": 400, "ErrorMessage": '"zoe@x" is an invalid email address.'}
    mailjet.status, mailjet.body = 400, {"Messages": [{"Status": "error", "Errors": [error]}]}
    delivery = after_a_drain(enqueue())
    assert delivery.state == "failed"
    assert "is an invalid email address" in delivery.error


def test_a_mailjet_sender_that_is_not_validated_keeps_every_mail(mailjet: Provider) -> None:
    error = {"ErrorCode": "send-0008", "StatusCode": 403, "ErrorMessage": "a@b is not an authorized sender address."}
    mailjet.status, mailjet.body = 400, {"Messages": [{"Status": "error", "Errors": [error]}]}
    enqueue()
    enqueue()
    outbox.drain()
    assert states() == [("pending", 1), ("pending", 0)]


def test_a_mailjet_answer_of_too_many_requests_is_read_from_its_status(mailjet: Provider) -> None:
    mailjet.status, mailjet.body = 429, {"ErrorMessage": "Too many requests", "StatusCode": 429}
    mailjet.headers = {"Retry-After": "300"}
    assert wait_of(enqueue()) >= 5 * MINUTE


@pytest.mark.parametrize("named", ["their own", "xn--other@example.org"])
def test_a_rejected_recipient_fails_with_and_without_an_exception(provider: Provider, named: str) -> None:
    """Anymail raises only when the provider names the address exactly as we wrote it."""
    delivery = enqueue()
    assert delivery.registration is not None
    address = delivery.registration.email if named == "their own" else named
    words = f"Found inactive addresses: {address}.\nInactive recipients are ones that have generated a hard bounce."
    provider.status, provider.body = 422, {"ErrorCode": 406, "Message": words}
    assert after_a_drain(delivery).state == "failed"
    assert "inactive addresses" in delivery.error


def test_a_status_of_failure_with_an_answer_of_success_is_tried_again(scaleway: Provider) -> None:
    delivery = enqueue()
    assert delivery.registration is not None
    scaleway.body = {"emails": [{"mail_rcpt": delivery.registration.email, "id": "1", "status": "failed"}]}
    assert wait_of(delivery) <= timedelta(seconds=37)
    assert delivery.state == "pending"


def amazon_error(cause: Exception, response: dict[str, Any] | None = None) -> AnymailAPIError:
    error = AnymailAPIError(str(cause), response=response)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("name", "response", "verdict"),
    [
        ("EndpointConnectionError", None, Verdict.TRANSPORT),
        ("ConnectTimeoutError", None, Verdict.TRANSPORT),
        ("NoCredentialsError", None, Verdict.OURS),
        ("ReadTimeoutError", None, Verdict.AMBIGUOUS),
        ("ClientError", {"ResponseMetadata": {"HTTPStatusCode": 429}}, Verdict.TRANSPORT),
        ("ClientError", {"ResponseMetadata": {"HTTPStatusCode": 403}}, Verdict.OURS),
        ("ClientError", {"ResponseMetadata": {"HTTPStatusCode": 400}}, Verdict.PERMANENT),
        (
            "ClientError",
            {"ResponseMetadata": {"HTTPStatusCode": 400}, "Error": {"Message": "Email address is not verified."}},
            Verdict.OURS,
        ),
    ],
)
def test_amazon_s_errors_are_classed_without_its_library(
    name: str, response: dict[str, Any] | None, verdict: Verdict
) -> None:
    cause = type(name, (Exception,), {})("words")
    assert failure(amazon_error(cause, response), connected=True, handing_over=False).verdict == verdict


def test_what_a_backend_cannot_carry_is_ours_unless_it_is_this_one_address() -> None:
    ours = AnymailUnsupportedFeature("Brevo does not support non-ASCII characters in metadata")
    theirs = AnymailUnsupportedFeature("Scaleway does not support EAI in to")
    assert failure(ours, connected=True, handing_over=False).verdict == Verdict.OURS
    assert failure(theirs, connected=True, handing_over=False).verdict == Verdict.PERMANENT


@pytest.mark.parametrize("esp", ["brevo", "mailersend", "mailgun", "mailjet", "postal", "postmark", "scaleway"])
def test_every_api_carries_what_we_compose(settings: Settings, esp: str) -> None:
    untracked = {"track_opens": False, "track_clicks": False} if esp in providers.CAN_STOP_TRACKING else {}
    use(settings, esp, SEND_DEFAULTS=untracked)
    registration = make_registration(language="en")
    Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="new")
    message = composer.compose(Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION, reason="known"))
    backend: Any = mailers.default
    payload = backend.build_message_payload(message, backend.send_defaults)
    data = str(payload.serialize_data())
    for header in ("Auto-Submitted", "In-Reply-To", "References", "X-Auto-Response-Suppress", "Content-Language"):
        assert header.lower() in data.lower().replace("in_reply_to", "in-reply-to"), header
    assert ("delivery" in data) == (esp not in composer.NO_METADATA)
    assert ("<" in str(message.extra_headers.get("Message-ID", ""))) == (esp != "mailjet")
    if untracked:
        assert "track" in data.lower()
