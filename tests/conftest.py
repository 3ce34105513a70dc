"""Fixtures of all tests. Mails are written to a folder, so nothing leaves the machine."""

import ctypes
import gc
import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from registrations.documents import pdf
from registrations.models import shown_identity
from registrations.runtime import pango
from tests import groups
from tests.clock import RUNNING_SITES, is_real, set_clock
from tests.journey import Journey
from tests.site import RunningSite, copied, own_database

AUDIT_LOG = "registrations_auditentry"

type Committed = Callable[[], AbstractContextManager[Any]]


def _is_whole_suite(config: pytest.Config) -> bool:
    """Whether no folder, file or test was named."""
    return config.args_source is not pytest.Config.ArgsSource.ARGS


def pytest_configure(config: pytest.Config) -> None:
    """The whole suite is without the browser and the faults, which take most of its time, unless they are asked for.

    The gate runs everything.
    """
    if _is_whole_suite(config) and not config.option.markexpr and not os.environ.get("CI"):
        config.option.markexpr = "not browser and not faults"


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", []))


def _starts_processes(item: pytest.Item) -> bool:
    return "shown" not in _fixtures(item) and not RUNNING_SITES.isdisjoint(_fixtures(item))


def _uses_a_database(item: pytest.Item) -> bool:
    is_marked = item.get_closest_marker("django_db") is not None
    return is_marked or not (RUNNING_SITES | {"db", "transactional_db"}).isdisjoint(_fixtures(item))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests come first, so that at the end no core waits for one of them.

    On PostgreSQL, the whole suite is that of the tests which use a database: the others are the same on SQLite. Where
    Pango is missing, tests that typeset a document are skipped by name; the gate runs and fails them.
    """
    if connection.vendor != "sqlite" and _is_whole_suite(config):
        config.hook.pytest_deselected(items=[item for item in items if not _uses_a_database(item)])
        items[:] = filter(_uses_a_database, items)
    items.sort(key=_starts_processes, reverse=True)
    if pango.is_installed() or os.environ.get("CI"):
        return
    reason = f"typesetting needs {', '.join(pango.missing_libraries())}, which this machine lacks"
    for item in items:
        if item.get_closest_marker("typesetting"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One more than cores, since tests that start processes wait for them most of the time.

    One file is done sooner without more processes, each of which would make a database first.
    """
    if len(config.args) == 1 and ".py" in config.args[0]:
        return 0
    return (os.process_cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of the search for garbage: a twentieth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, a skipped test makes the run fail."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _fixed_clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test depends on the day or the hour at which it is run."""
    if is_real(request):
        yield
        return
    with pytest.MonkeyPatch.context() as monkeypatch, set_clock(monkeypatch):
        yield


@pytest.fixture(autouse=True)
def _audit_log_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that commits, SQLite deletes rows one by one, which the trigger of the audit log refuses."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        yield
        return
    request.getfixturevalue("transactional_db")
    groups.remember()
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [AUDIT_LOG])
            guards = dict(cursor.fetchall())
            for name in guards:
                cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute(f"DELETE FROM {AUDIT_LOG}")  # noqa: S608 - our own name
            for statement in guards.values():
                cursor.execute(statement)


@pytest.fixture
def outbox_folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture(autouse=True)
def _the_site_has_no_logo() -> None:
    """Until a test gives it one. Read from the database, it would be a query of one page and not of the next."""
    shown_identity.remember(shown_identity.Identity(), seconds=math.inf)


@pytest.fixture(autouse=True)
def _no_report_was_given_up(settings: Settings) -> None:
    """In another test, whose marks would be told by `/readyz`."""
    for marker in (Path(settings.DATA_DIR) / "reports").glob("*.failed"):
        marker.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _mails_land_in_a_folder(settings: Settings, outbox_folder: Path) -> None:
    """Use the demo's transport instead of the in-memory one of Django's test runner."""
    backend = "registrations.mailing.transports.eml_folder.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": outbox_folder}}}
    translation.activate(settings.LANGUAGE_CODE)  # the previous test may have visited an English page


@pytest.fixture
def without_pango(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which its libraries are not found."""
    load = ctypes.CDLL

    def not_found(name: str | None, *args: Any) -> ctypes.CDLL:
        if "pango" in str(name):
            raise OSError(f"{name}: cannot open shared object file")
        return load(name, *args)

    monkeypatch.setattr(ctypes, "CDLL", not_found)
    pango.missing_libraries.cache_clear()
    yield
    pango.missing_libraries.cache_clear()


@pytest.fixture
def with_pango(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that has it, for tests whose renderer is not the real one."""
    monkeypatch.setattr(pango, "LIBRARIES", {})
    pango.missing_libraries.cache_clear()
    yield
    pango.missing_libraries.cache_clear()


@pytest.fixture
def untypeset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each document is the HTML that it would be set from: quicker, and without a date and number of its own."""
    echo = tmp_path / "echo.py"
    echo.write_text("import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)")
    monkeypatch.setattr(pdf, "RENDERER", echo)


@pytest.fixture
def journey(client: Client, outbox_folder: Path, db: None) -> Journey:
    return Journey(client, outbox_folder)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed:
    """Context manager that runs on_commit callbacks, since the transaction around a test is never committed."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture(scope="session")
def set_up_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site with its database and the first event, set up once; no process runs on it."""
    with own_database() as database_url, RunningSite(tmp_path_factory.mktemp("set-up"), database_url) as site:
        site.run("demo", "--setup-only")
        if pango.is_installed():  # once, for all sites made from this one
            report = "from registrations.documents import study_report; study_report.study_report(Event.objects.get())"
            site.run("shell", "-v0", "-c", report)
        yield site


@pytest.fixture
def site(set_up_site: RunningSite, tmp_path: Path) -> Iterator[RunningSite]:
    """A separate site for each test, set up and not started."""
    with copied(set_up_site, tmp_path / "site") as running:
        yield running


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[RunningSite]:
    """A site on which nothing was set up."""
    (tmp_path / "empty").mkdir()
    with own_database() as database_url, RunningSite(tmp_path / "empty", database_url) as site:
        yield site


@pytest.fixture(scope="session")
def demo(set_up_site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The demo on a site that is set up, started once for all tests that only read pages or sign up."""
    with copied(set_up_site, tmp_path_factory.mktemp("demo")) as site:
        site.start_demo()
        yield site
