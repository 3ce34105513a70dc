"""Conventions that a new line of code must not break."""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import get_resolver, resolve

from registrations.domain import attendance
from registrations.models import Attendance, Delivery, Event, SiteIdentity, WorkerPresence
from tests.addresses import addresses
from tests.browser.pages import PAGES
from tests.factories import make_document, make_event, make_past_event, make_picture, make_registration

ROOT = Path(settings.BASE_DIR)
TEMPLATES = ROOT / "templates"
FOLDERS = ("registrations", "webinar", "tests", "deploy")
ADMIN_TEMPLATES = Path(admin.__file__).parent / "templates"  # ours take the place of some
ERROR_PAGES = {"400.html", "403_csrf.html", "404.html", "500.html"}


def test_every_template_is_used() -> None:
    names = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file()}
    sources = [*ROOT.glob("registrations/**/*.py"), *TEMPLATES.rglob("*")]
    text = "\n".join(path.read_text("utf-8") for path in sources if path.is_file())
    by_kind = {f"mail/{kind}{end}" for kind in Delivery.Kind.values for end in (".txt", ".html")}
    unused = {name for name in names if not re.search(f'"{name}["#]', text)} - ERROR_PAGES - by_kind
    stock = {
        name: re.sub(r"^admin/(registrations/\w+|auth)/", "admin/", name) for name in unused
    }  # the stock one, for a model
    assert {name for name in unused if not (ADMIN_TEMPLATES / stock[name]).exists()} == set()


def test_no_page_has_inline_style_or_script() -> None:
    pages = [path for path in TEMPLATES.rglob("*.html") if path.parent.name not in {"mail", "documents"}]
    for page in pages:
        assert not re.search(r"<style|\sstyle=|<script(?! src)|\son\w+=", page.read_text("utf-8")), page


@pytest.mark.django_db
@pytest.mark.usefixtures("with_pango")
def test_every_address_answers_a_stranger_as_meant(client: Client) -> None:
    event = make_past_event(open_after_session=True, report_title="Not typeset by another test")
    registration = make_registration(event, new_email="neuve@example.org", new_email_code="a" * 22)
    attendance.note(registration, Attendance.Origin.JOIN)
    registration.refresh_from_db()
    WorkerPresence.objects.note("one")
    filled = {
        "<slug:slug>": registration.event.slug,
        "<code:join_code>": registration.join_code,
        "<code:manage_code>": registration.manage_code,
        "<code:address_code>": "a" * 22,
        "<str:number>": str(registration.certificate_number),
        "<int:pk>": str((document := make_document(event)).pk),
        "<int:width>": str((picture := make_picture()).width),
    }
    colours = SiteIdentity.objects.create(accent="#17504a").stylesheet_digest
    digests = {"couleurs-<slug:digest>.css": colours, "documents": document.digest}
    answers = {}
    for route, _pattern in addresses(get_resolver()):
        if route.startswith("admin/"):
            continue
        filled["<slug:digest>"] = digests.get(route.partition("/")[0], picture.digest)
        path = "/" + re.sub(r"<[^>]+>", lambda match: filled[match[0]], route)
        answers[path] = client.get(path).status_code
    elsewhere = {
        path.rstrip("/").rpartition("/")[2]: answers.pop(path) for path in list(answers) if answers[path] != 200
    }
    waiting = {"rapport.pdf": 202, "attestation.pdf": 202}  # until a worker has made them
    moved = {"favicon.ico": 302, "corriger": 302, "renvoyer": 303, "revenir": 303, "courriels": 303}
    assert elsewhere == {**moved, **waiting, "metrics": 404, "entrer": 405, f"{picture.digest}.png": 503}
    assert len(answers) == 32


@pytest.mark.django_db
def test_every_admin_address_sends_a_stranger_to_the_login(client: Client) -> None:
    for route, _pattern in addresses(get_resolver()):
        if not route.startswith("admin/") or route in {"admin/login/", "admin/logout/"}:
            continue
        path = "/" + re.sub(r"\(\?P[^)]+\)\$?|<[^>]+>", "1", route).replace("^", "").replace("\\Z", "")
        answer = client.get(path)
        assert answer.status_code in {302, 404, 405}, path
        if answer.status_code == 302:
            assert "/admin/login/" in answer["Location"], path


@pytest.mark.django_db
def test_every_public_page_stands_in_the_table_that_the_browser_checks() -> None:
    shown = {resolve(page.prepare().partition("?")[0], "tests.browser.urls").url_name for page in PAGES}
    public = {pattern.name for route, pattern in addresses(get_resolver()) if route.endswith("/") and pattern.name}
    admin_names = {pattern.name for route, pattern in addresses(get_resolver()) if route.startswith("admin/")}
    without_a_page = {"come_back", "enter", "send_again", "choose_mails"}  # buttons, which lead elsewhere
    behind_a_form = {"correct_address"}  # shown once one has signed up: the table goes there
    assert public - admin_names - shown == without_a_page | behind_a_form


def test_a_sign_up_loads_neither_the_calendar_nor_the_pdf_library(tmp_path: Path) -> None:
    script = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "webinar.settings"
import django; django.setup()
import webinar.urls
from registrations.domain import signup
loaded = {"icalendar", "weasyprint", "anymail.message", "registrations.mailing.outbox"} & set(sys.modules)
print(*loaded, file=sys.stderr, end="")
"""
    environment = {"DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.django_db
def test_nothing_of_the_first_event_is_written_in_code_or_templates() -> None:
    words = ["CEQ", "Kirzsbaum", "Dejardin", "Sciences Po", "ceq-ctg"]
    sources = [*ROOT.glob("registrations/**/*.py"), *ROOT.glob("webinar/**/*.py"), *TEMPLATES.rglob("*")]
    for path in sources:
        if path.is_file():
            text = path.read_text("utf-8")
            assert [word for word in words if word in text] == [], path


@pytest.mark.django_db
def test_every_version_is_pinned_and_no_lock_file_is_tracked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    pins = {re.sub("[-_.]+", "-", pin.split("==")[0]) for pin in project["tool"]["uv"]["constraint-dependencies"]}
    direct = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert [name for name in direct if "==" not in name] == []
    assert {re.split(r"[\[=]", name)[0] for name in direct} <= pins
    readme = (ROOT / "registrations" / "README.md").read_text("utf-8")
    assert [name for name in direct if f"`{re.split(r'[\[=]', name)[0]}`" not in readme] == []


@pytest.mark.django_db
def test_english_pages_hold_no_french_and_french_pages_no_english(client: Client) -> None:
    event = make_event(
        title="X", short_title="X", summary="", description="", territories="", origins="", newsletter_label=""
    )
    paths = ["", "inscription/", "merci/"]
    english = "".join(client.get(f"/en/evenements/{event.slug}/{path}").text for path in paths)
    french = "".join(client.get(f"/evenements/{event.slug}/{path}").text for path in paths)
    assert [word for word in ["Votre", "inscription au", "Envoyer", "Données"] if word in english] == []
    assert [word for word in ["Your", "Sign up", "Send my", "Personal data"] if word in french] == []
    assert Event.objects.count() == 1


def test_no_python_file_is_longer_than_four_hundred_lines() -> None:
    files = [file for file in _our_python_files() if file.parent.name != "migrations"]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
    assert {"manage.py", "registrations/apps.py", "tests/test_consistency.py"} <= set(lengths)


def _our_python_files() -> list[Path]:
    return [ROOT / "manage.py", *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))]


def test_no_line_of_a_template_is_longer_than_a_screen() -> None:
    files = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    lines = [
        (f"{file.relative_to(ROOT)}:{number}", len(line))
        for file in files
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
    ]
    assert [place for place, length in lines if length >= 160] == []
    assert "templates/base.html:1" in dict(lines)


def test_no_local_name_hides_an_imported_one() -> None:
    hidden = []
    for path in [*ROOT.glob("registrations/**/*.py"), *ROOT.glob("webinar/**/*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        imported = {(name.asname or name.name).partition(".")[0] for node in imports for name in node.names}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and not function.name.startswith("as_"):  # Django's signatures
                local = imported & _local_names(function)
                hidden += [f"{path.relative_to(ROOT)}: {name} in {function.name}" for name in local]
    assert hidden == []


def _local_names(function: ast.FunctionDef) -> set[str]:
    nodes = list(ast.walk(function))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in nodes if isinstance(node, ast.arg)}


def rooms(folder: Path) -> dict[str, Path]:
    """The folders and top-level modules of the product, or of one of its folders, by name."""
    found = {path.parent.name: path.parent for path in folder.glob("*/__init__.py")}
    return {**found, **{path.stem: path for path in folder.glob("*.py") if path.stem != "__init__"}}


def declared_imports(room: Path, words: str) -> set[str]:
    """What the docstring of a room says that it may import: names between `words` and the full stop."""
    file = room / "__init__.py" if room.is_dir() else room
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    declaration = re.search(rf"^{words}: ([^.]*)\.", docstring, re.MULTILINE)
    assert declaration, f"{file.relative_to(ROOT)}: the docstring does not say «{words}: …»"
    return {name for name in re.split(r",\s+", declaration[1]) if not name.startswith("nothing")}


def imported(room: Path) -> Iterator[tuple[Path, str]]:
    """(file, dotted name) of each import of ours, those inside functions too."""
    for file in [room] if room.is_file() else sorted(room.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield from ((file, f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((file, alias.name) for alias in node.names)


@pytest.mark.parametrize(
    ("folder", "words"),
    [("registrations", "May import"), ("registrations/admin", "May import, of admin")],
)
def test_imports_point_down_as_each_room_declares(folder: str, words: str) -> None:
    """Each room names in its docstring what it may import; none of the names leads back to it."""
    package = folder.replace("/", ".")
    found = rooms(ROOT / folder)
    if folder == "registrations":
        found.pop("migrations")
    else:
        found = {name: path for name, path in found.items() if path.is_dir()}
    declared = {name: declared_imports(path, words) for name, path in found.items()}
    assert set().union(*declared.values()) <= set(found)
    graphlib.TopologicalSorter(declared).prepare()  # raises CycleError
    undeclared = [
        f"{file.relative_to(ROOT)} imports {name}"
        for room, path in found.items()
        for file, name in imported(path)
        if name.startswith(f"{package}.") and name.split(".")[package.count(".") + 1] not in {room, *declared[room]}
    ]
    assert undeclared == []


def test_the_product_imports_neither_the_site_nor_the_tests() -> None:
    names = [f"{file.relative_to(ROOT)} imports {name}" for file, name in imported(ROOT / "registrations")]
    assert [line for line in names if re.search(r" imports (webinar|tests)\b", line)] == []


def test_only_declared_dependencies_are_imported() -> None:
    """A constraint pins what others bring along; they may stop bringing it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[\[=]", name)[0] for name in project["dependencies"]}
    brought_by = {
        package: {re.sub("[-_.]+", "-", name).lower() for name in names}
        for package, names in packages_distributions().items()
    }
    undeclared = [
        f"{file.relative_to(ROOT)} imports {name}"
        for folder in ("registrations", "webinar")
        for file, name in imported(ROOT / folder)
        if (package := name.partition(".")[0]) not in {*sys.stdlib_module_names, "registrations", "webinar"}
        and not declared & brought_by[package]
    ]
    assert undeclared == []


def test_no_module_imports_itself_through_others() -> None:
    modules = {}
    for path in (ROOT / "registrations").rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        modules[name] = path
    graph = {
        name: {target if target in modules else target.rpartition(".")[0] for _file, target in imported(path)}
        for name, path in modules.items()
        if ".migrations" not in name
    }
    known = {name: targets & modules.keys() - {name} for name, targets in graph.items()}
    graphlib.TopologicalSorter(known).prepare()  # raises CycleError, which names the modules
