"""A child process that reads what a stranger has made. It limits its own CPU time and memory."""

import json
import logging
import subprocess
import sys
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)
TIMEOUT = 30  # seconds; the child's own limits come first


def ask(module: str, content: bytes, *arguments: str) -> tuple[dict[str, Any], bytes]:
    """What it answers: a line of JSON, and the bytes after it. "refused" is "too_heavy" above a limit."""
    command = [sys.executable, "-E", "-s", "-m", module, *arguments]  # isolated but for the folder of our modules
    try:
        child = subprocess.run(  # noqa: S603 - our own module, no shell
            command, input=content, capture_output=True, timeout=TIMEOUT, cwd=settings.BASE_DIR, check=False
        )
    except subprocess.TimeoutExpired:
        return {"refused": "too_heavy"}, b""
    if child.returncode < 0:  # a signal: over its limits
        return {"refused": "too_heavy"}, b""
    if child.returncode:
        logger.error("%s could not read a file: %s", module, child.stderr.decode(errors="replace"))
        return {"refused": "damaged"}, b""
    answer, _line_end, changed = child.stdout.partition(b"\n")
    return json.loads(answer), changed
