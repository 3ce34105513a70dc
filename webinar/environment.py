"""Read settings from the environment and from the `.env` file beside manage.py; errors say what to set.

Tried instead: environs 15.2 and django-environ 0.14. Their refusals say what is wrong and not what to set (« Not a
valid boolean. »); django-environ takes any word that it does not know for false; both refuse an empty variable
where we use the default. The five small readers would become wrappers around theirs, and the longer functions are
about our own addresses.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from registrations.mailing import providers

PREPARED_AFTER = 5  # times that a connection has executed a statement; psycopg's default, which Django turns off
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


def load_env_file(path: Path) -> None:
    """Add the `NAME=value` lines of a .env file. A variable that is set already is not changed."""
    if not path.is_file():
        return
    for line in path.read_text("utf-8-sig").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), _unquoted(value.strip()))


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def words(name: str, default: list[str]) -> list[str]:
    return [word.strip() for word in text(name).split(",") if word.strip()] or default


def switch(name: str, *, default: bool) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value not in SWITCHES:
        raise ImproperlyConfigured(f"{name} is {value!r}: set it to on or off.")
    return SWITCHES[value]


def number(name: str, default: int, *, at_least: int = 0) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < at_least:
        raise ImproperlyConfigured(f"{name} is {value!r}: set it to a whole number, for example {default}.")
    return int(value)


def choice(name: str, choices: list[str]) -> str:
    """One of the words; the first is the default."""
    value = text(name, choices[0]).lower()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}: set it to {' or '.join(choices)}.")
    return value


def _address(value: str, refusal: str) -> SplitResult:
    """The parts of an address. Raises ImproperlyConfigured with `refusal` when it cannot be parsed."""
    try:
        url = urlsplit(value)
        _readable_port = url.port
    except ValueError as error:
        raise ImproperlyConfigured(refusal) from error
    return url


def base_url(name: str, default: str) -> SplitResult:
    """The site's own address: scheme and host, no path."""
    refusal = f"{name} must be like https://webinaires.example.org, without a path."
    url = _address(text(name, default).rstrip("/"), refusal)
    if (
        url.scheme not in {"http", "https"}
        or not url.hostname
        or url.username
        or url.path
        or url.query
        or url.fragment
    ):
        raise ImproperlyConfigured(refusal)
    return url


def web_address(name: str, *, also: Sequence[str] = ()) -> str:
    """An address of another service, http or https; `also`: other schemes. Empty when it is not set."""
    if not (value := text(name)):
        return ""
    schemes = ["https", "http", *also]
    refusal = f"{name} must be a whole address that starts with {' or '.join(f'{each}://' for each in schemes)}."
    url = _address(value, refusal)
    if url.scheme not in schemes or not url.hostname or not value.isascii() or len(value.split()) != 1:
        raise ImproperlyConfigured(refusal)
    return value


def secret_key(name: str, file: Path) -> tuple[str, bool]:
    """The key, and whether it was generated. A key is generated once, into `file`, when none is set."""
    if key := text(name):
        return key, False
    if not file.exists():
        draft = file.with_suffix(f".{os.getpid()}")
        draft.touch(0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, file)  # atomic: two processes that start together use the same key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text(), True


def database(name: str, *, default: Path) -> dict[str, Any]:
    """DATABASES["default"]: the SQLite file `default`, or what `name` says.

    `sqlite:////absolute/path` or `postgres://user:password@host/name?sslmode=verify-full`. What follows the question
    mark is passed to the driver. In names and passwords, characters such as # / @ : are percent-encoded.
    """
    refusal = f"{name} must be like sqlite:////var/lib/webinar/db.sqlite3 or postgres://user:password@host/name."
    url = _address(text(name), refusal)
    if not text(name) or url.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(url.path[1:]) or str(default),
            "CONN_MAX_AGE": 600,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY",
            },
        }
    if url.scheme in {"postgres", "postgresql"} and url.path[1:]:
        return {
            "ENGINE": "webinar.postgresql",
            "NAME": unquote(url.path[1:]),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or ""),
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                "server_side_binding": True,
                "prepare_threshold": PREPARED_AFTER,
                **dict(parse_qsl(url.query)),
            },
        }
    raise ImproperlyConfigured(refusal)


def mailer(name: str, *, outbox: Path) -> dict[str, Any]:
    """MAILERS["default"]: a folder of .eml files when `name` is unset, else SMTP or one of anymail's ESPs."""
    if not text(name):
        return {
            "BACKEND": "registrations.mailing.transports.eml_folder.EmailBackend",
            "OPTIONS": {"file_path": outbox},
        }
    refusal = f"{name} must be like smtp+tls://user:password@host:587, smtps://…, smtp://… or anymail://brevo."
    url = _address(text(name), refusal)
    if url.scheme == "anymail" and url.hostname:
        return {"BACKEND": f"anymail.backends.{url.hostname}.EmailBackend"}
    if url.scheme not in {"smtp", "smtp+tls", "smtps"} or not url.hostname or url.path or url.fragment:
        raise ImproperlyConfigured(refusal)
    return {
        "BACKEND": "registrations.mailing.transports.smtp.EmailBackend",
        "OPTIONS": {
            "host": url.hostname,
            "port": url.port,
            "username": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "use_tls": url.scheme == "smtp+tls",
            "use_ssl": url.scheme == "smtps",
            "timeout": providers.TIMEOUT,
        },
    }


def webhook_secret(name: str) -> str:
    """The `user:password` that the provider sends with each event (HTTP basic authentication)."""
    value = text(name)
    user, _colon, password = value.partition(":")
    if value and (not user or len(password) < 16):
        raise ImproperlyConfigured(f"{name} must be like user:password, with a password of at least 16 characters.")
    return value
