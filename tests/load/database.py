"""The site's database for tests: plain SQL, and faults."""

import argparse
import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import psycopg

from tests.load import processes
from tests.network import free_port

AWAY = (sqlite3.OperationalError, psycopg.OperationalError)
RETRIES_NOW = """
    UPDATE registrations_delivery SET due = created_at
    WHERE state = 'pending' AND attempts > 0 AND due > created_at
"""
LEASES_OVER = "UPDATE registrations_delivery SET due = created_at WHERE state = 'sending'"


class Database(Protocol):
    url: str

    def rows(self, query: str) -> list[tuple[Any, ...]]: ...

    def execute(self, statement: str) -> None: ...

    def disturb(self, dice: random.Random) -> None:
        """Cause a fault, which has ended when this returns."""


class Sqlite:
    def __init__(self, path: Path, longest_lock: float = 4.0) -> None:
        self.path, self.longest_lock = path, longest_lock
        self.url = ""  # the default: a file in the site's data folder

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.path, timeout=60)) as connection:
            return connection.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.path, timeout=60)) as connection, connection:
            connection.execute(statement)

    def disturb(self, dice: random.Random) -> None:
        """Hold the write lock for some seconds, as a backup tool or a shell may do."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=60, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(dice.uniform(0.5, self.longest_lock))
            connection.execute("ROLLBACK")


class Cluster:
    """A temporary PostgreSQL server, which can be restarted as after a power failure. `disk`: where it lives."""

    def __init__(self, disk: Path | None = None) -> None:
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.folder = disk or Path(tempfile.mkdtemp(prefix="cluster-"))
        self.port = free_port()
        self.as_owner: list[str] = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self.as_owner = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self.folder, "postgres")

    def __enter__(self) -> Self:
        self._run("initdb", "-U", "webinar", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        self._control("start")
        return self

    def __exit__(self, *problem: object) -> None:
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """DATABASE_URL with the Unix socket, as in the guide for one machine."""
        return f"postgres://webinar@/postgres?host={self.folder}&port={self.port}"

    def restart(self) -> None:
        self._control("restart", "-m", "immediate")

    @property
    def pids(self) -> list[int]:
        """pids of the server and of its process for each connection."""
        server = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        return [server, *processes.children(server)]

    def _control(self, *command: str) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        options += " -c max_wal_size=64MB -c min_wal_size=32MB"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, *command)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self.as_owner, str(self.bin / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)


class Postgres:
    def __init__(self, url: str, cluster: Cluster | None = None) -> None:
        self.url, self.cluster = url, cluster

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def disturb(self, dice: random.Random) -> None:
        """Terminate all connections or, with a temporary server, crash and restart it."""
        if self.cluster:
            self.cluster.restart()
            return
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextlib.contextmanager
def own_database_on(server_url: str) -> Iterator[str]:
    """DATABASE_URL of an empty database on this PostgreSQL server; empty for SQLite."""
    if not server_url:
        yield ""
        return
    server = urlsplit(server_url)
    name = f"chaos_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield server._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def add_server(parser: argparse.ArgumentParser) -> None:
    """The options that name the database; SQLite without them."""
    server = parser.add_mutually_exclusive_group()
    server.add_argument(
        "--database", default="", help="A PostgreSQL server, where an own database is made. Unset or sqlite: SQLite."
    )
    server.add_argument("--own-cluster", action="store_true", help="A PostgreSQL server of our own, for this run.")


@contextlib.contextmanager
def own_database(options: argparse.Namespace) -> Iterator[tuple[str, Cluster | None]]:
    """DATABASE_URL of an empty database, and the server when it is our own."""
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(Cluster()) if options.own_cluster else None
        server_url = cluster.url if cluster else options.database.removeprefix("sqlite")
        yield stack.enter_context(own_database_on(server_url)), cluster


def database_at(url: str, data: Path, *, cluster: Cluster | None = None, longest_lock: float = 4.0) -> Database:
    """The database that a site with this DATABASE_URL and this DATA_DIR uses."""
    return Postgres(url, cluster) if url else Sqlite(data / "db.sqlite3", longest_lock)
