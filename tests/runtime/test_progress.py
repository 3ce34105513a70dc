"""Progress of a command, as shown in the shell."""

import io

import pytest
from django.core.management import call_command

from registrations.documents import pdf
from registrations.management import progress_line
from registrations.models import clock_mark
from registrations.runtime import progress
from tests.factories import make_event, make_registration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_that_is_updated_and_cleared_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_line, "TERMINAL_INTERVAL", 0)
    terminal = Terminal()
    with progress_line.shown("purge", terminal):
        for _batch in progress.batches(range(5), 2, "webinaire"):
            pass
    clear = progress_line.CLEAR_LINE
    assert terminal.getvalue() == (
        f"{clear}purge: 0/5 (0 %) webinaire{clear}purge: 2/5 (40 %) webinaire"
        f"{clear}purge: 4/5 (80 %) webinaire{clear}purge: 5/5 (100 %) webinaire{clear}"
    )


def test_outside_a_terminal_a_line_is_written_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    with progress_line.shown("purge", log):
        progress.report(1, 5)
    assert log.getvalue() == ""
    monkeypatch.setattr(progress_line, "LOG_INTERVAL", 0)
    with progress_line.shown("purge", log):
        progress.report(1, 5)
    assert log.getvalue() == "purge: 1/5 (20 %)\n"


def test_progress_without_a_listener_is_ignored() -> None:
    assert list(progress.batches("abcde", 2)) == ["ab", "cd", "e"]


@pytest.mark.typesetting
def test_a_document_reports_its_steps_and_never_that_it_is_done_too_early() -> None:
    told: list[tuple[int, int]] = []
    with progress.reported_to(lambda done, total, words: told.append((done, total))):
        assert pdf.render("<html lang='fr'><title>x</title><p>x").startswith(b"%PDF-")
    assert told == sorted(told)
    assert (told[0], told[-1]) == ((0, 7), (6, 7))


@pytest.mark.django_db
def test_the_purge_reports_its_progress(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_line, "LOG_INTERVAL", 0)
    event = make_event(starts_at=make_event().starts_at.replace(year=2020), slug="vieux", retention_months=1)
    for _ in range(3):
        make_registration(event, created_at=event.starts_at)
    clock_mark.move_on()
    call_command("purge")
    captured = capsys.readouterr()
    assert captured.err == "purge: 0/3 (0 %) vieux\npurge: 3/3 (100 %) vieux\n"
    assert captured.out == "vieux: 3\nMade anonymous: 3\n"
