"""What processes of this machine are and use, as proc(5) tells."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, in one second


def told(pid: int, file: str) -> str:
    """Nothing when the process is gone."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _fields(pid: int) -> list[str]:
    return told(pid, "stat").rpartition(")")[2].split()


def runs(pid: int) -> bool:
    """Ended processes that nobody has collected yet do not."""
    return _fields(pid)[:1] not in ([], ["Z"])


def children(pid: int) -> list[int]:
    return [int(child) for child in told(pid, f"task/{pid}/children").split()]


def is_command(pid: int, name: str) -> bool:
    """Whether it is `manage.py <name>`."""
    return f"\0{name}\0" in told(pid, "cmdline")


def cpu_seconds(pids: Iterable[int]) -> float:
    """In user and system mode; their children, such as the renderer of documents, are not in it."""
    used = [fields[11:13] for pid in pids if (fields := _fields(pid))]
    return sum(int(user) + int(system) for user, system in used) / TICKS


def memory(pid: int) -> tuple[float, float]:
    """(PSS, RSS) in MB: the first counts shared pages in part, and so adds up over processes."""
    sizes = dict(re.findall(r"^(Pss|Rss): +(\d+) kB", told(pid, "smaps_rollup"), re.MULTILINE))
    return int(sizes["Pss"]) / 1000, int(sizes["Rss"]) / 1000
