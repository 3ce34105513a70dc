"""Facts about processes, read from proc(5)."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # per second of CPU time


def read_file(pid: int, file: str) -> str:
    """Content of /proc/<pid>/<file>; empty when the process has ended."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _fields(pid: int) -> list[str]:
    return read_file(pid, "stat").rpartition(")")[2].split()


def runs(pid: int) -> bool:
    """Whether the process runs; zombies do not."""
    return _fields(pid)[:1] not in ([], ["Z"])


def children(pid: int) -> list[int]:
    """Also those that a thread has started: proc(5) lists them by thread."""
    threads = Path(f"/proc/{pid}/task").glob("*")
    return [int(child) for thread in threads for child in read_file(pid, f"task/{thread.name}/children").split()]


def is_command(pid: int, name: str) -> bool:
    """Whether the process is `manage.py <name>`."""
    return f"\0{name}\0" in read_file(pid, "cmdline")


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system CPU time, without that of child processes such as the PDF renderer."""
    used = [fields[11:13] for pid in pids if (fields := _fields(pid))]
    return sum(int(user) + int(system) for user, system in used) / TICKS


def memory(pid: int) -> tuple[float, float]:
    """(PSS, RSS) in MB. PSS counts shared pages proportionally, so it can be summed over processes."""
    sizes = dict(re.findall(r"^(Pss|Rss): +(\d+) kB", read_file(pid, "smaps_rollup"), re.MULTILINE))
    return int(sizes["Pss"]) / 1000, int(sizes["Rss"]) / 1000
