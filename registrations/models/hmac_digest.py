"""Keyed digests: they recognise what is known already, and nothing can be read from them."""

from django.conf import settings
from django.utils.crypto import salted_hmac


def digests(salt: str, value: str) -> list[str]:
    """Under the present key and the former ones: a new SECRET_KEY must not forget what people asked for."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(salt, value, secret, algorithm="sha256").hexdigest() for secret in secrets]
