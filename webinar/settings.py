"""Settings: each is read from the environment or `.env`, with a default that works on a laptop.

What a public site must set is checked by registrations.monitoring.checks.
"""

import os
from pathlib import Path

from django.utils.csp import CSP

from registrations.mailing import providers
from registrations.runtime.logs import hide_paths, hide_visitor, one_line
from webinar import environment

BASE_DIR = Path(__file__).resolve().parent.parent
environment.load_env_file(BASE_DIR / ".env")

DATA_DIR = Path(environment.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)

_base = environment.base_url("BASE_URL", "http://127.0.0.1:8000")
BASE_URL = _base.geturl()
HOST = _base.hostname or ""
HTTPS = _base.scheme == "https"
LOOPBACK_HOSTS = environment.LOOPBACK_HOSTS
PUBLIC = HOST not in LOOPBACK_HOSTS
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", [HOST, "127.0.0.1", "localhost", "[::1]"])

DEBUG = environment.switch("DEBUG", default=False)
SECRET_KEY, SECRET_KEY_IS_GENERATED = environment.secret_key("SECRET_KEY", DATA_DIR / "secret_key")
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS", [])

# The application

INSTALLED_APPS = [
    "django_tasks_db",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "registrations.apps.RegistrationsConfig",
    "registrations.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "anymail",
]
MIDDLEWARE = [
    "registrations.runtime.access_log.access_log",  # first: it gives the request the id that all log lines carry
    "django.middleware.csp.ContentSecurityPolicyMiddleware",  # outside: error pages of the others carry the header too
    "django.middleware.security.SecurityMiddleware",
    "registrations.web.request_guard.request_guard",  # before anything reads the request
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of its own
ROOT_URLCONF = "webinar.urls"
WSGI_APPLICATION = "webinar.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "registrations.web.context.facts",
            ],
        },
    }
]

# Data

DATABASES = {"default": environment.database("DATABASE_URL", default=DATA_DIR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = Path(environment.text("MEDIA_DIR", str(DATA_DIR / "media"))).resolve()  # shared by several machines
STATIC_ROOT = DATA_DIR / "static"
MEDIA_URL = "/admin/documents/"  # for staff only, served by a view of the admin
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "registrations.web.static_storage.StaticStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # halves the time of the first start; nothing asks for the other names
WHITENOISE_MAX_AGE = 3600  # seconds; hashed names get a year whatever this says
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# Languages and time

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "registrations" / "locale"]
TIME_ZONE = "Europe/Paris"
USE_TZ = True

# Mail

_email_url = environment.text("EMAIL_URL")
MAILERS = {"default": environment.mailer("EMAIL_URL", outbox=DATA_DIR / "outbox")}
MAIL_PROVIDER = providers.behind(_email_url)
MAIL_IS_SENT_BY_API = providers.speaks_api(_email_url)
MAIL_EVENTS_VIEW = providers.EVENT_VIEWS.get(MAIL_PROVIDER, "")
ANYMAIL_WEBHOOK_SECRET = environment.webhook_secret("ANYMAIL_WEBHOOK_SECRET")  # user:password
ANYMAIL = providers.anymail_settings(MAIL_PROVIDER, os.environ, secret=ANYMAIL_WEBHOOK_SECRET)
DEMO_FROM_EMAIL = "Le Pôle ressources <inscriptions@demo.invalid>"
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", DEMO_FROM_EMAIL)
MAIL_MAX_BYTES = environment.number("MAIL_MAX_BYTES", 1_800_000)  # of a whole mail, report attached
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

ALERT_EMAIL = environment.text("ALERT_EMAIL")  # of the operator: alerted when a configuration error blocks the mails
ALERT_URL = environment.web_address("ALERT_URL", also=["json+http", "json+https"])  # told when the site is not well
PING_URL = environment.web_address("PING_URL")  # requested every minute while it is well
BACKUP_RECIPIENT = environment.text("BACKUP_RECIPIENT")  # public key of age that backups are encrypted for
STATUS_TOKEN = environment.text("STATUS_TOKEN")  # requests that carry it see the reasons at /readyz, and /metrics

# The form

FORM_MIN_SECONDS = environment.number("FORM_MIN_SECONDS", 2)  # a form that is sent faster is treated as a robot's
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # the texts of an event with its report
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2400  # an import of attendance has a field for each participant

# Against abuse

RATE_LIMITS = environment.switch("RATE_LIMITS", default=True)  # off only for load tests
EVENT_MAILS_PER_HOUR = environment.number("EVENT_MAILS_PER_HOUR", 2000, at_least=1)  # more are delayed
TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", 0)

REPLAY_HOSTS = [host.lower() for host in environment.words("REPLAY_HOSTS", [])]  # whose player a page may show
ROOM_HOSTS = [host.lower() for host in environment.words("ROOM_HOSTS", [])]  # empty: any https host

# Staff

STAFF_OTP = environment.choice("STAFF_OTP", ["required", "off"])  # a code from the phone at each login
LOGIN_REDIRECT_URL = "/admin/"
OTP_TOTP_ISSUER = environment.text("LEGAL_NAME", "Le Pôle ressources")  # shown by the phone
# django-otp's waits grow to years: registrations.security.rate_limits limits the attempts instead.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
KNOWN_BROWSER_COOKIE_NAME = "__Host-known" if HTTPS else "known"

# Facts of the legal pages; a line is left out while its fact is not set

LEGAL_NAME = environment.text("LEGAL_NAME", "Le Pôle ressources")
LEGAL_ADDRESS = environment.text("LEGAL_ADDRESS")
LEGAL_CONTACT = environment.text("LEGAL_CONTACT")  # one address for questions on data and accessibility
LEGAL_PUBLISHER = environment.text("LEGAL_PUBLISHER")  # the person answerable for the content
LEGAL_HOST = environment.text("LEGAL_HOST")  # name, address and country of the hosting company
LEGAL_MAIL_PROVIDER = environment.text("LEGAL_MAIL_PROVIDER")  # name and country
LEGAL_ROOM_PROVIDER = environment.text("LEGAL_ROOM_PROVIDER")  # name and country; guarantees when outside the EU

# The browser side

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.switch("HSTS_SUBDOMAINS", default=False)
SECURE_REFERRER_POLICY = "same-origin"  # no-referrer would make browsers send `Origin: null`, and CSRF answer 403
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "registrations.web.errors.csrf_failure"
SESSION_ENGINE = "registrations.web.sessions"
SESSION_COOKIE_AGE = 8 * 3600
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for sub-domains is the operator's choice (HSTS_SUBDOMAINS): they may not be ours
    "security.W021",  # HSTS preload cannot be undone for months: never without a person deciding it
]

LOG_FORMAT = environment.choice("LOG_FORMAT", ["text", "json"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "registrations.runtime.logs.MaskingFormatter",
            "format": "{asctime} {levelname} {name} {message}{about}",
            "style": "{",
        },
        "json": {"()": "registrations.runtime.logs.MaskingJsonFormatter"},
    },
    "filters": {
        "one_line": {"()": lambda: one_line},
        "hide_paths": {"()": lambda: hide_paths},
        "hide_visitor": {"()": lambda: hide_visitor},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django_tasks_db": {"level": "WARNING"},
        "django.tasks": {"level": "WARNING"},
        "django.request": {"filters": ["hide_paths"]},
        "django.security.csrf": {"filters": ["hide_paths"]},
        "waitress.queue": {"level": "ERROR"},  # else it warns of each request that waits for a thread
        "django.security.DisallowedHost": {"filters": ["one_line"]},
        "waitress": {"filters": ["hide_visitor"]},
    },
}
