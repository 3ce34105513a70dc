"""`manage.py translate` on a small site of the test's own."""

import gettext
import os
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

pytestmark = pytest.mark.skipif(
    shutil.which("msgfmt") is None and not os.environ.get("CI"), reason="no gettext on this machine"
)

HEADER = """msgid ""
msgstr ""
"Language: fr\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"""
SEATS = """
#, python-format
msgid "%(count)s seat"
msgid_plural "%(count)s seats"
msgstr[0] "%(count)s place"
msgstr[1] "%(count)s places"
"""
SIGN_UP = """
#. Translators: a button
msgid "Sign up"
msgstr "S’inscrire"
"""
WELCOME = """
msgid "Welcome"
msgstr "Bienvenue"
"""
CODE = """from django.utils.translation import ngettext
seats = ngettext("%(count)s seat", "%(count)s seats", 2)
"""
PAGE = '{# Translators: a button #}\n{% translate "Sign up" %}'
MAIL = '{% translate "Welcome" %}'


@pytest.fixture
def catalogue(tmp_path: Path, settings: Settings) -> Path:
    """The up-to-date catalogue of a site that has texts in Python, in a page and in a mail."""
    settings.BASE_DIR = tmp_path
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    (tmp_path / "registrations").mkdir()
    (tmp_path / "registrations" / "seats.py").write_text(CODE, "utf-8")
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    (tmp_path / "templates" / "page.html").write_text(PAGE, "utf-8")
    (tmp_path / "templates" / "mail" / "welcome.txt").write_text(MAIL, "utf-8")
    path = tmp_path / "locale" / "fr" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + SEATS + SIGN_UP + WELCOME, "utf-8")
    translate()
    return path


def translate(*options: str) -> str:
    output = StringIO()
    call_command("translate", *options, stdout=output, stderr=output)
    return output.getvalue()


def entries(catalogue: Path) -> str:
    return catalogue.read_text("utf-8").partition("\n\n")[2]


def refused() -> str:
    """What --check says when it ends with exit status 1."""
    output = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("translate", "--check", stdout=output, stderr=output)
    assert stopped.value.code == 1
    return output.getvalue()


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_translations_and_comments_are_kept(catalogue: Path) -> None:
    assert entries(catalogue) == (SEATS + SIGN_UP + WELCOME).removeprefix("\n")
    assert "POT-Creation-Date" not in catalogue.read_text("utf-8")
    with catalogue.with_suffix(".mo").open("rb") as compiled:
        french = gettext.GNUTranslations(compiled)
    assert french.gettext("Sign up") == "S’inscrire"
    assert french.ngettext("%(count)s seat", "%(count)s seats", 2) == "%(count)s places"


def test_running_twice_changes_nothing(catalogue: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    assert translate() == "Texts that wait for a translation: 0\n"
    assert files(tmp_path) == before
    assert translate("--check") == "Texts that wait for a translation: 0\n"
    assert files(tmp_path) == before


def test_a_moved_module_changes_nothing(catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "registrations" / "domain").mkdir()
    (tmp_path / "registrations" / "seats.py").rename(tmp_path / "registrations" / "domain" / "zones.py")
    assert translate("--check") == "Texts that wait for a translation: 0\n"


@pytest.mark.parametrize("name", ["registrations/new.py", "templates/new.html", "templates/mail/new.txt"])
def test_a_text_that_the_catalogue_lacks_is_listed_and_refused(catalogue: Path, tmp_path: Path, name: str) -> None:
    source = '_("Log out")' if name.endswith(".py") else '{% translate "Log out" %}'
    (tmp_path / name).write_text(source, "utf-8")
    before = files(tmp_path)
    waiting = 'msgid "Log out"\nmsgstr ""\n\nTexts that wait for a translation: 1\n'
    assert refused() == f"django.po is out of date: run `uv run manage.py translate`.\n{waiting}"
    assert files(tmp_path) == before

    assert translate() == waiting
    assert refused() == waiting  # up to date, and still not complete


def test_a_text_that_is_gone_leaves_the_catalogue(catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "templates" / "mail" / "welcome.txt").unlink()
    assert "django.po is out of date" in refused()
    translate()
    assert entries(catalogue) == (SEATS + SIGN_UP).removeprefix("\n")


def test_a_text_that_resembles_another_gets_no_translation_by_guess(catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "templates" / "new.html").write_text('{% translate "Sign up!" %}', "utf-8")
    assert translate().startswith('msgid "Sign up!"\nmsgstr ""\n')
    assert "fuzzy" not in catalogue.read_text("utf-8")


def test_a_plural_that_has_changed_waits_for_a_translation(catalogue: Path, tmp_path: Path) -> None:
    """Merging keeps the former translation and marks it fuzzy."""
    code = CODE.replace("%(count)s seats", "%(count)s of our seats")
    (tmp_path / "registrations" / "seats.py").write_text(code, "utf-8")
    assert 'msgid_plural "%(count)s of our seats"\nmsgstr[0] ""\nmsgstr[1] ""\n' in translate()
    assert "fuzzy" not in catalogue.read_text("utf-8")


def test_a_fuzzy_entry_waits_for_a_translation(catalogue: Path) -> None:
    catalogue.write_text(HEADER + SEATS + SIGN_UP + WELCOME.replace("msgid", "#, fuzzy\nmsgid"), "utf-8")
    assert "django.po is out of date" in refused()
    assert translate() == 'msgid "Welcome"\nmsgstr ""\n\nTexts that wait for a translation: 1\n'
    assert "fuzzy" not in catalogue.read_text("utf-8")


def test_half_a_plural_waits_for_its_other_half(catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "templates" / "page.html").write_text(
        "{% blocktranslate count n=2 %}seat{% plural %}seats{% endblocktranslate %}", "utf-8"
    )
    translate()
    text = catalogue.read_text("utf-8")
    half = 'msgid "seat"\nmsgid_plural "seats"\nmsgstr[0] "place"\nmsgstr[1] ""\n'
    catalogue.write_text(text.replace(half.replace("place", ""), half), "utf-8")
    assert translate() == f"{half}\nTexts that wait for a translation: 1\n"


def test_a_compiled_file_that_is_out_of_date_is_refused(catalogue: Path) -> None:
    text = catalogue.read_text("utf-8")
    catalogue.write_text(text.replace("Bienvenue", "Bonjour"), "utf-8")
    assert "django.mo is out of date" in refused()
    catalogue.with_suffix(".mo").unlink()
    assert "django.mo is out of date" in refused()


def test_a_translation_that_loses_a_value_is_refused(catalogue: Path) -> None:
    text = catalogue.read_text("utf-8")
    catalogue.write_text(text.replace('"%(count)s places"', '"%(nombre)s places"'), "utf-8")
    with pytest.raises(CommandError, match=rf"{catalogue}:\d+: .*nombre"):
        translate()


def test_event_is_spelled_in_one_way() -> None:
    catalogue = settings.BASE_DIR / "registrations/locale/fr/LC_MESSAGES/django.po"
    assert "évènement" not in catalogue.read_text("utf-8").lower()
