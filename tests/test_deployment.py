"""A server is set up as the site wants it, and migrations leave the processes of the release before alive."""

import re
import tomllib

import pytest
from django.db.migrations import AddField, DeleteModel, RemoveField, RenameField, RenameModel
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED

from tests.deploy.guide import commands, script
from tests.site import ROOT
from webinar import environment

FIRST_UNDER_THE_RULE = "0014"
DROPPED_SINCE_NOTHING_READS_IT: set[str] = set()  # "0031_name": the release before neither reads nor writes it


def test_the_settings_of_a_server_are_those_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "deploy" / "README.md").read_text("utf-8")
    lines = (ROOT / "deploy" / "env.example").read_text("utf-8").splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert {name for name in names if f"`{name}`" not in readme} == {"POSTGRES_PASSWORD"}

    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    environment.load_env_file(ROOT / "deploy" / "env.example")
    assert environment.base_url("BASE_URL", "").hostname == "webinaires.example.org"


def test_the_units_are_hardened_alike() -> None:
    def hardening(name: str) -> list[str]:
        text = (ROOT / "deploy" / "systemd" / f"webinar-{name}.service").read_text("utf-8")
        return re.findall(r"^UMask=.*?^SystemCallErrorNumber=EPERM$", text, re.MULTILINE | re.DOTALL)

    assert len(hardening("web")) == 1
    assert hardening("web") == hardening("worker") == hardening("backup")


def test_the_guide_installs_every_unit_and_starts_what_runs() -> None:
    install = script("Install")
    assert "install -m 644 deploy/systemd/webinar-* /etc/systemd/system/" in install
    started = re.search(r"systemctl enable --now (.+)", install)
    assert started
    units = {path.name for path in (ROOT / "deploy" / "systemd").glob("webinar-*")}
    assert units - set(started[1].split()) == {"webinar-backup.service"}  # by its timer
    assert script("Upgrade").count("migrate") == 1
    assert "systemctl restart" in script("Roll back")


def test_the_guide_leaves_database_and_proxy_to_whoever_follows_it() -> None:
    assert [heading for heading, _block in commands("postgresql", "nginx", "caddy")] == ["Install"] * 3
    assert not re.findall("nginx|certbot|caddy|postgres", script("Install"))


def test_the_image_copies_what_is_there() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    sources = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for name in line.split()]
    assert len(sources) == 8
    assert [name for name in sources if not (ROOT / name).exists()] == []


def test_a_server_installs_nothing_whose_checksum_is_unknown() -> None:
    text = (ROOT / "deploy" / "requirements.txt").read_text("utf-8")
    packages = re.findall(r"^(\S+==\S+).*((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)$", text, re.MULTILINE)
    assert len(packages) == text.count("==")
    assert "://" not in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert {name for name, _checksums in packages} <= set(project["tool"]["uv"]["constraint-dependencies"])

    for installation in (script("Install"), script("Upgrade"), (ROOT / "deploy" / "Dockerfile").read_text("utf-8")):
        assert len(re.findall("uv pip sync .*--require-hashes .*requirements.txt", installation)) == 1
        assert "uv sync" not in installation


def test_base_images_do_not_change_their_version_by_themselves() -> None:
    texts = [(ROOT / "deploy" / name).read_text("utf-8") for name in ("Dockerfile", "compose.yaml")]
    bases = {name for text in texts for name in re.findall(r"^(?:FROM| +image:) (\S+:\S+)", text, re.MULTILINE)}
    assert {name.partition(":")[0] for name in bases} == {"python", "postgres"}
    assert [name for name in bases if not re.fullmatch(r"\w+:\d+(\.\d+)+(-slim)?-trixie", name)] == []


def test_the_latest_backup_is_brought_back_whether_it_is_encrypted_or_not() -> None:
    """An older one that is not encrypted must not be taken for the latest."""
    for text in [script("Bring back a backup"), *(block for _heading, block in commands("shell"))]:
        assert "*.tar.gz" not in text
    assert "/backups/webinar-*" in script("Bring back a backup")


def stops_older_processes(operation: Operation) -> bool:
    """A new column that they do not fill in and the database neither, or something they read that goes away."""
    if isinstance(operation, AddField):
        field = operation.field
        return not (field.null or field.many_to_many) and field.db_default is NOT_PROVIDED
    return isinstance(operation, RemoveField | RenameField | DeleteModel | RenameModel)


def test_migrations_leave_the_processes_of_the_release_before_alive() -> None:
    migrations = {
        name: migration
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app == "registrations" and name >= FIRST_UNDER_THE_RULE and name not in DROPPED_SINCE_NOTHING_READS_IT
    }
    assert {
        f"{name}: {operation.describe()}"
        for name, migration in migrations.items()
        for operation in migration.operations
        if stops_older_processes(operation)
    } == set()
