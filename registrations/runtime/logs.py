"""Lines of the log, without what opens a personal page and without whose it is."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from registrations.runtime import log_context

CODE = re.compile(r"(/(?:rejoindre|mon-inscription|nouvelle-adresse|attestation)/)[^/\s'\"?]+")
LOCAL_PART = re.compile(r"[^\s<>\"'(),:;/=\[\]{}|@]+@(?=[\w.-])")
HOST_SHOWN = 80  # characters of what a stranger sent


def masked(text: str) -> str:
    return LOCAL_PART.sub("…@", CODE.sub(r"\1…", text))


def _masked(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


class Discreet(logging.Formatter):
    """A line of text; what it is about stands in `{about}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, traceback included: a code or an address may stand in either."""
        words = " ".join(f"{name.removesuffix('_id')}={value}" for name, value in log_context.current().items())
        record.about = f" [{words}]" if words else ""
        return masked(super().format(record))


class DiscreetJson(logging.Formatter):
    """The same as one JSON object a line, for machines that gather logs."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            **log_context.current(),
            **{name: _masked(value) for name, value in getattr(record, "fields", {}).items()},
        }
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def one_line(record: logging.LogRecord) -> bool:
    """Anyone may send a wrong Host header: a short warning, no traceback, no alert."""
    host = record.getMessage().partition("header: ")[2].partition(". You may")[0]
    record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    record.msg, record.args = "Host header refused: %s", (host[:HOST_SHOWN],)
    record.exc_info = record.exc_text = None
    return True
