"""Rate limits per mailbox, per origin and per event."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from registrations.domain import signup
from registrations.mailing import outbox
from registrations.models import Delivery, Event, RateLimitHit, Registration
from registrations.models.suppression import mailbox_of
from registrations.security import rate_limits
from registrations.worker import housekeeping
from tests.factories import answers, make_event, make_registration
from tests.journey import Journey
from tests.threads import together

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TWICE = rate_limits.RateLimit("twice an hour", 2, HOUR)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that moves the current time forward."""

    class Clock:
        now = time.time()

        def forward(self, by: timedelta) -> None:
            self.now += by.total_seconds()

    moved = Clock()
    monkeypatch.setattr(time, "time", lambda: moved.now)
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(moved.now, UTC))
    return moved


def sign_up(address: str) -> None:
    signup.register(make_event(report=False), language="fr", **answers(email=address))


def confirmations() -> QuerySet[Delivery]:
    return Delivery.objects.filter(registration__isnull=False, kind="confirmation").order_by("send_at", "pk")


def delays_of(address: str) -> list[timedelta]:
    """For each mail to an address, how long from now until it is sent, in whole hours."""
    moments = confirmations().filter(registration__email__startswith=address).values_list("send_at", flat=True)
    return [timedelta(hours=round((send_at - timezone.now()) / HOUR)) for send_at in moments]


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("zoe@example.org", "ZOE@Example.ORG"),
        ("zoe@example.org", "zoe+webinaire@example.org"),
        ("zoe.dupont@gmail.com", "zoedupont+1@googlemail.com"),
    ],
)
def test_spellings_of_one_mailbox_share_a_limit(address: str, other: str) -> None:
    assert mailbox_of(address) == mailbox_of(other)


def test_dots_matter_in_addresses_other_than_gmail() -> None:
    assert mailbox_of("zoe.dupont@example.org") != mailbox_of("zoedupont@example.org")


@pytest.mark.parametrize("spellings", [["zoe@example.org"], ["z@example.org", "Z+1@example.org", "z+2@example.org"]])
def test_a_fourth_repeat_within_a_day_sends_no_mail_and_gets_the_same_answer(
    journey: Journey, spellings: list[str]
) -> None:
    event = make_event()
    pages = [journey.sign_up(event, email=spellings[turn % len(spellings)], first_name="Zoë") for turn in range(8)]
    assert len({page.status_code for page in pages}) == 1
    assert {page.request["PATH_INFO"] for page in pages} == {f"/evenements/{event.slug}/merci/"}
    for page in pages:
        assert "Nous renvoyons le lien trois fois par jour au plus à une même adresse." in page.text
        assert "le lendemain" not in page.text  # a first confirmation is not held back by what others asked for
    assert len(journey.mails()) == 3


def test_many_spellings_of_a_mailbox_get_three_mails_a_day_and_the_others_later(clock: Any) -> None:
    for number in range(7):
        sign_up(f"zoe+{number}@example.org")
    assert delays_of("zoe") == [*[0 * HOUR] * 3, *[24 * HOUR] * 3, 48 * HOUR]


def test_any_period_of_24_hours_has_three_mails_at_most(clock: Any) -> None:
    """The limit is a sliding window: 23 hours after the first mail, two more are sent and not three."""
    sign_up("zoe+0@example.org")
    clock.forward(23 * HOUR)
    for number in range(1, 5):
        sign_up(f"zoe+{number}@example.org")
    assert delays_of("zoe") == [-23 * HOUR, 0 * HOUR, 0 * HOUR, 1 * HOUR, 24 * HOUR]


def test_after_a_day_a_repeat_sends_a_mail_again(clock: Any) -> None:
    event = make_event()
    for _ in range(5):
        signup.register(event, language="fr", **answers(email="zoe@example.org"))
    clock.forward(DAY)
    signup.register(event, language="fr", **answers(email="zoe@example.org"))
    assert confirmations().count() == 4


def test_mails_of_the_organiser_are_not_counted() -> None:
    registration = make_registration(email="zoe@example.org")
    for _ in range(5):
        signup.send_link(registration, reason=Delivery.Reason.RESENT)
    assert not RateLimitHit.objects.exists()
    assert Delivery.objects.due().count() == 5


def test_an_event_with_very_many_sign_ups_delays_mails_and_alerts_the_operator(settings: Settings) -> None:
    settings.EVENT_MAILS_PER_HOUR, settings.ALERT_EMAIL = 2, "operator@example.org"
    event = make_event(report=False)
    for _ in range(5):
        signup.register(event, language="fr", **answers())
    waits = [round((mail.send_at - timezone.now()) / HOUR) for mail in confirmations()]
    assert waits == [0, 0, 1, 1, 2]
    assert Delivery.objects.filter(kind="alert", recipient="operator@example.org").count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_mails_above_the_limit_send_one_alert(settings: Settings) -> None:
    settings.EVENT_MAILS_PER_HOUR, settings.ALERT_EMAIL = 1, "operator@example.org"
    event = make_event(report=False)
    come = [partial(signup.register, event, language="fr", **answers()) for _ in range(12)]
    assert together(come) == []
    assert (event.registrations.count(), Delivery.objects.filter(kind="alert").count()) == (12, 1)


def test_a_dropped_mail_is_not_counted_for_the_event(settings: Settings) -> None:
    event = make_event(report=False)
    for _ in range(4):  # the mailbox reaches its limit with the third
        signup.register(event, language="fr", **answers(email="zoe@example.org"))
    assert sorted(Counter(RateLimitHit.objects.values_list("key", flat=True)).values()) == [3, 3]
    Event.objects.update(status="cancelled")
    with pytest.raises(signup.SignUpClosed):
        signup.register(event, language="fr", **answers())
    assert RateLimitHit.objects.count() == 6


def test_numbers_have_no_gap_after_a_hit_was_given_back(clock: Any) -> None:
    for _ in range(2):
        RateLimitHit.objects.take("key", limit=2, period=HOUR, delays=True)
    RateLimitHit.objects.give_back("key")
    assert list(RateLimitHit.objects.values_list("number", flat=True)) == [1]
    later = [RateLimitHit.objects.take("key", limit=2, period=HOUR, delays=True) for _ in range(2)]
    assert [round((at - clock.now) / 3600) for at in later if at] == [0, 1]


def test_the_alert_about_many_sign_ups_explains_what_happens(settings: Settings, journey: Journey) -> None:
    settings.EVENT_MAILS_PER_HOUR, settings.ALERT_EMAIL = 1, "operator@example.org"
    event = make_event(report=False)
    for _ in range(3):
        signup.register(event, language="fr", **answers())
    [alert] = [mail for mail in journey.mails() if mail["To"] == "operator@example.org"]
    assert alert["Subject"] == "Très nombreuses inscriptions sur webinaires.example.org"
    body = alert.get_body(("plain",))
    assert body is not None
    assert "2 confirmations partiront plus tard" in body.get_content()
    assert "EMAIL_URL" not in body.get_content()


def test_the_sixty_first_form_from_one_origin_within_an_hour_is_shown_again_with_its_answers(journey: Journey) -> None:
    event = make_event()
    for _ in range(60):
        rate_limits.take((rate_limits.FORMS_FROM_ORIGIN, "127.0.0.1"))
    page = journey.sign_up(event, first_name="Zoë", question="Et les <délais> ?")
    assert page.status_code == 429
    assert 3590 < int(page["Retry-After"]) <= 3600
    assert "Attendez 60 minutes" in page.text
    assert "vos réponses sont conservées" in page.text
    assert 'value="Zoë"' in page.text
    assert "Et les &lt;délais&gt; ?" in page.text
    assert "no-store" in page["Cache-Control"]
    assert not Registration.objects.exists()


def test_a_refused_form_is_accepted_an_hour_later_and_refusals_do_not_prolong_the_wait(clock: Any) -> None:
    assert [rate_limits.take((TWICE, "x")) for _ in range(2)] == [None, None]
    clock.forward(59 * HOUR / 60)
    assert rate_limits.take((TWICE, "x")) == HOUR / 60
    clock.forward(HOUR / 60)
    assert rate_limits.take((TWICE, "x")) is None


def test_another_origin_is_not_limited() -> None:
    event = make_event()
    for _ in range(60):
        rate_limits.take((rate_limits.FORMS_FROM_ORIGIN, "127.0.0.1"))
    path = f"/evenements/{event.slug}/inscription/"
    statuses = [
        Client(REMOTE_ADDR=address).post(path, answers()).status_code
        for address in ("127.0.0.1", "192.0.2.7", "2001:db8::7")
    ]
    assert statuses == [429, 200, 200]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),  # no trusted proxy: the header comes from the client
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),  # fewer hops than trusted proxies
        (1, "", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, '"[2001:db8:1:2:3::4]:4711"', "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "fe80::1%eth0", "fe80::/64"),
    ],
)
def test_the_origin_is_what_the_outermost_trusted_proxy_saw(
    settings: Settings, rf: RequestFactory, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = rf.get("/", REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": forwarded})
    assert rate_limits.origin(request) == expected


def test_forged_headers_do_not_avoid_the_limit(settings: Settings, rf: RequestFactory) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    names = [
        *["x-real-ip", "forwarded", "client-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip"],
        *["cf-connecting-ip", "x-originating-ip"],
    ]
    origins = {
        rate_limits.origin(rf.get("/", headers={"x-forwarded-for": f"1.1.1.{number}, 203.0.113.9", name: "2.2.2.2"}))
        for number, name in enumerate(names)
    }
    assert origins == {"203.0.113.9"}


def test_requests_without_an_address_share_an_origin(rf: RequestFactory) -> None:
    assert rate_limits.origin(rf.get("/", REMOTE_ADDR="")) == "unknown"


def test_no_address_and_no_origin_is_stored(journey: Journey) -> None:
    journey.sign_up(make_event(), email="zoe@example.org")
    assert RateLimitHit.objects.count() == 3
    for hit in RateLimitHit.objects.all():
        assert len(hit.key) == 64
        assert "zoe" not in str(RateLimitHit.objects.filter(pk=hit.pk).values())
        assert "127.0.0.1" not in str(RateLimitHit.objects.filter(pk=hit.pk).values())


def test_hits_are_deleted_after_a_day(clock: Any) -> None:
    rate_limits.take((TWICE, "x"))
    clock.forward(DAY + HOUR)
    rate_limits.take((TWICE, "y"))
    housekeeping.remove_old_rows()
    assert RateLimitHit.objects.count() == 1


def test_with_rate_limits_off_nothing_is_counted(settings: Settings) -> None:
    settings.RATE_LIMITS = False
    assert [rate_limits.take((TWICE, "x")) for _ in range(5)] == [None] * 5
    for _ in range(5):
        sign_up("zoe@example.org")
    assert Delivery.objects.due().count() == 5
    assert not RateLimitHit.objects.exists()


def test_a_delayed_mail_is_sent_at_its_time(journey: Journey) -> None:
    for number in range(4):
        sign_up(f"zoe+{number}@example.org")
    assert len(journey.mails()) == 3
    confirmations().filter(state="pending").update(send_at=timezone.now())
    outbox.drain()
    assert len(journey.mails()) == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delays", [False, True])
def test_twenty_simultaneous_hits_are_counted_exactly(delays: bool) -> None:
    taken: list[float | None] = []

    def hit() -> None:
        taken.append(RateLimitHit.objects.take("key", limit=7, period=HOUR, delays=delays))

    assert together([hit] * 20) == []
    assert len(taken) == 20
    hits = [at for at in taken if at]
    now = sum(at <= time.time() for at in hits)
    assert (len(hits), now) == ((20, 7) if delays else (7, 7))


def test_a_link_that_is_asked_for_again_and_again_is_sent_three_times_a_day(client: Client) -> None:
    registration = make_registration(email="zoe@example.org")
    path = f"/evenements/{registration.event.slug}/renvoyer/"
    pages = [client.post(path, {"email": "zoe@example.org"}, follow=True) for _ in range(5)]
    assert len({page.text for page in pages}) == 1
    assert confirmations().count() == 3


def test_the_personal_page_says_when_the_mailbox_has_reached_its_limit(client: Client) -> None:
    registration = make_registration(email="zoe@example.org")
    path = f"/mon-inscription/{registration.manage_code}/renvoyer/"
    pages = [client.post(path, follow=True).text for _ in range(4)]
    assert ["est en route" in page for page in pages] == [True, True, True, False]
    assert "Le lien a déjà été demandé trois fois" in pages[-1]
    assert confirmations().count() == 3


def test_an_unconfirmed_new_address_gets_three_mails_a_day(client: Client) -> None:
    registration = make_registration(email="zoe@example.org")
    pages = [
        client.post(
            f"/mon-inscription/{registration.manage_code}/adresse/",
            {"email": f"victime+{number}@example.org"},
            follow=True,
        ).text
        for number in range(6)
    ]
    assert ["est en route" in page for page in pages] == [True] * 6  # it would tell who was written to today
    assert "Il part trois fois par jour au plus vers une même adresse" in pages[-1]
    assert Delivery.objects.filter(kind="address_check").count() == 3


def test_an_unknown_address_is_not_counted_for_the_event(client: Client, settings: Settings) -> None:
    settings.EVENT_MAILS_PER_HOUR = 2
    event = make_event(report=False)
    for number in range(5):
        client.post(f"/evenements/{event.slug}/renvoyer/", {"email": f"nobody{number}@example.org"})
    signup.register(event, language="fr", **answers())
    assert confirmations().get().send_at <= timezone.now()


@pytest.mark.parametrize("page", ["renvoyer", "corriger"])
def test_a_public_form_above_the_limit_of_the_origin_is_shown_again_with_its_answers(
    journey: Journey, page: str
) -> None:
    event = make_event(report=False)
    journey.sign_up(event)
    for _ in range(rate_limits.FORMS_FROM_ORIGIN.limit):
        rate_limits.take((rate_limits.FORMS_FROM_ORIGIN, "127.0.0.1"))
    answer = journey.client.post(f"/evenements/{event.slug}/{page}/", {"email": "zoe@example.org"})
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert 'value="zoe@example.org"' in answer.text


def test_actions_on_the_personal_pages_are_counted_by_origin(client: Client) -> None:
    registration = make_registration()
    for _ in range(rate_limits.FORMS_FROM_ORIGIN.limit):
        rate_limits.take((rate_limits.FORMS_FROM_ORIGIN, "127.0.0.1"))
    answer = client.post(f"/mon-inscription/{registration.manage_code}/annuler/")
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    registration.refresh_from_db()
    assert registration.is_seated


def test_after_the_clock_has_gone_back_a_form_does_not_say_too_many_for_hours(clock: Any) -> None:
    clock.forward(3 * HOUR)
    assert [rate_limits.take((TWICE, "zoe")) for _ in range(2)] == [None, None]
    assert rate_limits.take((TWICE, "zoe"))
    clock.forward(-2 * HOUR)
    assert [rate_limits.take((TWICE, "zoe")) for _ in range(2)] == [None, None]
    assert rate_limits.take((TWICE, "zoe"))  # and the limit holds
