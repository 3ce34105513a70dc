"""Settings for tests: faster, and separate from the developer's data."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_data = Path(tempfile.mkdtemp(prefix="webinar-tests-"))
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["DATA_DIR"] = str(_data)
for _name in (
    "BASE_URL",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
    "ALLOWED_HOSTS",
    "FORM_MIN_SECONDS",
    "DEBUG",
    "LEGAL_CONTACT",
    "ANYMAIL_WEBHOOK_SECRET",
    "RATE_LIMITS",
    "EVENT_MAILS_PER_HOUR",
    "TRUSTED_PROXY_COUNT",
    "ALERT_EMAIL",
    "ALERT_URL",
    "STAFF_OTP",
    "ROOM_HOSTS",
    "PING_URL",
    "STATUS_TOKEN",
    "LOG_FORMAT",
):
    os.environ[_name] = ""  # set and empty, so that neither the environment nor a .env file changes the tests

from webinar.settings import *  # noqa: E402, F403

STATIC_ROOT.mkdir()  # noqa: F405
BASE_URL = "https://webinaires.example.org"
HOST = "webinaires.example.org"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
DEFAULT_FROM_EMAIL = "Le Pôle ressources <inscriptions@example.org>"
FORM_MIN_SECONDS = 0
STAFF_OTP = "off"  # most tests are about pages after the login; test_login.py turns it on
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # a file, not memory: several threads and processes use it, as in production
    DATABASES["default"]["TEST"] = {"NAME": str(_data / "test.sqlite3")}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"  # noqa: F405
