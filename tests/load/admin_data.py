"""Fill a database with any number of registrations, and measure each admin page.

    python -m tests.load.admin_data fill 100000
    python -m tests.load.admin_data measure  # JSON, one object per page

Both need DATA_DIR, DATABASE_URL and DJANGO_SETTINGS_MODULE=webinar.settings; tests.load.admin_pages sets them.

All data is random with a fixed seed. One event has most of the registrations; the others share the rest.
"""

import itertools
import json
import logging
import random
import re
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.admin.events import changes
from registrations.mailing import reminders
from registrations.models import (
    Attendance,
    AuditEntry,
    Broadcast,
    Delivery,
    Event,
    Registration,
    Suppression,
)
from tests import admin_pages
from tests.factories import make_event

Kind, State = Delivery.Kind, Delivery.State
BATCH = 2000
REQUESTS = 7  # of each page that is timed
OTHER_EVENTS = 6
MAIN_SHARE = 0.8
MAILS_EACH = 3
LEAST = 80  # rows of rare kinds, at any size, so that both sizes show a full page
MINUTES = 56 * 24 * 60  # during which people sign up
FIRST = [
    "Hélène",
    "Zoé",
    "Marie",
    "Amélie",
    "Inès",
    "Claire",
    "Nadia",
    "Awa",
    "Chloé",
    "Jean",
    "Karim",
    "Rémi",
    "Théo",
]
LAST = [
    "Durand",
    "Lefèvre",
    "Nguyen",
    "Benali",
    "Traoré",
    "Moreau",
    "Girard",
    "Bonnet",
    "François",
    "Mercier",
    "Muller",
]
PLACES = ["Nulle-Part", "Beaulieu", "Saint-Élie", "Montreuil", "Clairvaux", "Aubépine", "Vieux-Pont", "Les-Écarts"]
TERRITORIES = ["", *(f"Département {number:02}" for number in range(1, 16))]
SEARCHED = [  # from very frequent to absent; one and two characters; several words
    "ville",
    "ecarts",
    "helene",
    "rochebrune",
    "zzzz",
    "r",
    "zo",
    "qx",
    "qq",
    "helene ville",
    "durand rochebrune",
]
SENT_TOLD = ["", "", "", "delivered", "delivered", "bounced"]


class Dice(random.Random):
    """Random numbers with a fixed seed."""

    def __init__(self, registrations: int) -> None:
        super().__init__(1)
        self.registrations = registrations

    def rarely(self, share: float) -> bool:
        """True for this share of the people, and for at least LEAST of them."""
        return self.random() < max(share, LEAST / self.registrations)


def fill(registrations: int) -> None:
    """Insert events, registrations, attendances and three mails per registration, in a few hundred INSERTs."""
    dice = Dice(registrations)
    with transaction.atomic():
        User.objects.create_superuser("organisateur")
        events = [make_event(starts_in=timedelta(days=9), follow_up_hours_after=24)]
        events += [make_event(starts_in=timedelta(days=-20 * number)) for number in range(1, OTHER_EVENTS)]
        events.append(make_event(starts_in=timedelta(days=30), capacity=max(registrations // 50, 1)))
        for numbers in itertools.batched(range(registrations), BATCH, strict=False):
            people = Registration.objects.bulk_create(_person(dice, events, number) for number in numbers)
            Attendance.objects.bulk_create(_presences(dice, people))
            Delivery.objects.bulk_create(_mails(dice, people), batch_size=BATCH)
        _rest(dice, events, registrations)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def _person(dice: Dice, events: list[Event], number: int) -> Registration:
    event = events[0] if dice.random() < MAIN_SHARE else dice.choice(events[1:])
    status = dice.choice(["confirmed"] * 15 + ["cancelled"])
    if dice.rarely(0.04):
        status = "waitlisted"
    still = (1 - number / dice.registrations) ** 2  # share of the time left: sign-ups become more frequent
    at = min(timezone.now(), event.starts_at) - timedelta(minutes=still * MINUTES + dice.random())
    first, last = dice.choice(FIRST), dice.choice(LAST)
    return Registration(
        event=event,
        first_name=first,
        last_name=f"{last}-{dice.choice(LAST)}" if number % 3 else last,
        email=f"{first}.{last}.{number}@example.org".lower(),
        organisation="QX Rochebrune" if dice.rarely(0) else f"Ville de {dice.choice(PLACES)} {number % 997}",
        job_title="Cheffe de projet",
        territory=dice.choice(TERRITORIES),
        question="Comment commencer ?" if number % 20 == 0 else "",
        newsletter=number % 4 == 0,
        language="en" if dice.rarely(0.02) else "fr",
        status=status,
        created_at=at,
        waiting_since=at if status == "waitlisted" else None,
        cancelled_at=at if status == "cancelled" else None,
    )


def _presences(dice: Dice, people: list[Registration]) -> Iterator[Attendance]:
    for person in people:
        if person.event.is_over and person.is_seated and dice.random() < 0.6:
            yield Attendance(registration=person, origin="join", noted_at=person.event.starts_at)


def _mails(dice: Dice, people: list[Registration]) -> Iterator[Delivery]:
    """The confirmation, mostly sent, and two scheduled mails."""
    for person in people:
        event, at = person.event, person.created_at
        state = dice.choices([State.SENT, State.PENDING, State.EXPIRED], [9930, 5, 20])[0]
        state = State.FAILED if dice.rarely(0.008) else state
        yield _mail(dice, person, Kind.CONFIRMATION, state=state, send_at=at, reason="new")
        for kind, send_at, not_after in itertools.islice(reminders.scheduled_times(event), MAILS_EACH - 1):
            waits = send_at and send_at > timezone.now()
            state = State.PENDING if waits else dice.choices([State.SENT, State.EXPIRED], [9, 1])[0]
            state = state if person.is_seated else State.CANCELLED
            yield _mail(dice, person, kind, state=state, send_at=send_at or at, not_after=not_after)


def _mail(dice: Dice, person: Registration, kind: Delivery.Kind, *, state: str, **fields: Any) -> Delivery:
    sent = {"sent_at": fields["send_at"], "sent_to": person.email, "provider_status": dice.choice(SENT_TOLD[:-1])}
    if dice.rarely(0.004):
        sent["provider_status"] = "bounced"
    errors = {
        State.FAILED: "550 5.1.1 adresse inconnue",
        State.CANCELLED: "l’inscription a été annulée",
        State.EXPIRED: "l’heure de ce courriel est passée",
    }
    more = sent if state == State.SENT else {"error": errors.get(state, "")}  # type: ignore[call-overload]
    return Delivery.of(person, kind, state=state, created_at=person.created_at, **fields, **more)


def _end(dice: Dice) -> dict[str, str]:
    if dice.rarely(0.01):
        return {"state": State.FAILED, "error": "550 5.1.1 adresse inconnue"}
    return {"state": dice.choice([State.PENDING] + [State.SENT] * 10)}


def _rest(dice: Dice, events: list[Event], registrations: int) -> None:
    """A broadcast to everybody, a draft of another, suppressions, and an audit log of proportional size."""
    now = timezone.now()
    full = events[0].registrations.seated().count()  # a withdrawal gives the seat to the first on the waiting list
    Event.objects.filter(pk=events[0].pk).update(capacity=full)
    written = {"event": events[0], "audience": "seated", "subject": "Le programme", "body": "Bonjour", "created_by": 1}
    sent = Broadcast.objects.create(**written, state="confirmed", confirmed_at=now, count=0)
    Broadcast.objects.create(**written)
    readers = events[0].registrations.seated().order_by("pk")
    mail = {
        "event": events[0],
        "broadcast": sent,
        "kind": Kind.BROADCAST,
        "send_at": now + timedelta(hours=2),
    }  # none is late when measured
    mails = (Delivery(registration_id=pk, **mail, **_end(dice)) for pk in readers.values_list("pk", flat=True))
    Delivery.objects.bulk_create(mails, batch_size=BATCH)
    silent = LEAST + registrations // 100
    Suppression.objects.bulk_create(Suppression(digest=f"{number:064x}") for number in range(silent))
    AuditEntry.objects.bulk_create(
        AuditEntry(at=now - timedelta(minutes=number), action=dice.choice(["logged_in", "exported"]))
        for number in range(registrations // 10)
    )


def pages() -> dict[str, str]:
    main = Event.objects.get(pk=1)
    person = main.registrations.seated().earliest("pk")
    mail, draft = person.deliveries.earliest("pk"), Broadcast.objects.get(state="draft")
    sent = Broadcast.objects.get(state="confirmed")
    admin = "/admin/registrations"
    people, mails, event = f"{admin}/registration/", f"{admin}/delivery/", f"{admin}/event/{main.pk}"
    deep = min(Registration.objects.count() // 50, 100)
    filters = [
        f"event__id__exact={main.pk}",
        "status__exact=waitlisted",
        f"event__id__exact={main.pk}&status__exact=confirmed",
        "mail=failed",
        "mail=sent",
        "mail=cancelled",
        "presence=yes",
        "presence=no",
        f"event__id__exact={main.pk}&presence=yes",
        f"territory={TERRITORIES[1]}",
        "newsletter__exact=1",
        "language__exact=en",
        "o=1",
        *(f"q={words}" for words in (*SEARCHED, person.email)),
        *(f"event__id__exact={number}&q=ville" for number in (main.pk, 3)),
        "o=1&q=helene",
    ]
    of_mails = [
        "state__exact=pending",
        "state__exact=failed",
        f"event__id__exact={main.pk}",
        f"event__id__exact={main.pk}&state__exact=failed",
        "kind__exact=confirmation",
        "provider_status__exact=bounced",
        f"broadcast__id__exact={sent.pk}&kind__exact=broadcast&state__exact=failed",
        *(f"q={words}" for words in (*SEARCHED, person.email)),
    ]
    listed = {
        "first page": "/admin/",
        "events": f"{admin}/event/",
        "event": f"{event}/change/",
        "registrations": people,
        f"registrations, page {deep}": f"{people}?p={deep}",
        **{f"registrations, {query}": f"{people}?{query}" for query in filters},
        "registration": f"{people}{person.pk}/change/",
        "registration, to add": f"{people}add/",
        "mails": mails,
        **{f"mails, {query}": f"{mails}?{query}" for query in of_mails},
        "mail": f"{mails}{mail.pk}/change/",
        "mails to come": f"{event}/timeline/",
        "preview of the mails": f"{event}/mails/",
        "message, to write": f"{event}/write/",
        "message, to confirm": f"{event}/write/{draft.pk}/",
        "message, its progress": f"{event}/write/{sent.pk}/",
        "lists and sheets": f"{event}/lists/",
        "export": f"{people}export/",
        "change of the event": f"{event}/reschedule/",
        "audit log": f"{admin}/auditentry/",
        "suppressions": f"{admin}/suppression/",
    }
    declared, rows = admin_pages.declared(), {"event": main, "registration": person, "broadcast": draft}
    others = {name: path for name, path in admin_pages.paths(rows).items() if name in declared}
    return {**listed, **{name: path for name, path in others.items() if path not in listed.values()}}


def organiser() -> Client:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get())
    session = client.session
    session["password_at"] = time.time()
    session.save()
    return client


def measure() -> Iterator[dict[str, Any]]:
    client = organiser()
    for name, path in pages().items():
        get = lambda path=path: client.get(path)  # noqa: E731
        yield _measured(name, get)
    main = Event.objects.get(pk=1)
    people = "/admin/registrations/registration/"
    for act in ("send_again", "withdraw", "note_presence", "delete_selected"):
        chosen = {"action": act, "select_across": 1, "index": 0, "_selected_action": [1]}
        yield _measured(f"all people: {act}, asked", lambda chosen=chosen: client.post(people, chosen))
    typed = {"words": "", "connection_notes": main.connection_notes}
    seen = {"seen": changes.fingerprint(main)}
    yield _measured(
        "postponing, asked", lambda: client.post(f"/admin/registrations/event/{main.pk}/postpone/", {**typed, **seen})
    )


def _measured(name: str, ask: Any) -> dict[str, Any]:
    assert ask().status_code == 200, (name, ask().status_code)
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    asked = list(captured.captured_queries)  # before the next request empties them
    slowest = max(asked, key=lambda query: float(query["time"]))
    times = []
    for _ in range(REQUESTS):
        start = _seconds_worked()
        ask()
        times.append((_seconds_worked() - start) * 1000)
    shown = getattr(answer, "context_data", {}).get("cl")
    return {
        "page": name,
        "rows": len(shown.result_list) if shown else "",
        "queries": len(asked),
        "ms": statistics.median(times),
        "scans": sorted({table for query in asked for table in scanned(query["sql"])}),
        "slowest": float(slowest["time"]) * 1000,
        "sql": slowest["sql"],
    }


def _seconds_worked() -> float:
    """CPU seconds of this process and of its PostgreSQL server process (proc(5))."""
    if connection.vendor == "sqlite":
        return time.process_time()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + int(backend.read_text().split()[0]) / 1e9


BIG = ("registrations_registration", "registrations_delivery", "registrations_attendance")


def scanned(sql: str) -> set[str]:
    """The big tables that this query reads completely, according to its plan; without those limited to first rows."""
    if not sql.startswith("SELECT"):
        return set()
    how = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(how + sql)
        lines = [str(row[-1]).strip() for row in cursor.fetchall()]
    if "LIMIT" in sql and not any("TEMP B-TREE" in line or "Sort" in line for line in lines):
        return set()
    named = {table: [table, *re.findall(rf'"{table}" "(\w+)"', sql)] for table in BIG}
    words = "Seq Scan on {}" if connection.vendor == "postgresql" else "SCAN {}"
    return {
        table
        for table, names in named.items()
        for line in lines
        for name in names
        if words.format(name) in line.replace('"', "") and "INDEX" not in line
    }


if __name__ == "__main__":
    logging.disable(logging.INFO)  # a line for each request
    if sys.argv[1] == "fill":
        fill(int(sys.argv[2]))
    else:
        for found in measure():
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()
