"""The live counts are always equal to counting the rows."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from registrations.models.live_count import merge_live_counts

from registrations.domain import attendance, broadcasts, dry_runs, erasure, event_changes, retention, signup
from registrations.mailing import outbox
from registrations.models import (
    Attendance,
    Broadcast,
    Delivery,
    MailCount,
    PeopleCount,
    Registration,
    SignUpCount,
    triggers,
)
from tests.factories import answers, make_event, make_past_event, make_registration
from tests.live_counts import assert_exact
from tests.threads import together

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_the_whole_life_of_an_event_is_counted_exactly() -> None:
    event = make_event(capacity=3, follow_up_hours_after=24)
    people = [signup.register(event, language="fr", **answers(territory=f"T{n % 2}")).registration for n in range(6)]
    assert_exact()
    signup.withdraw(people[0])
    signup.come_back(people[0])
    erasure.ask_for_erasure(people[1])
    outbox.drain()
    assert_exact()
    later = event.starts_at + timedelta(days=1)
    event_changes.reschedule(event, starts_at=later, ends_at=later + timedelta(hours=1))
    Delivery.objects.filter(pk__in=Delivery.objects.filter(state="sent")[:1]).delete()
    merge_live_counts()
    assert_exact()
    erasure.disown(people[2])
    event_changes.cancel(event)
    outbox.drain()
    assert_exact()


def test_presences_are_counted_once_a_person_and_given_back() -> None:
    registration = make_registration(make_past_event())
    attendance.note(registration, Attendance.Origin.JOIN)
    attendance.note(registration, Attendance.Origin.HAND)
    assert PeopleCount.objects.filter(attended=True).total() == 1
    registration.save()  # this instance has not heard of it
    assert_exact()
    attendance.take_back(registration)
    assert PeopleCount.objects.filter(attended=True).total() == 0
    assert_exact()


def test_a_message_taken_back_and_a_purge_are_counted_exactly() -> None:
    event = make_past_event(starts_at=timezone.now() - timedelta(days=900))
    for _ in range(3):
        make_registration(event, created_at=event.starts_at - timedelta(days=2))
    broadcast = Broadcast.objects.create(event=event, audience="seated", subject="S", body="B", created_by=1)
    broadcasts.send(broadcast, count=3)
    assert broadcasts.progress(broadcast) == {"waiting": 3, "sent": 0, "failed": 0, "dropped": 0, "returned": 0}
    broadcasts.take_back(broadcast)
    assert_exact()
    retention.purge()
    assert (
        PeopleCount.objects.all().total() == MailCount.objects.all().total() == SignUpCount.objects.all().total() == 0
    )


def test_a_dry_run_is_in_no_count_but_its_attendance_is_recorded() -> None:
    event = make_past_event()
    dry_run = dry_runs.start(event, **answers(language="fr"))
    attendance.note(dry_run, Attendance.Origin.HAND)
    Delivery.objects.enqueue(dry_run, Delivery.Kind.UPDATED, state="failed")
    assert [model.objects.all().total() for model in (PeopleCount, SignUpCount, MailCount)] == [0, 0, 0]
    assert_exact()
    outbox.drain()
    erasure.erase(dry_run)
    assert_exact()


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_are_counted_exactly() -> None:
    event = make_event(capacity=4)
    there = [signup.register(event, language="fr", **answers()).registration for _ in range(4)]

    def sign_up_and_withdraw() -> None:
        for _ in range(3):
            signup.withdraw(signup.register(event, language="fr", **answers(territory="T")).registration)

    def merge() -> None:
        for _ in range(6):
            merge_live_counts()

    acts = [partial(signup.withdraw, one) for one in there]
    assert together([*acts, sign_up_and_withdraw, sign_up_and_withdraw, outbox.drain, merge, merge]) == []
    assert_exact()
    merge_live_counts()
    assert_exact()
    groups = PeopleCount.objects.values_list("event", "status", "territory", "newsletter", "language", "attended")
    assert groups.distinct().count() == groups.count()


@pytest.mark.parametrize("audience", Broadcast.Audience.values)
@pytest.mark.parametrize("narrowed", [{}, {"territory": "T1"}, {"newsletter_only": True}])
def test_the_size_of_an_audience_is_its_number_of_recipients(audience: str, narrowed: dict[str, Any]) -> None:
    event = make_past_event()
    before, after = event.starts_at - timedelta(days=1), event.ends_at + timedelta(hours=1)
    for number in range(12):
        status = ["confirmed", "confirmed", "waitlisted", "cancelled"][number % 4]
        fields: dict[str, Any] = {"territory": f"T{number % 3}", "newsletter": number % 2 == 0, "status": status}
        registration = make_registration(event, created_at=after if number > 8 else before, **fields)
        if number % 5 == 0:
            attendance.note(registration, Attendance.Origin.HAND)
    broadcast = Broadcast(event=event, audience=audience, **narrowed)
    assert broadcasts.audience_size(broadcast) == broadcast.recipients().count()


def test_missing_triggers_are_installed_again_and_everything_is_recounted() -> None:
    event = make_event()
    make_registration(event)
    triggers.drop()
    registration = make_registration(event)
    Delivery.objects.enqueue(registration, Delivery.Kind.CONFIRMATION)
    assert PeopleCount.objects.all().total() == 1
    triggers.install()
    assert_exact()
    assert list(Registration.objects.found_by(registration.email)) == [registration]


def test_a_trigger_that_differs_from_its_definition_is_rebuilt() -> None:
    name, statement = list(triggers._definitions().items())[-1]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DROP {name}")
            cursor.execute(statement.replace("BEGIN", "BEGIN SELECT 1;"))
        else:
            cursor.execute(
                statement.partition("; CREATE TRIGGER")[0]
                .replace("CREATE", "CREATE OR REPLACE")
                .replace("BEGIN", "BEGIN NULL;")
            )
    assert triggers._installed(triggers._definitions())[name] != statement
    triggers.install()
    assert triggers._installed(triggers._definitions()) == triggers._definitions()
    make_registration()
    assert_exact()


def test_rows_written_by_an_older_version_are_found_after_housekeeping() -> None:
    registration = make_registration(last_name="Hélène")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registrations_registration SET search = ''")
    assert not Registration.objects.found_by("helene").exists()
    triggers.fill_search()
    assert list(Registration.objects.found_by("helene")) == [registration]


@pytest.mark.parametrize("words", ["helene", "HÉLÈNE", "dUrand hel", "helene.d@exa", "mairie l'hay", "hé", "é d"])
def test_people_are_found_without_accents_and_capitals_by_any_part_of_a_word(words: str) -> None:
    organisation, email = "Mairie de L’Haÿ-les-Roses", "Helene.D@example.org"
    wanted = make_registration(first_name="Hélène", last_name="Durand", organisation=organisation, email=email)
    make_registration(first_name="Zoé", last_name="Martin", organisation="CAF", email="z@example.com")
    assert list(Registration.objects.found_by(words)) == [wanted]


def test_a_corrected_address_is_found_and_the_former_one_no_longer() -> None:
    registration = make_registration(email="avant@example.org")
    registration.email = "apres@example.org"
    registration.save()
    assert not Registration.objects.found_by("avant").exists()
    assert list(Registration.objects.found_by("apres")) == [registration]


def test_the_trigger_of_a_sign_up_finds_its_quarter_by_an_index() -> None:
    if connection.vendor == "postgresql":  # its triggers append, and update no row
        assert [
            name for name, part in triggers._definitions().items() if "UPDATE registrations_signuptally" in part
        ] == []
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT 1 FROM registrations_signuptally WHERE event_id IS 1 AND quarter IS ''"
        )
        [plan] = cursor.fetchall()
    assert "INDEX sign_up_tally_quarters (event_id=? AND quarter=?)" in plan[-1]


def test_thousands_of_appended_rows_are_merged_without_a_nested_loop() -> None:
    event, now = make_event(), timezone.now()
    SignUpCount.objects.bulk_create(
        SignUpCount(event=event, quarter=now + number % 3 * HOUR, number=number % 3) for number in range(3000)
    )
    with CaptureQueriesContext(connection) as asked:
        SignUpCount.objects.merge()
    if connection.vendor == "sqlite":  # its triggers update the row of the group
        assert len(asked) == 0
        return
    assert sorted(SignUpCount.objects.values_list("quarter", "number")) == [(now + HOUR, 1000), (now + 2 * HOUR, 2000)]
    plans = []
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql'].replace('%', '%%')}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert len(plans) == 2
    assert [plan for plan in plans if "Join" in plan or "Loop" in plan or "SubPlan" in plan] == []
