"""Run functions in threads at the same time, each with its own database connection."""

import threading
from collections.abc import Callable, Sequence

from django.db import connection


def together(functions: Sequence[Callable[[], object]]) -> list[BaseException]:
    """Call all functions at once; returns the exceptions that they raised."""
    start = threading.Barrier(len(functions))
    problems: list[BaseException] = []

    def run(function: Callable[[], object]) -> None:
        try:
            start.wait()
            function()
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems
