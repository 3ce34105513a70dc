"""Limits of a child process that reads what a stranger has made: CPU time and memory. It runs without Django.

`documents.pdf_renderer` runs as a file of its own, isolated from our modules, and has its own copy.
"""

import resource


def limit_memory(most: int) -> None:
    memory = _allowed(resource.RLIMIT_AS, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def limit_cpu(more: int) -> None:
    """End this process after `more` seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = _allowed(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + more)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _allowed(what: int, most: int) -> int:
    """`most`, or less where the machine allows less: to ask for more would be refused."""
    _soft, hard = resource.getrlimit(what)
    return most if hard == resource.RLIM_INFINITY else min(most, hard)
