"""Codes of an authenticator application (TOTP)."""

import time

from django_otp.oath import TOTP

KEY = "3132333435363738393031323334353637383930"


def code_of(key: str) -> str:
    phone = TOTP(bytes.fromhex(key))
    phone.time = time.time()
    return f"{phone.token():06}"
