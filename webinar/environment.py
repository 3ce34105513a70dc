"""Read the environment, and the `.env` file beside manage.py, in words that say what to set."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}
SWITCHES = {
    "on": True,
    "true": True,
    "yes": True,
    "1": True,
    "off": False,
    "false": False,
    "no": False,
    "0": False,
}
SMTP_TIMEOUT = 30  # seconds for each step of the SMTP dialogue


def load_env_file(path: Path) -> None:
    """Add the `NAME=value` lines of a .env file; what the environment says already wins."""
    if not path.is_file():
        return
    for line in path.read_text("utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("'\""))


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def words(name: str, default: list[str]) -> list[str]:
    return [word.strip() for word in text(name).split(",") if word.strip()] or default


def switch(name: str, *, default: bool) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value not in SWITCHES:
        raise ImproperlyConfigured(f"{name} is {value!r}: set it to on or off.")
    return SWITCHES[value]


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name} is {value!r}: set it to a whole number, for example {default}.")
    return int(value)


def base_url(name: str, default: str) -> SplitResult:
    """The site's own address: scheme and host, no path."""
    url = urlsplit(text(name, default).rstrip("/"))
    if url.scheme not in {"http", "https"} or not url.hostname or url.path or url.query:
        raise ImproperlyConfigured(f"{name} must be like https://webinaires.example.org, without a path.")
    return url


def secret_key(name: str, file: Path) -> tuple[str, bool]:
    """The key, and whether it is the one generated once into `file` because none was set."""
    if key := text(name):
        return key, False
    if not file.exists():
        draft = file.with_suffix(f".{os.getpid()}")
        draft.touch(0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, file)  # atomic: of two processes that start together, one wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text(), True


def database(name: str, default: str) -> dict[str, Any]:
    """DATABASES["default"] from `sqlite:///relative`, `sqlite:////absolute` or `postgres://user@host/name`."""
    url = urlsplit(text(name, default))
    if url.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.path[1:],
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
            },
        }
    if url.scheme in {"postgres", "postgresql"} and url.path[1:]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path[1:]),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or ""),
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }
    raise ImproperlyConfigured(
        f"{name} must be like sqlite:////var/lib/webinar/db.sqlite3 or postgres://user:password@host/name."
    )


def mailer(name: str, *, outbox: Path) -> dict[str, Any]:
    """MAILERS["default"]: a folder of .eml files when `name` is unset, else SMTP or one of anymail's ESPs."""
    value = text(name)
    if not value:
        return {"BACKEND": "registrations.eml_folder.EmailBackend", "OPTIONS": {"file_path": outbox}}
    url = urlsplit(value)
    if url.scheme == "anymail" and url.hostname:
        return {"BACKEND": f"anymail.backends.{url.netloc}.EmailBackend"}
    if url.scheme in {"smtp", "smtp+tls", "smtps"} and url.hostname:
        return {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": url.hostname,
                "port": url.port,
                "username": unquote(url.username or ""),
                "password": unquote(url.password or ""),
                "use_tls": url.scheme == "smtp+tls",
                "use_ssl": url.scheme == "smtps",
                "timeout": SMTP_TIMEOUT,
            },
        }
    raise ImproperlyConfigured(
        f"{name} must be like smtp+tls://user:password@host:587, smtps://…, smtp://… or anymail://brevo."
    )


def anymail(name: str) -> dict[str, str]:
    """ANYMAIL settings from that ESP's own variables, for example BREVO_API_KEY."""
    url = urlsplit(text(name))
    if url.scheme != "anymail":
        return {}
    prefix = f"{url.netloc.upper()}_"
    return {variable: value for variable, value in os.environ.items() if variable.startswith(prefix)}


def refuse(reasons: dict[str, bool]) -> None:
    """Stop the start with every sentence whose condition holds."""
    if sentences := [sentence for sentence, holds in reasons.items() if holds]:
        raise ImproperlyConfigured("This site is public and not safe yet:\n- " + "\n- ".join(sentences))
