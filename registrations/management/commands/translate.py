import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.commands import makemessages
from django.core.management.utils import popen_wrapper
from django.utils.functional import cached_property

LANGUAGE = "fr"
SOURCES = ["registrations", "templates", "webinar"]
CREATED_AT = re.compile(r'^"POT-Creation-Date: .*\n', re.MULTILINE)
UNTRANSLATED = re.compile(r'^msgstr(\[\d\])? ""$(?!\n")', re.MULTILINE)


class BuildFile(makemessages.BuildFile):
    @cached_property
    def work_path(self) -> str:
        """Django writes the Python code made from a template next to the template; here it goes into the workspace."""
        if not self.is_templatized:
            return self.path
        path = Path(
            self.translatable.locale_dir or "", f"{Path(self.path).resolve().relative_to(settings.BASE_DIR)}.py"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)


class Merge(makemessages.Command):
    """`makemessages` on a copy of the catalogue in `workspace`; the repository is only read."""

    build_file_class = BuildFile
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]
    msgattrib_options = [
        *makemessages.Command.msgattrib_options,
        "--sort-output",
    ]  # so that moving a module changes nothing

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self.workspace = workspace

    def find_files(self, root: str) -> list[makemessages.TranslatableFile]:
        """Each path begins with `./`, since Django removes the first two characters of a path in a warning."""
        self.locale_paths = [self.workspace]
        return [
            makemessages.TranslatableFile(f"./{os.path.relpath(path.parent)}", path.name, self.workspace)
            for source in SOURCES
            for path in sorted((settings.BASE_DIR / source).rglob("*"))
            if path.suffix in self.extensions
        ]

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Merge, drop fuzzy entries, and merge again, so that their texts come back without a translation.

        An entry is fuzzy when a translator marked it so, or when only the plural of its text has changed.
        """
        super().write_po_file(potfile, locale)
        catalogue = str(Path(potfile).parent / locale / "LC_MESSAGES" / "django.po")
        run("msgattrib", "--no-fuzzy", "--no-wrap", "-o", catalogue, catalogue)
        super().write_po_file(potfile, locale)


class Command(BaseCommand):
    help = (
        "Extract all texts, merge them into the French catalogue, compile it, and list what waits for a translation."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Write nothing. Exit status 1 when the catalogue is out of date or not complete.",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        catalogue = Path(settings.LOCALE_PATHS[0], LANGUAGE, "LC_MESSAGES", "django.po")
        text = merged(catalogue)
        up_to_date = [self._update(catalogue, text.encode(), check=check)]
        waiting = untranslated(text)
        for entry in waiting:
            self.stdout.write(f"{entry}\n\n")
        self.stdout.write(f"Texts that wait for a translation: {len(waiting)}")
        up_to_date.append(self._update(catalogue.with_suffix(".mo"), compiled(catalogue), check=check))
        if check and (waiting or not all(up_to_date)):
            raise SystemExit(1)

    def _update(self, path: Path, content: bytes, *, check: bool) -> bool:
        """Write the file if it is out of date, unless `check`. Returns whether it was up to date."""
        if path.exists() and path.read_bytes() == content:
            return True
        if check:
            self.stderr.write(f"{path.name} is out of date: run `uv run manage.py translate`.")
        else:
            path.write_bytes(content)
        return False


def merged(catalogue: Path) -> str:
    """The catalogue updated with the current texts of the sources."""
    options = {"no_wrap": True, "no_location": True, "no_obsolete": True, "verbosity": 0}
    with TemporaryDirectory() as workspace:
        copy = Path(workspace, LANGUAGE, "LC_MESSAGES", "django.po")
        copy.parent.mkdir(parents=True)
        copy.write_bytes(catalogue.read_bytes())
        call_command(Merge(workspace), locale=[LANGUAGE], **options)
        text = copy.read_text("utf-8")
    return CREATED_AT.sub("", text)  # a date that changes with each text makes merges conflict


def compiled(catalogue: Path) -> bytes:
    """Compile without the hash table, which Python does not use, and which differs between versions of gettext."""
    with TemporaryDirectory() as folder:
        target = Path(folder, "django.mo")
        run("msgfmt", "--check-format", "--no-hash", "-o", str(target), str(catalogue))
        return target.read_bytes()


def untranslated(text: str) -> list[str]:
    _header, *entries = text.strip().split("\n\n")
    return [entry for entry in entries if UNTRANSLATED.search(entry)]


def run(*command: str) -> None:
    _output, errors, status = popen_wrapper(list(command))
    if status != os.EX_OK:
        raise CommandError(errors)
