"""Several people at the same moment, each with a database connection of their own."""

import threading
from collections.abc import Callable, Sequence

from django.db import connection


def together(acts: Sequence[Callable[[], object]]) -> list[BaseException]:
    """Do all of it at once; returns what went wrong."""
    start = threading.Barrier(len(acts))
    problems: list[BaseException] = []

    def do(act: Callable[[], object]) -> None:
        try:
            start.wait()
            act()
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems
