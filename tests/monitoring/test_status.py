"""What an operator's eyes and machines see: `manage.py status` and the figures at /metrics."""

import json
import re
import socket
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from registrations.backup import dumps, last_backup
from registrations.backup.last_backup import LastBackup
from registrations.documents import given_up
from registrations.models import Delivery, WorkerPresence
from registrations.monitoring import status
from registrations.runtime import liveness
from tests.factories import make_event, make_registration

pytestmark = pytest.mark.django_db

TOKEN = {"authorization": "Bearer a-token"}
VALUE = r"(NaN|[+-]?(?:Inf|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{((?:{LABEL}(?:,{LABEL})*)?)\}})? {VALUE}")


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.STATUS_TOKEN = "a-token"


def enqueue(**fields: Any) -> Delivery:
    delivery = Delivery.objects.enqueue(make_registration(make_event(report=False)), Delivery.Kind.CONFIRMATION)
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    return delivery


def told(*arguments: str) -> tuple[str, int]:
    """What is written, and the exit status."""
    out = StringIO()
    try:
        call_command("status", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def parsed(text: str) -> dict[str, dict[str, float]]:
    """As the format's grammar asks: HELP, then TYPE, then samples of that family and of no other."""
    families: dict[str, dict[str, float]] = {}
    lines = iter(text.removesuffix("\n").split("\n"))
    name = ""
    for line in lines:
        if help_line := re.fullmatch(r"# HELP (\w+) [^\n]+", line):
            name = help_line[1]
            assert name not in families
            assert next(lines) == f"# TYPE {name} gauge"
            families[name] = {}
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        assert sample[1] == name
        assert (sample[2] or "") not in families[name]
        families[name][sample[2] or ""] = float(sample[3])
    assert text.endswith("\n")
    return families


def test_ten_lines_say_that_all_is_well() -> None:
    WorkerPresence.objects.note("one")
    event = make_event(slug="reseau")
    Delivery.objects.enqueue(make_registration(event), Delivery.Kind.CONFIRMATION)
    text, code = told()
    assert code == 0
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in text.splitlines()[:-1])
    assert len(text.splitlines()) == 10
    assert lines["Attention"] == "nothing asks for it"
    assert lines["Mails"] == "1 pending"
    assert lines["Queue"] == "1 due now, 0 of them late"
    assert lines["Workers"] == f"1 alive (1 on {socket.gethostname()})"
    assert lines["Backup"] == "never made on this machine"
    assert text.splitlines()[-1] == f"Next event  reseau, {timezone.localtime(event.starts_at):%Y-%m-%d %H:%M %Z}"


def test_a_worker_of_this_machine_that_has_ended_is_not_alive() -> None:
    with liveness.alive_process() as ended, liveness.alive_process() as alive:
        for name in (ended, alive, "of-another-machine"):
            WorkerPresence.objects.note(name)
        assert len(WorkerPresence.objects.alive()) == 3
    with liveness.alive_process() as alive:
        WorkerPresence.objects.note(alive)
        assert {worker.name for worker in WorkerPresence.objects.alive()} == {alive, "of-another-machine"}


def test_what_asks_for_attention_is_said_first_and_is_the_exit_status() -> None:
    enqueue(send_at=timezone.now() - timedelta(minutes=12))
    enqueue(state="failed")
    last_backup.write(LastBackup(timezone.now() - timedelta(hours=2), "/backups/one.tar.gz", 3_500_000))
    text, code = told()
    assert code == 1
    assert "Attention   The oldest mail is 12 minutes overdue. No mail worker has been seen lately.\n" in text
    assert (
        "Mails       1 failed, 1 pending\nQueue       1 due now, 1 of them late\nOldest      due 12 minutes ago"
        in text
    )
    assert "Workers     0 alive\nBackup      made 2 hours ago, " in text
    assert "3.3 MB: /backups/one.tar.gz\n" in text


def test_programs_read_the_same_as_json() -> None:
    last_backup.write(LastBackup(timezone.now(), "/backups/one.tar.gz", 12))
    text, code = told("--json")
    found = json.loads(text)
    assert code == 1
    assert found["attention"] == ["No mail worker has been seen lately."]
    assert found["mails"] == {}
    assert found["last_backup"]["size"] == 12
    assert set(found) == set(status.Status.__annotations__)


def test_a_database_that_is_away_leaves_the_rest_to_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(status, "MigrationExecutor", away)
    monkeypatch.setattr(dumps, "database_bytes", away)
    text, code = told()
    assert code == 1
    assert "Attention   The database does not answer.\n" in text
    assert len(text.splitlines()) == 10


@pytest.mark.parametrize("content", ["", "{}", '{"at": 3, "file": "x", "size": 1}', "[]"])
def test_a_record_of_the_last_backup_that_cannot_be_read_is_none(content: str) -> None:
    last_backup.path().write_text(content)
    assert last_backup.last() is None


def test_the_figures_are_for_who_knows_the_token(client: Client, settings: Settings) -> None:
    assert client.get("/metrics", headers=TOKEN).status_code == 200
    refused = client.get("/metrics", headers={"authorization": "Bearer wrong"})
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert client.get("/metrics").status_code == 401
    settings.STATUS_TOKEN = ""
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_the_figures_are_as_prometheus_reads_them(client: Client) -> None:
    WorkerPresence.objects.note("one")
    enqueue(send_at=timezone.now() - timedelta(minutes=12))
    enqueue(state="sent")
    enqueue(state="failed", kind="reminder_day")
    last_backup.write(LastBackup(timezone.now(), "/backups/one.tar.gz", 12))
    answer = client.get("/metrics", headers=TOKEN)
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = parsed(answer.text)
    assert found["webinar_mails"] == {
        'kind="confirmation",state="pending"': 1,
        'kind="confirmation",state="sent"': 1,
        'kind="reminder_day",state="failed"': 1,
    }
    assert (found["webinar_mails_due"], found["webinar_mails_late"]) == ({"": 1}, {"": 1})
    assert 719 < found["webinar_oldest_mail_due_seconds"][""] < 800
    assert found["webinar_registrations"] == {'status="confirmed"': 3}
    assert found["webinar_workers"] == {"": 1}
    assert found["webinar_last_backup_timestamp_seconds"][""] > 1_700_000_000
    assert found["process_resident_memory_bytes"][""] > 10_000_000
    assert "@" not in answer.text


def test_the_figures_cost_the_same_few_queries_for_many_as_for_none(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(5):
        client.get("/metrics", headers=TOKEN)
    for kind in ("confirmation", "broadcast", "follow_up"):
        enqueue(kind=kind)
    with django_assert_max_num_queries(5):
        parsed(client.get("/metrics", headers=TOKEN).text)


def test_a_report_that_was_given_up_is_told_and_the_site_is_ready(settings: Settings) -> None:
    (folder := Path(settings.DATA_DIR) / "reports").mkdir()
    for _ in range(given_up.TRIES):
        assert not [each for each in status.waits_for_somebody() if "report" in each]
        given_up.note_failure(folder / "one.pdf")
    assert "A report cannot be made, and mails leave without it. The log says why." in status.waits_for_somebody()
    given_up.forget(folder / "one.pdf")
    assert not [each for each in status.waits_for_somebody() if "report" in each]


def test_a_database_that_is_read_only_is_told() -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    assert "The database is read-only, as a server can be whose disk is full." in status.not_ready()
