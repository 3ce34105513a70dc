"""The child processes of a running site."""

from pathlib import Path

from tests.load import processes
from tests.site import wait_for


def commands_of_children(parent: int) -> dict[int, str]:
    """pid and command of each child process, of whichever thread; without what it starts to make a document."""
    threads = [Path(file).name for file in Path(f"/proc/{parent}/task").glob("*")]
    pids = [int(pid) for thread in threads for pid in processes.read_file(parent, f"task/{thread}/children").split()]
    commands = {pid: processes.read_file(pid, "cmdline").split("\0")[2:3] for pid in pids}
    return {pid: command[0] for pid, command in commands.items() if command and command[0] in {"web", "worker", "job"}}


def children_of(parent: int, *commands: str) -> dict[int, str]:
    """pid and command of each, as soon as they are these: who is killed has a successor only a moment later."""

    def when_all_there() -> dict[int, str] | None:
        found = commands_of_children(parent)
        return found if sorted(found.values()) == sorted(commands) else None

    return wait_for(when_all_there, f"{', '.join(commands)} below {parent}")
