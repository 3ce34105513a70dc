"""What a public site must set, one check each."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from registrations.monitoring.checks import PUBLIC_SITE, require_safe_site

SAFE = {
    "PUBLIC": True,
    "HTTPS": True,
    "SECRET_KEY": "".join(map(chr, range(48, 110))),
    "SECRET_KEY_IS_GENERATED": False,
    "MAILERS": {"default": {"BACKEND": "registrations.mailing.transports.smtp.EmailBackend"}},
    "DEFAULT_FROM_EMAIL": "Le Pôle <webinaires@example.org>",
    "LEGAL_CONTACT": "donnees@example.org",
    "ALLOWED_HOSTS": ["webinaires.example.org"],
    "STAFF_OTP": "required",
}


def found(settings: Settings, **values: Any) -> list[str | None]:
    for name, value in {**SAFE, **values}.items():
        setattr(settings, name, value)
    return [message.id for message in run_checks(tags=[PUBLIC_SITE])]


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ({"SECRET_KEY": "a" * 60}, "E002"),
        ({"SECRET_KEY_IS_GENERATED": True}, "E002"),
        ({"HTTPS": False}, "E003"),
        ({"MAILERS": {"default": {"BACKEND": "registrations.mailing.transports.eml_folder.EmailBackend"}}}, "E004"),
        ({"DEFAULT_FROM_EMAIL": "nobody"}, "E005"),
        ({"MAIL_EVENTS_VIEW": "a.View", "MAIL_IS_SENT_BY_API": True}, "E006"),
        ({"LEGAL_CONTACT": ""}, "E007"),
        ({"DEBUG": True}, "E008"),
        ({"ALLOWED_HOSTS": [".example.org"]}, "E009"),
        ({"STAFF_OTP": "off"}, "E010"),
        ({"RATE_LIMITS": False}, "E011"),
    ],
)
def test_each_setting_of_a_public_site_has_a_check(settings: Settings, values: dict[str, Any], number: str) -> None:
    assert found(settings, **values) == [f"registrations.{number}"]
    settings.PUBLIC = False
    assert run_checks(tags=[PUBLIC_SITE]) == []


def test_a_safe_public_site_starts(settings: Settings) -> None:
    assert found(settings) == []
    require_safe_site()


def test_all_that_is_missing_is_said_at_once(settings: Settings) -> None:
    found(settings, DEBUG=True, HTTPS=False)
    with pytest.raises(ImproperlyConfigured, match=r"\n- Set BASE_URL to an https:// address.\n- Set DEBUG to off.$"):
        require_safe_site()
