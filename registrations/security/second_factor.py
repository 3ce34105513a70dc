"""The second factor of staff accounts: a time-based code (TOTP, RFC 6238) or one of ten recovery codes."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from registrations.security import audit

PASSWORD_AT = "password_at"  # noqa: S105 - session key: when the password was last entered
PASSWORD_FRESH = timedelta(hours=1)
RECOVERY_CODES = 10
TOLERANCE = 1  # steps of 30 s that a clock may be early or late


class WrongCode(Exception):
    """The code is not the current one of the device."""


class AlreadySetUp(Exception):
    """The account has a second factor."""


def new_key() -> str:
    """A random TOTP key of 160 bits (RFC 4226, section 4), in hexadecimal."""
    return str(random_hex(20))


def is_set_up(account: Any) -> bool:
    return bool(TOTPDevice.objects.devices_for_user(account, confirmed=True).exists())


def phone(account: Any, key: str) -> TOTPDevice:
    """An unsaved device with this key, whose `config_url` is shown as a QR code."""
    return TOTPDevice(user=account, name="phone", key=key)


def stored_phone(account: Any) -> TOTPDevice:
    return TOTPDevice.objects.get(user=account, confirmed=True)


@transaction.atomic
def set_up(account: Any, *, key: str, code: str) -> list[str]:
    """Store the device if `code` is its current code; returns the recovery codes, which are never shown again.

    Raises WrongCode, AlreadySetUp.
    """
    get_user_model().objects.select_for_update().get(pk=account.pk)
    if is_set_up(account):
        raise AlreadySetUp
    device = phone(account, key)
    shown = TOTP(device.bin_key)
    if not (_is_totp(code) and shown.verify(int(code), TOLERANCE)):
        raise WrongCode
    device.last_t, device.drift = shown.t(), shown.drift
    device.save()
    return _new_recovery_codes(account)


def _new_recovery_codes(account: Any) -> list[str]:
    StaticDevice.objects.devices_for_user(account).delete()
    device = StaticDevice.objects.create(user=account, name="recovery codes")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    audit.record(audit.Action.ENROLLED, about=account)
    return codes


@transaction.atomic
def matching_device(account: Any, code: str) -> Device | None:
    """The account's device that accepts this code, or None. Each code is accepted once."""
    model = TOTPDevice if _is_totp(code) else StaticDevice
    devices = model.objects.devices_for_user(account, confirmed=True).select_for_update()
    device = next((device for device in devices if device.verify_token(code.lower())), None)
    if device is None:
        audit.record(audit.Action.CODE_FAILED, about=account)
    elif model is StaticDevice:
        audit.record(audit.Action.RECOVERED, about=account)
    return device


def _is_totp(code: str) -> bool:
    return code.isascii() and code.isdecimal() and len(code) == 6


@transaction.atomic
def reset(account: Any) -> None:
    """Remove the second factor, for a lost phone. The next login, and open sessions, must set up a new one."""
    TOTPDevice.objects.devices_for_user(account).delete()
    StaticDevice.objects.devices_for_user(account).delete()
    audit.record(audit.Action.OTP_RESET, about=account)
