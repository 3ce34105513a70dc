"""The real processes: the demo as the README starts it, and what kill -9 leaves behind."""

import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import mailbox
from tests.site import RunningSite, own_database, wait_for
from tests.smtp import HoldsFirst, smtp_server


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RunningSite]:
    with own_database() as database_url, RunningSite(tmp_path, database_url) as running:
        yield running


def test_the_demo_takes_a_sign_up_to_the_inbox(demo: RunningSite) -> None:
    thanks = demo.sign_up(email="zoe@example.org")
    assert "Votre inscription est enregistrée" in thanks

    mail = demo.mail_to("zoe@example.org")
    assert mail["Subject"] == "Inscription enregistrée\u00a0: webinaire du 13\u00a0mai 2025"
    assert mailbox.attachment_names(mail) == ["invitation.ics", "rapport-etude.pdf"]
    assert mailbox.part(mail, "application/pdf").startswith(b"%PDF-")
    lines = mailbox.calendar_lines(mailbox.part(mail, "application/ics"))
    assert {"DTSTART:20250513T143000Z", "DTEND:20250513T160000Z"} <= set(lines)
    for link in mailbox.links(mailbox.text(mail)):
        assert link.startswith(demo.address)
        assert demo.status(link.removeprefix(demo.address)) == 200


def test_the_demos_mailbox_shows_the_mail_and_every_part_of_it(demo: RunningSite) -> None:
    demo.sign_up(email="anne@example.org")
    demo.mail_to("anne@example.org")
    assert demo.status("/outbox/") == 200
    [path] = [path for path in (demo.data / "outbox").glob("*.eml") if b"To: anne@example.org" in path.read_bytes()]
    assert [demo.status(f"/outbox/{path.stem}/{tail}") for tail in ("", "0/", "1/", "2/", "3/", "4/", "5/")] == [
        *[200] * 6,
        404,
    ]
    with urllib.request.urlopen(f"{demo.address}/outbox/{path.stem}/1/") as response:
        assert "sandbox" in response.headers["Content-Security-Policy"]


def test_static_files_are_hashed_compressed_and_kept_for_a_year(demo: RunningSite) -> None:
    with urllib.request.urlopen(demo.address + "/") as page:
        html = page.read().decode()
    css = html.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    request = urllib.request.Request(demo.address + css, headers={"Accept-Encoding": "br"})
    with urllib.request.urlopen(request) as response:
        assert response.headers["Content-Encoding"] == "br"
        assert "immutable" in response.headers["Cache-Control"]


def test_setting_up_twice_prints_the_password_once_and_loads_the_event_once(site: RunningSite) -> None:
    first, second = site.run("demo", "--setup-only"), site.run("demo", "--setup-only")
    assert "organisateur / " in first
    assert second == ""
    counts = "from registrations.models import *; print(Event.objects.count(), ReportSection.objects.count())"
    assert site.run("shell", "--verbosity", "0", "-c", counts).split() == ["1", "7"]


def test_a_site_that_is_no_demo_has_no_mailbox_to_show(site: RunningSite) -> None:
    site.run("demo", "--setup-only")
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    assert site.status("/outbox/") == 404


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_demo_leaves_no_process_behind_however_it_ends(site: RunningSite, number: signal.Signals) -> None:
    process = site.start_demo()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2

    process.send_signal(number)
    assert process.wait(timeout=60) == (0 if number != signal.SIGKILL else -9)
    wait_for(lambda: not any(is_running(int(child)) for child in children), "the end of the children")
    assert site.status("/") is None


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # ended, not yet collected by the machine's first process


def test_a_demo_whose_worker_dies_ends_with_it(site: RunningSite) -> None:
    process = site.start_demo()
    pids = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
    worker = next(pid for pid in pids if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(worker, signal.SIGKILL)
    assert process.wait(timeout=60) != 0


def test_a_worker_killed_while_it_sends_loses_no_mail_and_repeats_only_the_one_in_flight(site: RunningSite) -> None:
    site.run("demo", "--setup-only")
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
        site.run("shell", "-c", lease_over + "Delivery.objects.filter(state='sending').update(due=now())")
        site.start("worker")
        wait_for(lambda: len(server.received) == 3, "all three mails")

    ids = [mailbox.read(content)["Message-ID"] for content in server.received]
    assert len(set(ids)) == 3
    assert mailbox.read(server.held[0])["Message-ID"] in ids


def test_a_worker_asked_to_stop_finishes_the_mail_in_hand(site: RunningSite) -> None:
    site.run("demo", "--setup-only")
    site.start("web", "--port", str(site.port))
    worker = site.start("worker")
    site.wait_until_it_serves()
    site.sign_up(email="zoe@example.org")
    site.mail_to("zoe@example.org")
    worker.terminate()
    assert worker.wait(timeout=30) == 0
    states = "from registrations.models import *; print(*Delivery.objects.values_list('state', flat=True))"
    assert site.run("shell", "--verbosity", "0", "-c", states).split() == ["sent"]
