"""Log formatters that mask personal codes in URLs and the local part of email addresses."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from registrations.runtime import log_context

PERSONAL = "rejoindre|mon-inscription|nouvelle-adresse|attestation"  # words of addresses that a code follows
CODE = re.compile(rf"(/(?:{PERSONAL})/)[^/\s'\"?]+")
QUOTED = re.compile(rf"({PERSONAL})(?:[%=]2F|[^\w\s])+[\w-]{{16,}}", re.IGNORECASE)  # as another server writes a link
INTACT = re.compile(rf"(?:/en)?/(?:{PERSONAL})/[\w-]+(?:/[a-z.-]*)*")
DAMAGED = re.compile(rf"({PERSONAL}).*", re.IGNORECASE | re.DOTALL)
LONG_WORD = re.compile(r"(?<!/evenements/)(?<![\w-])[\w-]{20,}")  # a code, where the word before it is damaged
LOCAL_PART = re.compile(r"[^\s<>\"'(),:;/=\[\]{}|@]+@(?=[\w.-])")
HOST_SHOWN = 80  # characters of the refused Host header


def without_codes(text: str) -> str:
    return QUOTED.sub(r"\1/…", CODE.sub(r"\1…", text))


def masked(text: str) -> str:
    return LOCAL_PART.sub("…@", without_codes(text))


def _masked(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


def masked_path(path: str) -> str:
    """A path as Django logs it, decoded. A damaged link may have its code anywhere: it is cut after the first word."""
    return CODE.sub(r"\1…", path) if INTACT.fullmatch(path) else LONG_WORD.sub("…", DAMAGED.sub(r"\1/…", path))


def hide_paths(record: logging.LogRecord) -> bool:
    """Logging filter for lines about a request: mask the codes of its path, however damaged it is."""
    if isinstance(record.args, tuple):
        is_path = [isinstance(value, str) and value.startswith(("/", "\\")) for value in record.args]
        pairs = zip(record.args, is_path, strict=True)
        record.args = tuple(masked_path(str(value)) if hidden else value for value, hidden in pairs)
    return True


def hide_visitor(record: logging.LogRecord) -> bool:
    """Logging filter for the web server's own lines: neither the visitor's address nor the path."""
    if str(record.msg).startswith("Malformed proxy header") and isinstance(record.args, tuple):
        record.msg, record.args = 'Malformed proxy header "%s"', record.args[:1]
    record.msg = str(record.msg).partition(" while serving ")[0]
    return True


class MaskingFormatter(logging.Formatter):
    """A line of text. `{about}` in the format is replaced by the ids of the log context."""

    def format(self, record: logging.LogRecord) -> str:
        """Mask the whole line with its traceback: both may contain a code or an address."""
        ids = " ".join(f"{name.removesuffix('_id')}={value}" for name, value in log_context.current().items())
        record.about = f" [{ids}]" if ids else ""
        return masked(super().format(record))


class MaskingJsonFormatter(logging.Formatter):
    """One JSON object per line, for log collectors."""

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
    """Logging filter: reduce the error on a wrong Host header to a short warning without traceback.

    Any client can send such a header, so it must not alert the operator.
    """
    host = record.getMessage().partition("header: ")[2].partition(". You may")[0]
    record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    record.msg, record.args = "Host header refused: %s", (host[:HOST_SHOWN],)
    record.exc_info = record.exc_text = None
    return True
