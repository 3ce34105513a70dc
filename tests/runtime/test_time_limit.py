"""A limit on the whole time of a block."""

import threading
import time

import pytest

from registrations.runtime.time_limit import time_limit


def test_a_block_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError), time_limit(0.1):
        time.sleep(5)


def test_a_limit_inside_another_leaves_the_outer_one_its_time() -> None:
    def twice() -> None:
        with time_limit(0.3):
            with time_limit(60):
                pass
            time.sleep(5)

    with pytest.raises(TimeoutError):
        twice()


def test_nothing_rings_after_the_block() -> None:
    with time_limit(0.1):
        pass
    time.sleep(0.2)


def test_in_another_thread_there_is_no_limit() -> None:
    done = []

    def work() -> None:
        with time_limit(0.01):
            time.sleep(0.1)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
