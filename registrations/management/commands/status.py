import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.template.defaultfilters import filesizeformat
from django.utils import timezone, translation
from django.utils.timesince import timesince

from registrations.monitoring import status
from registrations.monitoring.status import Status


class Command(BaseCommand):
    help = "Show the state of the site in ten lines. Exit status 1 when something needs attention, as for /readyz."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON object, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        found = status.status()
        if options["json"]:
            fields = {**asdict(found), "last_backup": found.last_backup and found.last_backup._asdict()}
            self.stdout.write(json.dumps(fields, cls=DjangoJSONEncoder))
        else:
            with translation.override("en"):
                for name, words in lines(found):
                    self.stdout.write(f"{name:<12}{words}")
        if found.attention:
            raise SystemExit(1)


def lines(found: Status) -> Iterator[tuple[str, str]]:
    counts = ", ".join(f"{count} {state}" for state, count in found.mails.items())
    yield "Attention", " ".join(found.attention) or "nothing asks for it"
    yield "Version", f"{found.version}, on {found.machine}"
    yield "Mails", counts or "none"
    yield "Queue", f"{found.due} due now, {found.late} of them late"
    yield "Oldest", f"due {_ago(found.oldest_due_at)}" if found.oldest_due_at else "no mail waits"
    yield "Workers", _workers(found)
    yield "Backup", _backup(found)
    yield "Disk", f"{_size(found.disk_free)} free of {_size(found.disk_total)}"
    yield "Database", f"{found.database}, {_size(found.database_bytes) if found.database_bytes else 'size unknown'}"
    yield "Next event", f"{found.next_event}, {_local(found.next_event_at)}" if found.next_event_at else "none"


def _workers(found: Status) -> str:
    where = ", ".join(f"{count} on {machine or 'a machine not named'}" for machine, count in found.workers.items())
    return f"{sum(found.workers.values())} alive" + (f" ({where})" if where else "")


def _backup(found: Status) -> str:
    if found.last_backup is None:
        return "never made on this machine"
    return f"made {_ago(found.last_backup.at)}, {_size(found.last_backup.size)}: {found.last_backup.file}"


def _ago(moment: datetime) -> str:
    return f"{_plain(timesince(moment))} ago, {_local(moment)}"


def _local(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M %Z}"


def _size(count: int) -> str:
    return _plain(filesizeformat(count))


def _plain(text: str) -> str:
    """For a terminal: without no-break spaces."""
    return text.replace("\xa0", " ")
