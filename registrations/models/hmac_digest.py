"""HMAC digests: a known value can be recognised, but the value cannot be read from the digest."""

from django.conf import settings
from django.utils.crypto import salted_hmac


def digests(salt: str, value: str) -> list[str]:
    """Hexadecimal HMAC-SHA-256 digests of the value: the first with SECRET_KEY, the others with its fallbacks.

    The fallbacks are needed to recognise values that were stored before SECRET_KEY was changed.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(salt, value, secret, algorithm="sha256").hexdigest() for secret in secrets]
