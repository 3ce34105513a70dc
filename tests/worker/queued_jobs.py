"""Ask for jobs in the admin and run them."""

from typing import Any

from django.test import Client

from registrations.models import Event, Job, Registration
from registrations.worker import jobs
from tests.admin_client import EVENTS, act
from tests.factories import make_event, make_registration

JOBS = "/admin/registrations/job/"


def page_of(job: Job) -> str:
    return f"{JOBS}{job.pk}/change/"


def run_next_job() -> Job:
    """Claim and run the next job, in this process."""
    job = Job.objects.claim("one")
    assert job
    jobs.run(job)
    job.refresh_from_db()
    return job


def sign_in_sheet(client: Client, event: Event) -> Any:
    return client.post(f"{EVENTS}{event.pk}/lists/", {"document": "sign-in-sheet"})


def people(count: int) -> list[Registration]:
    event = make_event(report=False)
    return [make_registration(event) for _ in range(count)]


def ask_for_mails(organiser: Client, count: int) -> list[Registration]:
    rows = people(count)
    act(organiser, "send_again", *rows)
    return rows
