"""Lines of the log, without what opens a personal page and without whose it is."""

import logging
import re

CODE = re.compile(r"(/(?:rejoindre|mon-inscription)/)[^/\s'\"?]+")
LOCAL_PART = re.compile(r"[^\s<>\"'(),:;/=\[\]{}|@]+@(?=[\w.-])")


class Discreet(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The whole line, traceback included: a code or an address may stand in either."""
        return LOCAL_PART.sub("…@", CODE.sub(r"\1…", super().format(record)))
