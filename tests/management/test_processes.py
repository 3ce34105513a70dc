"""The real processes: stops, crashes and restarts."""

import http.client
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from registrations.management.commands.web import THREADS
from tests import mailbox
from tests.load import processes
from tests.management.child_processes import children_of
from tests.site import ROOT, TIMEOUT, NoRedirectAfterPost, RunningSite, wait_for
from tests.smtp import AnswersLate, HoldsFirst, smtp_server


@pytest.mark.typesetting
def test_a_worker_makes_the_report_when_it_starts_before_anyone_has_signed_up(site: RunningSite) -> None:
    shutil.rmtree(site.data / "reports")
    site.start("worker")
    wait_for(lambda: list((site.data / "reports").glob("*.pdf")), "the report")


def test_a_worker_killed_while_it_sends_loses_no_mail_and_repeats_only_the_one_in_flight(site: RunningSite) -> None:
    with smtp_server(HoldsFirst()) as (server, mailers):
        assert isinstance(server, HoldsFirst)
        site.env["EMAIL_URL"] = f"smtp://127.0.0.1:{mailers['default']['OPTIONS']['port']}"
        site.start("web", "--port", str(site.port))
        first = site.start("worker")
        site.wait_until_it_serves()
        for name in ("un", "deux", "trois"):
            site.sign_up(email=f"{name}@example.org")
        wait_for(lambda: server.held, "the first mail on its way")
        first.kill()
        first.wait()

        lease_over = "from registrations.models import *; from django.utils.timezone import now; "
        site.run("shell", "-c", lease_over + "Delivery.objects.filter(state='sending').update(send_at=now())")
        site.start("worker")
        wait_for(lambda: len(server.received) == 3, "all three mails")

    ids = [mailbox.read(content)["Message-ID"] for content in server.received]
    assert len(set(ids)) == 3
    assert mailbox.read(server.held[0])["Message-ID"] in ids


def test_up_restarts_ended_processes_and_sends_the_mail_of_an_ended_worker_at_once(site: RunningSite) -> None:
    with smtp_server(HoldsFirst()) as (server, mailers):
        assert isinstance(server, HoldsFirst)
        site.env["EMAIL_URL"] = f"smtp://127.0.0.1:{mailers['default']['OPTIONS']['port']}"
        up = site.start("up", "--port", str(site.port), "--workers", "2")
        site.wait_until_it_serves()
        before = children_of(up.pid, "web", "web", "worker", "worker")

        site.sign_up(email="un@example.org")
        wait_for(lambda: server.held, "the first mail on its way")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: server.received, "the mail taken over, long before its lease ends")

        site.wait_until_it_serves()
        site.sign_up(email="deux@example.org")
        wait_for(lambda: len(server.received) == 2, "the second mail")
        after = children_of(up.pid, "web", "web", "worker", "worker")
        assert not set(before) & set(after)
    assert mailbox.read(server.held[0])["Message-ID"] == server.mails[0]["Message-ID"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_all_processes_end_with_up(site: RunningSite, number: signal.Signals) -> None:
    up = site.start("up", "--port", str(site.port))
    site.wait_until_it_serves()
    children = children_of(up.pid, "web", "web", "worker")
    up.send_signal(number)
    up.wait(timeout=TIMEOUT)
    wait_for(lambda: not any(map(processes.runs, children)), "the end of the children")
    assert site.status("/healthz") is None


def test_up_can_run_only_web_processes_or_only_workers(site: RunningSite) -> None:
    web = site.start("up", "--port", str(site.port), "--no-worker")
    workers = site.start("up", "--no-web", "--workers", "3")
    site.wait_until_it_serves()
    assert children_of(web.pid, "web", "web")
    assert children_of(workers.pid, "worker", "worker", "worker")


def test_pages_are_served_while_sixty_clients_send_one_byte_at_a_time(site: RunningSite) -> None:
    site.start("up", "--port", str(site.port), "--no-worker")
    site.wait_until_it_serves()
    request = (
        b"POST /evenements/x/inscription/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n" + b"a" * 900
    )
    slow = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(60)]
    served = 0
    for byte in request[:150]:
        for connection in slow:
            connection.send(bytes([byte]))
        served += site.status("/accessibilite/") == 200
    for connection in slow:
        connection.close()
    assert served == 150


def lock_registrations(site: RunningSite) -> Callable[[], None]:
    """Take a lock that every sign-up needs; returns the function that releases it."""
    if site.env["DATABASE_URL"]:
        lock = psycopg.connect(site.env["DATABASE_URL"], autocommit=False)
        lock.execute("LOCK TABLE registrations_registration IN ACCESS EXCLUSIVE MODE")
        return lock.close
    file = sqlite3.connect(site.data / "db.sqlite3", isolation_level=None, check_same_thread=False)
    file.execute("BEGIN EXCLUSIVE")
    return file.close


def test_a_sign_up_waits_for_a_database_that_is_locked_for_seconds(site: RunningSite) -> None:
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    release = lock_registrations(site)
    threading.Timer(3, release).start()
    assert "Votre inscription est enregistrée" in site.sign_up(email="patient@example.org")


def test_pages_are_served_while_sign_ups_wait_for_the_database(site: RunningSite) -> None:
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    release = lock_registrations(site)
    people = [threading.Thread(target=site.sign_up, kwargs={"email": f"n{n}@example.org"}) for n in range(THREADS - 1)]
    for person in people:
        person.start()
    time.sleep(1)
    pages = [site.status("/accessibilite/") for _ in range(20)]
    waited = [person.is_alive() for person in people]
    release()
    for person in people:
        person.join(timeout=TIMEOUT)
    assert (set(pages), set(waited), {person.is_alive() for person in people}) == ({200}, {True}, {False})


class Sender(urllib.request.HTTPHandler):
    """Tells when a request is on its way as a whole."""

    def __init__(self, sent: threading.Event) -> None:
        super().__init__()

        class Connection(http.client.HTTPConnection):
            def getresponse(self) -> http.client.HTTPResponse:
                sent.set()
                return super().getresponse()

        self.connection = Connection

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self.connection, req)


def has_read_everything(port: int) -> bool:
    """Whether somebody is connected to the port, and no byte waits to be read there: proc_net_tcp(5)."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = [queues for _, local, _, state, queues, *_ in lines if (local[9:], state) == (f"{port:04X}", "01")]
    return bool(established) and all(queues.endswith(":00000000") for queues in established)


def test_a_sign_up_under_way_is_answered_when_the_site_is_asked_to_stop(site: RunningSite) -> None:
    up = site.start("up", "--port", str(site.port), "--no-worker")
    site.wait_until_it_serves()
    sent = threading.Event()
    browser, form_url, body = site.filled_form(NoRedirectAfterPost(), Sender(sent), email="juste@example.org")
    sent.clear()
    release = lock_registrations(site)
    answers: list[int] = []

    def send() -> None:
        try:
            browser.open(form_url, body, timeout=TIMEOUT)
        except urllib.error.HTTPError as redirect:
            answers.append(redirect.code)
            redirect.close()

    visitor = threading.Thread(target=send)
    visitor.start()
    assert sent.wait(TIMEOUT)
    wait_for(lambda: has_read_everything(site.port), "the form in the hands of the site")
    time.sleep(1)  # for it to reach the database, which no one can see from here
    up.terminate()
    time.sleep(1)
    release()
    visitor.join(timeout=TIMEOUT)
    assert answers == [303]
    assert up.wait(timeout=TIMEOUT) == 0
    emails = "from registrations.models import *; print(*Registration.objects.values_list('email', flat=True))"
    assert site.run("shell", "--verbosity", "0", "-c", emails).split() == ["juste@example.org"]


def test_a_worker_signalled_twice_finishes_its_current_mail(site: RunningSite) -> None:
    with smtp_server(AnswersLate()) as (server, mailers):
        assert isinstance(server, AnswersLate)
        site.env["EMAIL_URL"] = f"smtp://127.0.0.1:{mailers['default']['OPTIONS']['port']}"
        site.start("web", "--port", str(site.port))
        worker = site.start("worker")
        site.wait_until_it_serves()
        site.sign_up(email="zoe@example.org")
        wait_for(lambda: server.asked, "the mail on its way")
        worker.terminate()
        time.sleep(0.3)
        worker.terminate()
        assert worker.wait(timeout=TIMEOUT) == 0
    states = "from registrations.models import *; print(*Delivery.objects.values_list('state', flat=True))"
    assert site.run("shell", "--verbosity", "0", "-c", states).split() == ["sent"]


def test_a_stopped_worker_finishes_its_current_mail(site: RunningSite) -> None:
    site.start("web", "--port", str(site.port))
    worker = site.start("worker")
    site.wait_until_it_serves()
    site.sign_up(email="zoe@example.org")
    site.mail_to("zoe@example.org")
    worker.terminate()
    assert worker.wait(timeout=TIMEOUT) == 0
    left = "from registrations.models import *; print(Delivery.objects.get().state, WorkerPresence.objects.count())"
    assert site.run("shell", "--verbosity", "0", "-c", left).split() == ["sent", "0"]


ASK_FOR_MAILS = """
from django.contrib.auth.models import User
from registrations.models import *
from registrations.worker import jobs
event = Event.objects.get()
Registration.objects.bulk_create([
    Registration(event=event, first_name="Zoë", last_name="N", email=f"n{n}@example.org", organisation="V")
    for n in range(150)
])
me = User.objects.get()
jobs.enqueue(Job(kind="people", title="x", event=event, asked_by=me.pk, total=150,
    permission="registrations.change_registration",
    parameters={"deed": "send_again", "people": list(Registration.objects.values_list("pk", flat=True))}))
"""
PROGRESS = """
    SELECT state, done, (SELECT count(*) FROM registrations_delivery WHERE reason = 'resent') FROM registrations_job
"""


@pytest.mark.parametrize("victim", ["worker", "job"])
def test_a_killed_job_is_resumed_and_repeats_nobody(site: RunningSite, victim: str) -> None:
    """When the worker is killed, the child ends with it; when only the child is killed, the worker resumes the job."""

    def progress() -> tuple[str, int, int]:
        [(state, done, mails)] = site.rows(PROGRESS)
        return state, done, mails

    site.run("shell", "-c", ASK_FOR_MAILS)
    worker = site.start("worker")
    wait_for(lambda: progress()[1] > 0, "the first people")
    [child] = children_of(worker.pid, "job")
    if victim == "worker":
        worker.kill()
        worker.wait()
        wait_for(lambda: not processes.runs(child), "the end of the child")
    else:
        os.kill(child, signal.SIGKILL)
    _state, done, mails = progress()
    assert done == mails < 150
    if victim == "worker":
        site.start("worker")
    wait_for(lambda: progress()[0] == "done", "the end of the act")
    assert progress() == ("done", 150, 150)


def test_up_serves_on_the_socket_of_systemd(site: RunningSite) -> None:
    manage = str(ROOT / "manage.py")
    with socket.create_server(("127.0.0.1", site.port)) as held:
        inherit = f'exec 3<&{held.fileno()}; LISTEN_PID=$$ exec "$0" "$@"'
        command = ["bash", "-c", inherit, sys.executable, manage, "up", "--no-worker", "--port", "1"]
        up = subprocess.Popen(command, env=site.env, pass_fds=[held.fileno()])
        site.wait_until_it_serves()
        up.terminate()
        assert up.wait(timeout=TIMEOUT) == 0


def test_an_address_that_other_machines_reach_needs_a_proxy(site: RunningSite) -> None:
    for command in (["web"], ["up", "--no-worker"]):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            site.run(*command, "--host", "127.0.0.2", "--port", str(site.port))
        assert "set TRUSTED_PROXY_COUNT" in refused.value.stderr

    site.env |= {"TRUSTED_PROXY_COUNT": "1", "ALLOWED_HOSTS": "127.0.0.2"}
    site.address = f"http://127.0.0.2:{site.port}"
    site.start("up", "--no-worker", "--host", "127.0.0.2", "--port", str(site.port))
    site.wait_until_it_serves()


def test_a_worker_of_another_machine_attaches_the_report_from_the_shared_uploads(
    site: RunningSite, tmp_path: Path
) -> None:
    site.env |= {"MEDIA_DIR": str(tmp_path / "shared"), "SECRET_KEY": "one key for all machines"}
    site.env["DATABASE_URL"] = site.env["DATABASE_URL"] or f"sqlite:///{site.data / 'db.sqlite3'}"
    (tmp_path / "other").mkdir()
    upload = "from django.core.files.base import ContentFile; from registrations.models import *; "
    upload += "Event.objects.get().report_file.save('rapport.pdf', ContentFile(b'%PDF-1.7 of the other machine'))"
    site.run("shell", "-c", upload)
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    with site.neighbour(tmp_path / "other") as other:
        other.start("worker")
        site.sign_up(email="zoe@example.org")
        mail = other.mail_to("zoe@example.org")
    assert mailbox.part(mail, "application/pdf") == b"%PDF-1.7 of the other machine"
