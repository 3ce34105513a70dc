"""Read the environment, and the `.env` file beside manage.py, in words that say what to set."""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

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
MAIL_TIMEOUT = 30  # seconds for each step of the SMTP dialogue, or for a provider's answer
EVENT_VIEWS = {  # of the providers whose hard and soft bounces registrations.receivers can tell apart
    "amazon_ses": "anymail.webhooks.amazon_ses.AmazonSESTrackingWebhookView",
    "brevo": "registrations.views.mail_events.BrevoEvents",
    "mailjet": "anymail.webhooks.mailjet.MailjetTrackingWebhookView",
    "postmark": "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
}
SMTP_RELAYS = {"smtp-relay.brevo.com": "brevo", "in-v3.mailjet.com": "mailjet", "smtp.postmarkapp.com": "postmark"}
CAN_STOP_TRACKING = {"mailersend", "mailgun", "mailjet", "mandrill", "postmark", "sparkpost", "unisender_go"}


def load_env_file(path: Path) -> None:
    """Add the `NAME=value` lines of a .env file; what the environment says already wins."""
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
    """The parts of an address; ImproperlyConfigured with our own sentence when it cannot be read."""
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


def database(name: str, *, default: Path) -> dict[str, Any]:
    """DATABASES["default"]: the SQLite file `default`, or what `name` says.

    `sqlite:////absolute/path` or `postgres://user:password@host/name?sslmode=verify-full`; what stands after the
    question mark goes to the driver. In names and passwords, signs such as # / @ : are written percent-encoded.
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
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
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
            "OPTIONS": dict(parse_qsl(url.query)),
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
            "timeout": MAIL_TIMEOUT,
        },
    }


def provider(name: str) -> str:
    """The ESP behind `anymail://<esp>` or behind the SMTP relay that is named, or nothing."""
    host = (urlsplit(text(name)).hostname or "").lower()
    return host if speaks_api(name) else SMTP_RELAYS.get(host, "")


def speaks_api(name: str) -> bool:
    return text(name).startswith("anymail://")


def anymail(name: str, *, secret: str) -> dict[str, Any]:
    """ANYMAIL settings from that ESP's own variables, for example BREVO_API_KEY; nobody's reading is tracked."""
    if not (esp := provider(name)):
        return {}
    prefix = f"{esp.upper()}_"
    untracked = {"track_opens": False, "track_clicks": False} if esp in CAN_STOP_TRACKING else {}
    return {
        **{variable: value for variable, value in os.environ.items() if variable.startswith(prefix)},
        **({"WEBHOOK_SECRET": secret} if secret else {}),
        "REQUESTS_TIMEOUT": MAIL_TIMEOUT,
        "SEND_DEFAULTS": untracked,
    }


def webhook_secret(name: str) -> str:
    """`user:password` that the provider sends with each event (HTTP basic authentication)."""
    value = text(name)
    user, _colon, password = value.partition(":")
    if value and (not user or len(password) < 16):
        raise ImproperlyConfigured(f"{name} must be like user:password, with a password of at least 16 characters.")
    return value


def refuse(reasons: dict[str, bool]) -> None:
    """Stop the start with every sentence whose condition holds."""
    if sentences := [sentence for sentence, holds in reasons.items() if holds]:
        raise ImproperlyConfigured("This site is public and not safe yet:\n- " + "\n- ".join(sentences))
