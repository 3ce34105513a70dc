"""Where an uploaded PDF is stored."""

import secrets
from typing import Any


def random_name(instance: Any, filename: str) -> str:
    """A random file name: the name of the uploaded file may contain a person's name or be too long."""
    return f"reports/{secrets.token_urlsafe(16)}.pdf"
