"""The database as one file, taken while the site works, and put back in place of another."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from registrations.models.triggers import REPLACED_SCHEMA_PREFIX
from registrations.runtime.site_lock import Refused

NOT_LOADED = re.compile(r" EXTENSION | INDEX \S+ registration_search ")  # of the contents of a dump
BUSY = 30  # seconds that SQLite waits for a lock
CHUNK = 1 << 20  # bytes


def database_bytes() -> int:
    """The size of the database on disk."""
    if connection.vendor == "sqlite":
        return sum(file.stat().st_size for file in sqlite_files())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def sqlite_files() -> list[Path]:
    """The database and what SQLite writes beside it, as far as they are there."""
    name = str(connection.settings_dict["NAME"])
    return [file for end in ("", "-wal", "-shm") if (file := Path(name + end)).exists()]


def dump(path: Path) -> None:
    """A consistent copy of the whole, in a new file; nobody has to wait for it."""
    _postgresql_dump(path) if connection.vendor == "postgresql" else _sqlite_dump(path)


def load(path: Path, stamp: str, *, then: str = "") -> str:
    """Put the dump in place in one step. Returns where what stood there is kept aside; empty when nothing did.

    `then`: SQL of the same step, for PostgreSQL, which others may be using. SQLite's file is replaced under nobody.
    """
    aside = f"{REPLACED_SCHEMA_PREFIX}{stamp}" if connection.introspection.table_names() else ""
    connection.close()
    return _postgresql_load(path, aside, then) if connection.vendor == "postgresql" else _sqlite_load(path, aside)


def _sqlite_dump(path: Path) -> None:
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=BUSY, isolation_level=None)) as source:
        source.execute("VACUUM INTO ?", [str(path)])  # without the pages that deleted rows have left
    with closing(sqlite3.connect(path)) as copy:
        [verdict] = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise Refused(f"The database is damaged: {verdict}.")


def _sqlite_load(path: Path, aside: str) -> str:
    """The name always leads to a whole database: to the former one, then to the new one."""
    place = Path(connection.settings_dict["NAME"])
    draft = place.with_name(f"{place.name}.restoring")
    shutil.copyfile(path, draft)
    draft.chmod(0o600)
    fsync(draft)
    kept = _set_aside(place, f"{place}.{aside}") if aside else ""
    for end in ("-wal", "-shm"):
        Path(f"{place}{end}").unlink(missing_ok=True)
    draft.replace(place)
    fsync(place.parent)
    return kept


def _set_aside(place: Path, aside: str) -> str:
    """A second name for the former database. Its log must go with it: SQLite would read it into the new one."""
    with closing(sqlite3.connect(place, timeout=BUSY)) as former:
        former.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.link(place, aside)
    for end in ("-wal", "-shm"):
        if (beside := Path(f"{place}{end}")).exists():
            beside.rename(f"{aside}{end}")
    return aside


def _postgresql_dump(path: Path) -> None:
    options = [
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--exclude-schema={REPLACED_SCHEMA_PREFIX}*",
        f"--file={path}",
    ]
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's own
        [_program("pg_dump"), *_address(), *options], env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"pg_dump failed: {done.stderr.strip()}")


def _postgresql_load(path: Path, aside: str, then: str) -> str:
    """One transaction sets the former tables aside, in a schema of their own, and makes the new ones."""
    steps = f"ALTER SCHEMA public RENAME TO {aside}; CREATE SCHEMA public;" if aside else ""
    with (
        subprocess.Popen(  # noqa: S603
            [_program("psql"), *_address(), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as psql,
        subprocess.Popen(  # noqa: S603
            [
                _program("pg_restore"),
                "--no-owner",
                "--no-privileges",
                f"--use-list={_what_to_load(path)}",
                "--file=-",
                str(path),
            ],
            stdout=subprocess.PIPE,
        ) as script,
    ):
        assert psql.stdin
        assert psql.stderr
        assert script.stdout
        try:
            psql.stdin.write(f"BEGIN; {steps}\n".encode())
            shutil.copyfileobj(script.stdout, psql.stdin, CHUNK)
            if script.wait() == 0:
                last = f"\nSET search_path = public;\n{then}\nCOMMIT;\n"  # a dump empties the path
                psql.stdin.write(last.encode())  # else the end of the connection undoes it all
            psql.stdin.close()
        except BrokenPipeError:
            script.kill()
        words = psql.stderr.read().decode(errors="replace").strip()
    if psql.returncode or script.returncode:
        raise Refused(f"PostgreSQL refused the backup, and nothing has changed: {words}")
    return f"schema {aside}" if aside else ""


def _what_to_load(path: Path) -> Path:
    """A list for pg_restore: all but extensions, which a server may not have, and the index that needs one.

    `migrate` makes both anew where it can (registrations.models.triggers).
    """
    listed = subprocess.run(  # noqa: S603
        [_program("pg_restore"), "--list", str(path)], capture_output=True, text=True, check=True
    ).stdout
    wanted = [line for line in listed.splitlines() if not NOT_LOADED.search(line)]
    chosen = path.with_name(f"{path.name}.list")
    chosen.write_text("\n".join(wanted) + "\n")
    return chosen


def others_connected() -> list[str]:
    """Who else uses a PostgreSQL database, from whatever machine."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(host(client_addr), 'this machine'), count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            " GROUP BY 1 ORDER BY 1"
        )
        return [f"{count} from {place}" for place, count in cursor.fetchall()]


def fsync(path: Path) -> None:
    """Of a file, or of a folder in which a name has changed."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _address() -> list[str]:
    facts = {name: str(connection.settings_dict[key]) for name, key in ADDRESS.items()}
    return [f"--{name}={value}" for name, value in facts.items() if value]


ADDRESS = {"host": "HOST", "port": "PORT", "username": "USER", "dbname": "NAME"}


def _environment() -> dict[str, str]:
    """The password goes here: what stands on a command line can be read by every account of the machine."""
    _arguments, own = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    return {**os.environ, **(own or {})}


def _program(name: str) -> str:
    connection.ensure_connection()
    return _program_for(int(connection.cursor().connection.info.server_version) // 10_000, name)


def _program_for(server: int, name: str) -> str:
    """The one of the server's own version, or the next newer one: an older one cannot read it."""
    found = {_major(path): path for path in _installed(name)}
    able = sorted(version for version in found if version >= server)
    if not able:
        raise Refused(
            f"{name} of PostgreSQL {server} or newer is not on this machine: "
            f"install it (on Debian: apt-get install postgresql-client-{server})."
        )
    return found[able[0]]


def _installed(name: str) -> Sequence[str]:
    folders = sorted(str(path.parent) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    on_path = shutil.which(name)
    return [*([on_path] if on_path else []), *(f"{folder}/{name}" for folder in folders)]


def _major(program: str) -> int:
    """Of « pg_dump (PostgreSQL) 15.18 (Debian…) »."""
    said: Any = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    digits = said.partition("(PostgreSQL) ")[2].partition(".")[0].partition(" ")[0]
    return int(digits) if digits.strip().isdecimal() else 0
