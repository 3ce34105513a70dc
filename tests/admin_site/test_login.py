"""The login to the admin: wrong passwords, the second factor, the password asked again."""

import re
import time
from base64 import b32decode
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from registrations.models import AuditEntry, Registration
from registrations.security import rate_limits, second_factor
from tests.factories import make_registration
from tests.phone import KEY, code_of

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def account() -> User:
    return User.objects.create_superuser("organisatrice", password=PASSWORD)


@pytest.fixture
def _required(settings: Settings) -> None:
    settings.STAFF_OTP = "required"


def log_in(client: Client, password: str = PASSWORD, username: str = "organisatrice", **extra: Any) -> Any:
    return client.post("/admin/login/?next=/admin/", {"username": username, "password": password}, **extra)


def give_phone(account: User) -> None:
    TOTPDevice.objects.create(user=account, key=KEY, name="phone")


def hidden_key(page: Any) -> str:
    return str(re.findall(r'name="key" value="([^"]+)"', page.text)[0])


def key_of(page: Any) -> str:
    return bytes(b32decode(page.context["key"])).hex()


# The second factor


@pytest.mark.usefixtures("_required")
def test_a_first_login_is_led_to_the_qr_code_and_ends_with_ten_recovery_codes(client: Client, account: User) -> None:
    log_in(client)
    page = client.get("/admin/registrations/event/", follow=True)
    assert page.redirect_chain[-1][0].startswith("/admin/set-up/")
    assert re.search(r'<svg[^>]* viewBox="0 0 \d+ \d+"', page.text)
    assert " style=" not in page.text
    assert "unsafe" not in page["Content-Security-Policy"]
    assert re.search(r'<code class="key">[A-Z2-7]{32}</code>', page.text)
    assert "no-store" in page["Cache-Control"]

    code = code_of(key_of(page))
    done = client.post(
        "/admin/set-up/", {"key": hidden_key(page), "code": f" {code[:3]} {code[3:]} ", "next": "/admin/"}
    )
    codes = re.findall(r"<li><code>([a-z2-7]{8})</code></li>", done.text)
    assert len(set(codes)) == 10
    assert "no-store" in done["Cache-Control"]
    assert client.get("/admin/registrations/event/").status_code == 200
    assert set(StaticToken.objects.values_list("token", flat=True)) == set(codes)


@pytest.mark.usefixtures("_required")
def test_a_wrong_code_keeps_the_qr_code_and_stores_nothing(client: Client, account: User) -> None:
    log_in(client)
    page = client.get("/admin/set-up/")
    again = client.post("/admin/set-up/", {"key": hidden_key(page), "code": "000000"})
    assert "Ce n’est pas ce que votre téléphone affiche" in again.text
    assert key_of(again) == key_of(page)
    assert not TOTPDevice.objects.exists()


@pytest.mark.usefixtures("_required")
def test_looking_at_the_page_stores_no_key(client: Client, account: User) -> None:
    log_in(client)
    keys = {key_of(client.get("/admin/set-up/")) for _ in range(2)}
    assert len(keys) == 2
    assert not TOTPDevice.objects.exists()


@pytest.mark.usefixtures("_required")
def test_a_key_of_another_account_or_a_forged_one_is_not_taken(client: Client, account: User) -> None:
    other = Client()
    User.objects.create_superuser("autre", password=PASSWORD)
    log_in(other, username="autre")
    log_in(client)
    stolen = other.get("/admin/set-up/")
    for key in (hidden_key(stolen), "forged"):
        client.post("/admin/set-up/", {"key": key, "code": code_of(key_of(stolen))})
    assert not TOTPDevice.objects.exists()


@pytest.mark.usefixtures("_required")
def test_a_later_login_asks_for_the_code_and_leads_where_one_wanted_to_go(client: Client, account: User) -> None:
    give_phone(account)
    wanted = "/admin/registrations/registration/?mail=failed"
    log_in(client)
    asked = client.get(wanted)
    assert asked["Location"] == "/admin/code/?next=%2Fadmin%2Fregistrations%2Fregistration%2F%3Fmail%3Dfailed"
    page = client.get(asked["Location"])
    assert 'autocomplete="one-time-code"' in page.text
    answer = client.post("/admin/code/", {"code": code_of(KEY), "next": wanted})
    assert answer["Location"] == wanted
    assert client.get(wanted).status_code == 200


@pytest.mark.usefixtures("_required")
@pytest.mark.parametrize("code", ["000000", "", "abcdefgh", "٠٠٠٠٠٠", "x" * 30])
def test_a_wrong_code_opens_nothing(client: Client, account: User, code: str) -> None:
    give_phone(account)
    log_in(client)
    assert client.post("/admin/code/", {"code": code}).status_code == 200
    assert client.get("/admin/").status_code == 302


@pytest.mark.usefixtures("_required")
def test_a_code_serves_once(account: User) -> None:
    give_phone(account)
    code = code_of(KEY)
    statuses = []
    for _ in range(2):
        browser = Client()
        log_in(browser)
        statuses.append(browser.post("/admin/code/", {"code": code}).status_code)
    assert statuses == [302, 200]


@pytest.mark.usefixtures("_required")
def test_a_recovery_code_serves_once(account: User) -> None:
    codes = second_factor.set_up(account, key=KEY, code=code_of(KEY))
    statuses = []
    for code in (codes[0].upper(), codes[0], codes[1]):
        browser = Client()
        log_in(browser)
        statuses.append(browser.post("/admin/code/", {"code": code}).status_code)
    assert statuses == [302, 200, 302]
    assert StaticToken.objects.count() == 8


@pytest.mark.usefixtures("_required")
def test_who_has_a_phone_cannot_set_up_another_with_the_password_alone(client: Client, account: User) -> None:
    give_phone(account)
    log_in(client)
    assert client.get("/admin/set-up/")["Location"].startswith("/admin/code/")
    with pytest.raises(second_factor.AlreadySetUp):
        second_factor.set_up(account, key=KEY, code=code_of(KEY))


@pytest.mark.usefixtures("_required")
@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/registrations/registration/",
        "/admin/password_change/",
        "/admin/jsi18n/",
        "/admin/documents/x",
    ],
)
def test_the_password_alone_opens_no_page(client: Client, account: User, path: str) -> None:
    give_phone(account)
    log_in(client)
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/code/")


@pytest.mark.usefixtures("_required")
def test_the_login_page_leads_a_half_logged_in_person_on_and_another_account_is_one_click_away(
    client: Client, account: User
) -> None:
    give_phone(account)
    log_in(client)
    assert client.get("/admin/login/")["Location"].startswith("/admin/code/")
    client.post("/admin/logout/")
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/login/").status_code == 200


@pytest.mark.usefixtures("_required")
def test_the_code_pages_are_closed_to_strangers_and_to_people_who_are_no_staff(client: Client) -> None:
    User.objects.create_user("personne", password=PASSWORD)
    for _ in range(2):
        for path in ("/admin/code/", "/admin/set-up/", "/admin/confirm/"):
            assert client.get(path)["Location"].startswith("/admin/login/")
        client.login(username="personne", password=PASSWORD)


@pytest.mark.usefixtures("_required")
def test_wrong_codes_are_counted_and_the_right_one_works_an_hour_later(client: Client, account: User) -> None:
    give_phone(account)
    log_in(client)
    for _ in range(10):
        assert client.post("/admin/code/", {"code": "000000"}).status_code == 200
    refused = client.post("/admin/code/", {"code": code_of(KEY)})
    assert refused.status_code == 429
    assert 3500 < int(refused["Retry-After"]) <= 3600
    assert AuditEntry.objects.filter(action="code_failed").count() == 10


@pytest.mark.usefixtures("_required")
def test_a_lost_phone_is_taken_away_and_the_sessions_it_had_proved_need_another(client: Client, account: User) -> None:
    give_phone(account)
    log_in(client)
    client.post("/admin/code/", {"code": code_of(KEY)})
    assert client.get("/admin/").status_code == 200
    said = StringIO()
    call_command("otp_reset", "organisatrice", stdout=said)
    assert "organisatrice: the next login" in said.getvalue()
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/admin/set-up/")
    with pytest.raises(CommandError, match="no account named personne"):
        call_command("otp_reset", "personne")


def test_without_a_second_factor_required_a_password_is_enough(client: Client, account: User) -> None:
    log_in(client)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/code/")["Location"] == "/admin/"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/evil/",
        "javascript:alert(1)",
        "\\\\evil",
    ],
)
def test_no_page_of_the_admin_leads_elsewhere(client: Client, account: User, wanted: str) -> None:
    log_in(client)
    answers = [
        client.post("/admin/confirm/", {"password": PASSWORD, "next": wanted}),
        client.get("/admin/code/", {"next": wanted}),
        client.post("/admin/login/", {"username": "organisatrice", "password": PASSWORD, "next": wanted}),
    ]
    for answer in answers:
        assert answer.status_code == 302
        assert re.match("/(admin|evil)/", answer["Location"])
    assert [answer["Location"] for answer in answers[:2]] == ["/admin/"] * 2


def test_nobody_sees_the_keys_of_second_factors_in_the_admin(client: Client, account: User) -> None:
    give_phone(account)
    client.force_login(account)
    assert "otp" not in client.get("/admin/").text
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404


# Wrong passwords


def test_the_eleventh_wrong_password_from_one_origin_is_not_looked_at(account: User) -> None:
    statuses = [log_in(Client(), f"wrong {number}").status_code for number in range(11)]
    assert statuses == [200] * 10 + [429]
    refused = log_in(Client())
    assert refused.status_code == 429
    assert 800 < int(refused["Retry-After"]) <= 900
    assert "Rien n’est bloqué pour toujours." in refused.text
    assert log_in(Client(REMOTE_ADDR="192.0.2.9")).status_code == 302


def test_the_thirty_first_wrong_password_for_one_account_is_not_looked_at_wherever_it_comes_from(
    account: User,
) -> None:
    statuses = [log_in(Client(REMOTE_ADDR=f"192.0.2.{n}"), "wrong").status_code for n in range(31)]
    assert statuses == [200] * 30 + [429]
    assert log_in(Client(REMOTE_ADDR="198.51.100.1"), "wrong", username="autre").status_code == 200


def test_full_width_letters_give_no_more_guesses_at_the_password_of_an_account(account: User) -> None:
    """Django looks for the name in its NFKC form, in which full-width letters are plain ones."""
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in "organisatrice")
    names = [wide[:n] + "organisatrice"[n:].upper() for n in range(10)] * 3
    statuses = [
        log_in(Client(REMOTE_ADDR=f"192.0.2.{n}"), "wrong", username=name).status_code for n, name in enumerate(names)
    ]
    assert statuses == [200] * 30
    assert log_in(Client(REMOTE_ADDR="198.51.100.1"), "wrong", username=f" {wide}\u2003").status_code == 429


def test_an_account_under_attack_still_opens_from_a_browser_that_knows_it(account: User) -> None:
    office = Client()
    log_in(office)
    office.post("/admin/logout/")
    for number in range(40):
        log_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), "wrong")
    for _ in range(10):
        log_in(Client(), "wrong", username="autre")
    assert log_in(Client(REMOTE_ADDR="198.51.100.1")).status_code == 429
    assert log_in(Client()).status_code == 429
    assert log_in(office).status_code == 302
    assert [log_in(office, "wrong").status_code for _ in range(11)] == [200] * 10 + [429]


def test_the_cookie_of_a_known_browser_serves_its_account_alone_and_cannot_be_made_up(account: User) -> None:
    office = Client()
    log_in(office)
    cookie = office.cookies["known"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    for number in range(31):
        log_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), "wrong", username="autre")
    assert log_in(office, "wrong", username="autre").status_code == 429
    forger = Client()
    forger.cookies["known"] = cookie.value + "x"
    for _ in range(10):
        log_in(Client(), "wrong")
    assert log_in(forger).status_code == 429


def test_right_passwords_are_not_counted(account: User) -> None:
    assert [log_in(Client()).status_code for _ in range(12)] == [302] * 12


def test_a_login_lasts_eight_hours_at_most(client: Client, account: User, settings: Settings) -> None:
    log_in(client)
    assert client.cookies["session"]["max-age"] == 8 * 3600
    assert (client.cookies["session"]["httponly"], client.cookies["session"]["samesite"]) == (True, "Lax")
    assert settings.SESSION_SAVE_EVERY_REQUEST is False


def test_only_a_post_logs_out(client: Client, account: User) -> None:
    log_in(client)
    assert client.get("/admin/logout/").status_code == 405
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert client.get("/admin/").status_code == 302


# The password, once more


@pytest.fixture
def stale(client: Client, account: User) -> Client:
    log_in(client)
    session = client.session
    session[second_factor.PASSWORD_AT] = time.time() - timedelta(minutes=61).total_seconds()
    session.save()
    return client


def test_erasing_asks_for_the_password_again_an_hour_after_the_login(stale: Client) -> None:
    registration = make_registration()
    path = f"/admin/registrations/registration/{registration.pk}/delete/"
    for answer in (stale.get(path), stale.post(path, {"post": "yes"})):
        assert answer["Location"] == f"/admin/confirm/?next={path.replace('/', '%2F')}"
    assert Registration.objects.exists()

    page = stale.get(stale.get(path)["Location"])
    assert "vous vous êtes connecté·e il y a plus d’une heure" in page.text
    wrong = stale.post("/admin/confirm/", {"password": "wrong", "next": path})
    assert "Ce n’est pas votre mot de passe." in wrong.text
    assert stale.post("/admin/confirm/", {"password": PASSWORD, "next": path})["Location"] == path
    stale.post(path, {"post": "yes"})
    assert not Registration.objects.exists()


@pytest.mark.parametrize("path", ["/admin/registrations/registration/", "/admin/auth/user/"])
def test_erasing_several_asks_for_it_too(stale: Client, path: str) -> None:
    registration = make_registration()
    answer = stale.post(path, {"action": "delete_selected", "_selected_action": [registration.pk], "post": "yes"})
    assert answer["Location"].startswith("/admin/confirm/")
    assert Registration.objects.exists()


def test_reading_and_correcting_do_not_ask_for_it(stale: Client) -> None:
    registration = make_registration()
    assert stale.get(f"/admin/registrations/registration/{registration.pk}/change/").status_code == 200


def test_guessing_the_password_there_is_counted_like_a_login(stale: Client) -> None:
    for _ in range(30):
        rate_limits.take((rate_limits.LOGINS_TO_ACCOUNT, "organisatrice"))
    assert stale.post("/admin/confirm/", {"password": PASSWORD}).status_code == 429
