"""The database as one file: dumped while the site runs, and loaded in place of another."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from registrations.models.search_index import REPLACED_SCHEMA_PREFIX
from registrations.runtime.site_lock import Refused

NOT_LOADED = re.compile(r" EXTENSION | INDEX \S+ registration_search ")  # of the contents of a dump
BUSY = 30  # seconds that SQLite waits for a lock
CHUNK = 1 << 20  # bytes

# What psql executes around the dump, in one transaction.
BEGIN = "BEGIN;\n"
SET_ASIDE = "ALTER SCHEMA public RENAME TO {schema}; CREATE SCHEMA public;\n"
# Workers may be running: they must take no mail and no long job of the dump until `restore` has decided what may leave
# and who is erased. A mail's state is kept in `lease` until then. Dumps of old versions have no table of jobs. A dump
# empties the search path.
SUSPEND_AND_COMMIT = """
SET search_path = public;
UPDATE registrations_delivery SET lease = state, state = 'held' WHERE state IN ('pending', 'sending', 'broken');
DO $$ BEGIN
    IF to_regclass('registrations_job') IS NOT NULL THEN
        UPDATE registrations_job SET state = 'running', worker = 'restore', heard_at = now() + interval '7 days'
        WHERE state IN ('waiting', 'running');
    END IF;
END $$;
COMMIT;
"""


def database_bytes() -> int:
    """The size of the database on disk."""
    if connection.vendor == "sqlite":
        return sum(file.stat().st_size for file in sqlite_files())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def sqlite_files() -> list[Path]:
    """The files that exist: the database, and those that SQLite writes beside it."""
    name = str(connection.settings_dict["NAME"])
    return [file for end in ("", "-wal", "-shm") if (file := Path(name + end)).exists()]


def dump(path: Path) -> None:
    """Write a consistent copy of the whole to a new file, without blocking anybody."""
    _postgresql_dump(path) if connection.vendor == "postgresql" else _sqlite_dump(path)


def load(path: Path, at: datetime) -> str:
    """Put the dump in place in one step. Returns where the former database is kept; empty when there was none.

    PostgreSQL may be in use meanwhile, by workers too: the same step suspends the work that the dump holds. SQLite's
    file is replaced while nobody uses it.
    """
    aside = f"{REPLACED_SCHEMA_PREFIX}{at:%Y%m%d_%H%M%S}" if connection.introspection.table_names() else ""
    connection.close()
    return _postgresql_load(path, aside) if connection.vendor == "postgresql" else _sqlite_load(path, aside)


def _sqlite_dump(path: Path) -> None:
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=BUSY, isolation_level=None)) as source:
        source.execute("VACUUM INTO ?", [str(path)])  # without the pages that deleted rows have left
    with closing(sqlite3.connect(path)) as copy:
        [verdict] = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise Refused(f"The database is damaged: {verdict}.")


def _sqlite_load(path: Path, aside: str) -> str:
    """At every moment the name leads to a whole database: to the former one, then to the new one."""
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
    """Give the former database a second name. Its log moves with it, or SQLite would apply it to the new one."""
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


def _postgresql_load(path: Path, aside: str) -> str:
    """One transaction moves the former tables to a schema of their own, and makes the new ones.

    pg_restore writes SQL, and psql executes it between our own first and last statements.
    """
    into_psql = [_program("psql"), *_address(), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    as_sql = [_program("pg_restore"), "--no-owner", "--no-privileges", f"--use-list={_what_to_load(path)}", "--file=-"]
    with (
        subprocess.Popen(  # noqa: S603
            into_psql, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as psql,
        subprocess.Popen([*as_sql, str(path)], stdout=subprocess.PIPE) as script,  # noqa: S603
    ):
        statements, errors = _pipe(psql.stdin), _pipe(psql.stderr)
        try:
            statements.write(BEGIN.encode())
            if aside:
                statements.write(SET_ASIDE.format(schema=aside).encode())
            shutil.copyfileobj(_pipe(script.stdout), statements, CHUNK)
            if script.wait() == 0:
                statements.write(SUSPEND_AND_COMMIT.encode())  # without it the end of the connection undoes it all
            statements.close()
        except BrokenPipeError:
            script.kill()
        words = errors.read().decode(errors="replace").strip()
    if psql.returncode or script.returncode:
        raise Refused(f"PostgreSQL refused the backup, and nothing has changed: {words}")
    return f"schema {aside}" if aside else ""


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("A program of PostgreSQL was started without a pipe.")
    return pipe


def _what_to_load(path: Path) -> Path:
    """A list for pg_restore: everything but extensions, which a server may not have, and the index that needs one.

    `migrate` creates both again where it can (registrations.models.search_index).
    """
    listed = subprocess.run(  # noqa: S603
        [_program("pg_restore"), "--list", str(path)], capture_output=True, text=True, check=True
    ).stdout
    wanted = [line for line in listed.splitlines() if not NOT_LOADED.search(line)]
    chosen = path.with_name(f"{path.name}.list")
    chosen.write_text("\n".join(wanted) + "\n")
    return chosen


def others_connected() -> list[str]:
    """Other clients of a PostgreSQL database, counted by machine."""
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
    """Flush a file to the disk, or a folder in which a name has changed."""
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
    """With the password: a command line can be read by every account of the machine."""
    _arguments, own = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    return {**os.environ, **(own or {})}


def _program(name: str) -> str:
    connection.ensure_connection()
    return _program_for(int(connection.cursor().connection.info.server_version) // 10_000, name)


def _program_for(server: int, name: str) -> str:
    """The program of the server's version, or of the next newer one. An older one cannot read the database."""
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
    output: Any = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    digits = output.partition("(PostgreSQL) ")[2].partition(".")[0].partition(" ")[0]
    return int(digits) if digits.strip().isdecimal() else 0
