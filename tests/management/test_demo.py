"""The demo as started in the README: from the sign-up to the inbox, its pages, its end."""

import os
import signal
import urllib.error
import urllib.request

import pytest

from tests import mailbox
from tests.load import processes
from tests.management.child_processes import children_of
from tests.site import TIMEOUT, RunningSite, wait_for

COUNTS = "from registrations.models import *; print(Event.objects.count(), ReportSection.objects.count())"


@pytest.mark.typesetting
def test_the_demo_takes_a_sign_up_to_the_inbox(demo: RunningSite) -> None:
    thanks = demo.sign_up(email="zoe@example.org")
    assert "Votre inscription est enregistrée" in thanks

    mail = demo.mail_to("zoe@example.org")
    assert mail["Subject"] == "Inscription enregistrée\u00a0: webinaire du 13\u00a0mai 2025"
    assert mailbox.attachment_names(mail) == ["presentation-etude.pdf"]  # the first event is over
    assert mailbox.part(mail, "application/pdf").startswith(b"%PDF-")
    for link in mailbox.links(mailbox.text(mail)):
        assert link.startswith(demo.address)
        assert demo.status(link.removeprefix(demo.address)) == 200


def test_the_demos_mailbox_shows_the_mail_and_every_part_of_it(demo: RunningSite) -> None:
    demo.sign_up(email="anne@example.org")
    demo.mail_to("anne@example.org")
    assert demo.status("/outbox/") == 200
    [path] = [path for path in (demo.data / "outbox").glob("*.eml") if b"To: anne@example.org" in path.read_bytes()]
    assert [demo.status(f"/outbox/{path.stem}/{tail}") for tail in ("", "0/", "1/", "2/", "3/")] == [
        *[200] * 4,
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


def test_setting_up_twice_prints_the_password_once_and_loads_the_event_once(empty_site: RunningSite) -> None:
    process = empty_site.start_demo()
    process.terminate()
    assert process.wait(timeout=TIMEOUT) == 0
    second = empty_site.run("demo", "--setup-only")
    counted = empty_site.run("shell", "--verbosity", "0", "-c", COUNTS)
    assert "organisateur / " in (empty_site.data / "demo.log").read_text()
    assert second == ""
    assert counted.split() == ["1", "7"]


def test_only_the_demo_has_the_mailbox_page(site: RunningSite) -> None:
    site.start("web", "--port", str(site.port))
    site.wait_until_it_serves()
    assert site.status("/outbox/") == 404


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_demo_leaves_no_process_behind(site: RunningSite, number: signal.Signals) -> None:
    process = site.start_demo()
    children = both_children(process.pid)

    process.send_signal(number)
    assert process.wait(timeout=TIMEOUT) == (0 if number != signal.SIGKILL else -9)
    wait_for(lambda: not any(map(processes.runs, children)), "the end of the children")
    assert site.status("/") is None


def both_children(parent: int) -> dict[int, str]:
    return children_of(parent, "web", "worker")


def test_the_demo_ends_when_its_worker_ends(site: RunningSite) -> None:
    process = site.start_demo()
    worker = next(pid for pid, command in both_children(process.pid).items() if command == "worker")
    os.kill(worker, signal.SIGKILL)
    assert process.wait(timeout=TIMEOUT) != 0
