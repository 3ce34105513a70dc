"""Configuration from the environment: defaults that work, and starts refused with a sentence that says what to set."""

import inspect
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from registrations.mailing import providers
from registrations.monitoring import checks
from tests.site import bare_environment
from webinar import environment

ROOT = Path(__file__).parent.parent
SAFE = {
    "BASE_URL": "https://webinaires.example.org",
    "SECRET_KEY": "".join(map(chr, range(48, 110))),
    "EMAIL_URL": "smtp+tls://user:pass@smtp.example.org:587",
    "DEFAULT_FROM_EMAIL": "Le Pôle <webinaires@example.org>",
    "LEGAL_CONTACT": "donnees@example.org",
}


def start(tmp_path: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *(command or ["check"])],
        env={**bare_environment(), "DATA_DIR": str(tmp_path / "data"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def read_and_check(settings: Settings) -> None:
    """What happens in the first moments of each start, without the start of a process."""
    read = runpy.run_path(str(ROOT / "webinar" / "settings.py"))
    for name in re.findall(r"settings\.([A-Z_]+)", inspect.getsource(checks)):
        setattr(settings, name, read[name])
    checks.require_safe_site()


def test_a_laptop_needs_no_setting(tmp_path: Path) -> None:
    assert start(tmp_path).returncode == 0
    key = tmp_path / "data" / "secret_key"
    assert len(key.read_text()) >= 50
    assert key.stat().st_mode & 0o077 == 0


def test_a_safe_public_site_passes_the_deployment_check(tmp_path: Path) -> None:
    done = start(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **SAFE, TRUSTED_PROXY_COUNT="1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SECRET_KEY": ""}, "Set SECRET_KEY to at least 50 random characters of your own."),
        ({"SECRET_KEY": "short"}, "Set SECRET_KEY to at least 50 random characters of your own."),
        ({"BASE_URL": "http://webinaires.example.org"}, "Set BASE_URL to an https:// address."),
        ({"EMAIL_URL": ""}, "Set EMAIL_URL: mails would only be written to a folder."),
        ({"SECRET_KEY": "a" * 60}, "Set SECRET_KEY to at least 50 random characters of your own."),
        ({"DEFAULT_FROM_EMAIL": "nobody"}, "Set DEFAULT_FROM_EMAIL to a mailbox that exists."),
        ({"EMAIL_URL": "anymail://brevo"}, "Set ANYMAIL_WEBHOOK_SECRET to user:password of your own"),
        ({"ANYMAIL_WEBHOOK_SECRET": "short:one"}, "ANYMAIL_WEBHOOK_SECRET must be like user:password"),
        ({"LEGAL_CONTACT": ""}, "Set LEGAL_CONTACT to the address that answers questions"),
        ({"BASE_URL": "https://example.org:abc"}, "BASE_URL must be like https://webinaires.example.org"),
        ({"BASE_URL": "https://user@example.org"}, "BASE_URL must be like https://webinaires.example.org"),
        ({"DATABASE_URL": "postgres://u:p/ss@h/x"}, "DATABASE_URL must be like sqlite:///"),
        ({"EMAIL_URL": "smtp://u:p#s@h"}, "EMAIL_URL must be like smtp+tls://"),
        ({"DEFAULT_FROM_EMAIL": ""}, "Set DEFAULT_FROM_EMAIL to a mailbox that exists."),
        ({"DEBUG": "on"}, "Set DEBUG to off."),
        ({"STAFF_OTP": "off"}, "Set STAFF_OTP to required: a password alone does not guard people's data."),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT is 'xml': set it to text or json."),
        ({"STAFF_OTP": "perhaps"}, "STAFF_OTP is 'perhaps': set it to required or off."),
        ({"RATE_LIMITS": "off"}, "Set RATE_LIMITS to on: without limits anyone can flood a mailbox from here."),
        ({"EVENT_MAILS_PER_HOUR": "0"}, "EVENT_MAILS_PER_HOUR is '0': set it to a whole number, for example 2000."),
        ({"ALLOWED_HOSTS": "*"}, "Set ALLOWED_HOSTS to the names of this site"),
        ({"ALLOWED_HOSTS": "example.org, .example.net"}, "Set ALLOWED_HOSTS to the names of this site"),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps': set it to on or off."),
        ({"MAIL_MAX_BYTES": "2 MB"}, "MAIL_MAX_BYTES is '2 MB': set it to a whole number, for example 1800000."),
        (
            {"ALERT_URL": "ntfy.sh/webinars"},
            "ALERT_URL must be a whole address that starts with https:// or http:// or",
        ),
        ({"ALERT_URL": "https://ntfy.example.org/my topic"}, "ALERT_URL must be a whole address"),
        ({"PING_URL": "json+https://hc.example.org/1"}, "PING_URL must be a whole address that starts with https://"),
        ({"BASE_URL": "https://example.org/webinaires"}, "BASE_URL must be like https://webinaires.example.org"),
        ({"DATABASE_URL": "mysql://root@localhost/x"}, "DATABASE_URL must be like sqlite:///"),
        ({"EMAIL_URL": "pigeon://roof"}, "EMAIL_URL must be like smtp+tls://"),
    ],
)
def test_an_unsafe_or_wrong_setting_stops_the_start_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, variables: dict[str, str], sentence: str
) -> None:
    for name, value in {**SAFE, "DATA_DIR": str(tmp_path), **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_and_check(settings)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [({"DEBUG": "on"}, "Set DEBUG to off."), ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps': set it to on or off.")],
)
@pytest.mark.parametrize("command", ["check", "worker"])
def test_a_command_says_what_to_set(tmp_path: Path, command: str, variables: dict[str, str], sentence: str) -> None:
    done = start(tmp_path, command, **{**SAFE, **variables})
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


UNSAFE = {**SAFE, "BASE_URL": "http://webinaires.example.org", "LEGAL_CONTACT": "", "DEBUG": "on"}
SENTENCES = [
    "Set BASE_URL to an https:// address.",
    "Set LEGAL_CONTACT to the address that answers questions on data and accessibility.",
    "Set DEBUG to off.",
]


@pytest.mark.parametrize("command", ["up --no-web", "web", "worker", "restore no.tar.gz"])
def test_who_skips_the_checks_starts_no_unsafe_public_site(tmp_path: Path, command: str) -> None:
    skip = [] if command.startswith("restore") else ["--skip-checks"]  # it runs no checks
    done = start(tmp_path, *command.split(), *skip, **UNSAFE)
    assert (done.returncode, done.stderr) == (
        1,
        "\n- ".join(["Not started. This site is public and not safe yet:", *SENTENCES]) + "\n",
    )


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_another_server_does_not_serve_an_unsafe_public_site(tmp_path: Path, interface: str) -> None:
    def load(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", f"from webinar.{interface} import application"],
            cwd=ROOT,
            env={**bare_environment(), "DATA_DIR": str(tmp_path / "data"), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    assert load(SAFE).returncode == 0
    refused = load(UNSAFE)
    assert refused.returncode == 1
    assert [sentence for sentence in SENTENCES if sentence not in refused.stderr] == []


def test_a_shell_opens_on_an_unsafe_public_site_to_mend_it(tmp_path: Path) -> None:
    done = start(tmp_path, "shell", "--no-imports", "-c", "print('open')", **UNSAFE)
    assert (done.returncode, done.stdout) == (0, "open\n")


def test_the_demo_refuses_a_public_site(tmp_path: Path) -> None:
    done = start(tmp_path, "demo", "--setup-only", **SAFE)
    assert done.returncode != 0
    assert "The demo never runs on a public site" in done.stderr


@pytest.fixture
def hidden_pango(tmp_path: Path) -> dict[str, str]:
    """The variable that hides its libraries from a command."""
    hidden = "import ctypes, sys; real = ctypes.CDLL\n"
    hidden += "def without_pango(name, *args):\n"
    hidden += "    if 'pango' in str(name): raise OSError(name)\n"
    hidden += "    return real(name, *args)\n"
    hidden += "ctypes.CDLL = without_pango\n"
    (tmp_path / "sitecustomize.py").write_text(hidden)
    return {"PYTHONPATH": str(tmp_path)}


def test_without_pango_the_demo_starts_and_says_what_to_install(tmp_path: Path, hidden_pango: dict[str, str]) -> None:
    done = start(tmp_path, "demo", "--setup-only", **hidden_pango)
    assert done.returncode == 0
    assert done.stderr.count("Pango is not on this machine. Mails leave without the presentation") == 1
    assert "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0" in done.stderr
    assert "brew install pango" in done.stderr
    assert "organisateur / " in done.stdout


@pytest.mark.parametrize("command", ["web", "worker", "up"])
def test_without_pango_a_public_site_does_not_start_and_says_what_to_install(
    tmp_path: Path, hidden_pango: dict[str, str], command: str
) -> None:
    done = start(tmp_path, command, **SAFE, **hidden_pango)
    assert done.returncode != 0
    assert "The PDF documents cannot be made: Pango is not on this machine." in done.stderr
    assert "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_pango_a_public_site_is_backed_up_all_the_same(tmp_path: Path, hidden_pango: dict[str, str]) -> None:
    assert start(tmp_path, "migrate", "--verbosity", "0", **SAFE, **hidden_pango).returncode == 0
    done = start(tmp_path, "backup", "--to", str(tmp_path), **SAFE, **hidden_pango)
    assert done.returncode == 0
    assert "Pango is not on this machine" in done.stderr
    assert len(list(tmp_path.glob("webinar-*.tar.gz"))) == 1


def test_a_folder_with_odd_signs_in_its_name_holds_the_database(tmp_path: Path) -> None:
    data = tmp_path / "c# ?é%20"
    assert start(tmp_path, "migrate", "--verbosity", "0", DATA_DIR=str(data)).returncode == 0
    assert (data / "db.sqlite3").exists()


def test_a_worker_with_an_unknown_or_incomplete_provider_does_not_start(tmp_path: Path) -> None:
    for url in ("anymail://nosuch", "anymail://brevo"):
        done = start(tmp_path, "worker", EMAIL_URL=url)
        assert done.returncode != 0
        assert "Not started." in done.stderr


def test_the_env_file_fills_in_what_the_environment_does_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "outside")
    monkeypatch.delenv("FROM_FILE", raising=False)
    file = tmp_path / ".env"
    file.write_text("\ufeffFROM_OUTSIDE=file\n# a comment\n\nexport FROM_FILE='a = b'\n")
    environment.load_env_file(file)
    assert (os.environ["FROM_OUTSIDE"], os.environ.pop("FROM_FILE")) == ("outside", "a = b")


@pytest.mark.parametrize(
    ("url", "name", "host"),
    [
        ("sqlite:////var/lib/db.sqlite3", "/var/lib/db.sqlite3", None),
        ("sqlite:///db.sqlite3", "db.sqlite3", None),
        ("postgres://web%40inar:p%3Aw@db.example.org:5433/webinar?sslmode=verify-full", "webinar", "db.example.org"),
    ],
)
def test_database_addresses(monkeypatch: pytest.MonkeyPatch, url: str, name: str, host: str | None) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    found = environment.database("DATABASE_URL", default=Path("unused"))
    assert (found["NAME"], found.get("HOST")) == (name, host)
    if host:
        assert (found["USER"], found["PASSWORD"], found["PORT"]) == ("web@inar", "p:w", "5433")
        prepared = {"server_side_binding": True, "prepare_threshold": environment.PREPARED_AFTER}
        assert found["OPTIONS"] == {**prepared, "sslmode": "verify-full"}


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("smtp://127.0.0.1:2525", {"host": "127.0.0.1", "port": 2525, "use_tls": False, "use_ssl": False}),
        ("smtp+tls://u%40x:p%2Fw@mx.example.org", {"username": "u@x", "password": "p/w", "use_tls": True}),
        ("smtps://mx.example.org", {"use_ssl": True, "use_tls": False, "port": None}),
    ],
)
def test_mail_addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, options: dict[str, object]) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    found = environment.mailer("EMAIL_URL", outbox=tmp_path)["OPTIONS"]
    assert {name: found[name] for name in options} == options


def test_an_esp_is_named_with_its_own_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMAIL_URL", "anymail://mailjet")
    variables = {"MAILJET_API_KEY": "key", "BREVO_API_KEY": "another"}
    assert environment.mailer("EMAIL_URL", outbox=tmp_path) == {"BACKEND": "anymail.backends.mailjet.EmailBackend"}
    assert providers.anymail_settings("mailjet", variables, secret="user:password") == {
        "MAILJET_API_KEY": "key",
        "WEBHOOK_SECRET": "user:password",
        "REQUESTS_TIMEOUT": 30,
        "SEND_DEFAULTS": {"track_opens": False, "track_clicks": False},
    }


@pytest.mark.parametrize(
    ("url", "provider", "speaks_api"),
    [
        ("anymail://brevo", "brevo", True),
        ("smtp+tls://user:pass@smtp-relay.brevo.com:587", "brevo", False),
        ("smtp+tls://user:pass@in-v3.mailjet.com", "mailjet", False),
        ("smtps://mx.example.org", "", False),
        ("", "", False),
    ],
)
def test_the_provider_is_known_by_its_api_or_its_relay(url: str, provider: str, speaks_api: bool) -> None:
    assert (providers.behind(url), providers.speaks_api(url)) == (provider, speaks_api)
    assert bool(providers.anymail_settings(provider, {}, secret="")) == bool(provider)


def test_the_running_site_mounts_one_webhook(tmp_path: Path) -> None:
    """With the API of a provider; with its SMTP relay once there is a secret; and never without one."""
    script = (
        "from webinar.urls import urlpatterns; print([str(p.pattern) for p in urlpatterns if 'anymail' in str(p)])"
    )
    secret = {"ANYMAIL_WEBHOOK_SECRET": "mail:a-long-enough-password"}
    mounted = [
        start(tmp_path, "shell", "--no-imports", "-c", script, **{**SAFE, **variables}).stdout.strip()
        for variables in (
            {"EMAIL_URL": "anymail://mailjet", **secret},
            {"EMAIL_URL": "smtp+tls://u:p@smtp-relay.brevo.com:587", **secret},
            {"EMAIL_URL": "smtp+tls://u:p@smtp-relay.brevo.com:587"},
            secret,
        )
    ]
    assert mounted == ["['anymail/mailjet/tracking/']", "['anymail/brevo/tracking/']", "[]", "[]"]


def test_words_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDS", " a , ,b ")
    assert environment.words("WORDS", []) == ["a", "b"]
