"""What tests share. Nothing leaves the machine: mails land in a folder of the test's own."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from registrations.documents import pdf
from tests.journey import Journey
from tests.site import RunningSite, own_database

AUDIT_LOG = "registrations_auditentry"

type Committed = Callable[[], AbstractContextManager[Any]]


def pytest_configure(config: pytest.Config) -> None:
    try:
        pdf.require_libraries()
    except ImproperlyConfigured as error:
        pytest.exit(str(error), returncode=1)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In the gate a skipped test is a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _audit_log_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Between tests that commit, SQLite empties tables row by row, which the log's trigger refuses."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [AUDIT_LOG])
            guards = dict(cursor.fetchall())
            for name in guards:
                cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute(f"DELETE FROM {AUDIT_LOG}")  # noqa: S608 - our own name
            for counted in ("attendance", "delivery", "registration"):  # in this order their triggers take all away
                cursor.execute(f"DELETE FROM registrations_{counted}")  # noqa: S608 - our own names
            for statement in guards.values():
                cursor.execute(statement)


@pytest.fixture
def outbox_folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture(autouse=True)
def _mails_land_in_a_folder(settings: Settings, outbox_folder: Path) -> None:
    """The demo's transport, in place of the in-memory one that Django's test runner sets."""
    backend = "registrations.mailing.transports.eml_folder.EmailBackend"
    settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": outbox_folder}}}
    translation.activate(settings.LANGUAGE_CODE)  # whatever page the test before has visited


@pytest.fixture
def journey(client: Client, outbox_folder: Path, db: None) -> Journey:
    return Journey(client, outbox_folder)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed:
    """Around what the site does in a transaction that ends; a test's own never does."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture(scope="session")
def set_up_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site with its database and the first event, made once; nothing runs on it."""
    with own_database() as database_url, RunningSite(tmp_path_factory.mktemp("set-up"), database_url) as site:
        site.run("demo", "--setup-only")
        yield site


@pytest.fixture
def site(set_up_site: RunningSite, tmp_path: Path) -> Iterator[RunningSite]:
    """A site of the test's own, set up and not started."""
    template = set_up_site.env["DATABASE_URL"].rpartition("/")[2] or "template0"
    with own_database(template) as database_url, set_up_site.copy(tmp_path / "site", database_url) as running:
        yield running


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[RunningSite]:
    """A machine on which nothing was ever set up."""
    (tmp_path / "empty").mkdir()
    with own_database() as database_url, RunningSite(tmp_path / "empty", database_url) as site:
        yield site


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The demo as the README starts it, once for all tests that only look at it or sign up."""
    with own_database() as database_url, RunningSite(tmp_path_factory.mktemp("demo"), database_url) as site:
        site.start_demo()
        yield site
