"""Tell the operator outside of the mails that the site does not work as it should (`ALERT_URL`, `PING_URL`).

`PING_URL` is a dead man's switch: a service that raises an alarm when the requests stop. They stop when something is
wrong, and when no worker runs to notice it.
"""

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings

from registrations.monitoring.status import promptly
from registrations.worker.polling_thread import PollingThread

logger = logging.getLogger(__name__)

LOOK_EVERY = 60  # seconds
TOLD_AGAIN_AFTER = 24 * 3600  # seconds, while nothing gets better
ANSWER_WITHIN = 10  # seconds
DATABASE_ANSWERS_WITHIN = 20  # seconds
JSON = "json+"  # before the scheme: Slack, Mattermost and their like want {"text": …}


class Watch(PollingThread):
    label: ClassVar = "Watch"
    poll_every: ClassVar = 1
    stopped_within: ClassVar = 1  # an alert that is under way does not keep the worker from ending

    def __init__(self, worker: str) -> None:
        super().__init__(worker)
        self.next_look = time.monotonic() + LOOK_EVERY  # a worker that starts has mails to catch up with
        self.seen: list[str] = []

    def work(self) -> None:
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + LOOK_EVERY
        if settings.ALERT_URL or settings.PING_URL:
            self.look()

    def look(self) -> None:
        """Alert at the second look in a row that finds something wrong; ping when nothing is."""
        before, (self.seen, _waiting) = self.seen, promptly(within=DATABASE_ANSWERS_WITHIN)
        if not self.seen:
            if settings.PING_URL:
                _request(settings.PING_URL)
            _end_incident()
        elif before:
            _tell_incident(self.seen)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected alert would arrive without its text, and at an address that nobody has set."""

    def redirect_request(self, *args: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def told_file() -> Path:
    """Its date is that of the last alert. The workers of one machine share it, so that one of them tells."""
    return Path(settings.DATA_DIR) / "alert_sent"


def _tell_incident(reasons: list[str]) -> None:
    told = told_file()
    if told.exists() and time.time() - told.stat().st_mtime < TOLD_AGAIN_AFTER:
        return
    lines = [f"{settings.HOST} needs attention.", *reasons, f"{settings.BASE_URL}/admin/"]
    if _alert(lines):
        told.touch()


def _end_incident() -> None:
    if told_file().exists() and _alert([f"{settings.HOST} works again."]):
        told_file().unlink(missing_ok=True)


def _alert(lines: list[str]) -> bool:
    """Whether the service took it; without `ALERT_URL` there is nobody to tell."""
    if not settings.ALERT_URL:
        return True
    text = "\n".join(lines)
    if settings.ALERT_URL.startswith(JSON):
        body, content_type = json.dumps({"text": text}), "application/json"
    else:
        body, content_type = text, "text/plain; charset=utf-8"
    return _request(settings.ALERT_URL.removeprefix(JSON), body.encode(), {"Content-Type": content_type})


def _request(address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bool:
    """POST with a body, else GET. The address is a secret: it is in no log."""
    request = urllib.request.Request(address, body, headers or {})  # noqa: S310 - the settings allow http and https
    try:
        with _OPENER.open(request, timeout=ANSWER_WITHIN):
            return True
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
        logger.warning("Watch: the service for alerts did not answer (%s)", reason)
        return False
