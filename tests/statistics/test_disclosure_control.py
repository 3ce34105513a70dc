"""No figure reveals a person, and none can be found by subtraction."""

import itertools
import random
from typing import Any

import pytest

from registrations.models.purged_count import Counts
from registrations.statistics import disclosure_control
from registrations.statistics.disclosure_control import LEAST, OTHERS, Part, Row


def parts(*numbers: int) -> list[Part]:
    return [Part(chr(ord("a") + index), Counts(number, number, 0)) for index, number in enumerate(numbers)]


def attended(*pairs: tuple[int, int]) -> list[Part]:
    """(expected, present) of each group."""
    return [Part(str(index), Counts(expected, expected, present)) for index, (expected, present) in enumerate(pairs)]


def told(found: list[Any]) -> list[tuple[str, int]]:
    return [("others" if label is OTHERS else label, number) for label, number, *_ in found]


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([], []),
        ([1], []),
        ([4], []),
        ([5], [("a", 5)]),
        ([2, 2], []),
        ([3, 3], []),
        ([12, 8], [("a", 12), ("b", 8)]),
        ([12, 3, 2], [("a", 12), ("others", 5)]),
        ([12, 3, 1], []),  # together 4: the 12 are merged with them, and nothing is left
        ([12, 8, 4], [("a", 12), ("others", 12)]),  # a single hidden group would follow from the total
        ([12, 8, 2, 2], [("a", 12), ("others", 12)]),
        ([20, 12, 8, 0], [("a", 20), ("b", 12), ("c", 8)]),
        ([8, 20, 12], [("b", 20), ("c", 12), ("a", 8)]),
    ],
)
def test_small_groups_are_merged_until_none_can_be_found(numbers: list[int], shown: list[tuple[str, int]]) -> None:
    assert told([(part.label, part.counts.registered) for part in disclosure_control.merged(parts(*numbers))]) == shown


def test_the_smallest_groups_of_a_long_list_are_merged() -> None:
    found = disclosure_control.merged(parts(*range(10, 30)))
    assert len(found) == disclosure_control.ROWS_MAX
    assert sum(part.counts.registered for part in found) == sum(range(10, 30))


@pytest.mark.parametrize(
    ("pairs", "places"),
    [
        ([(20, 10), (20, 10)], {0, 1}),
        ([(6, 6), (20, 10), (20, 10)], {1}),  # « 6 of 6 » is hidden; as the only one it would follow from the total
        ([(20, 10), (9, 4), (8, 4)], {0}),
        ([(20, 10), (9, 9), (8, 8)], set()),  # together they would still be « 17 of 17 »
        ([(20, 20)], set()),
        ([(6, 0), (5, 0)], set()),
    ],
)
def test_presence_is_published_when_it_reveals_nobody(pairs: list[tuple[int, int]], places: set[int]) -> None:
    assert disclosure_control.publishable_presence(attended(*pairs)) == places


def test_hidden_groups_are_at_least_two_with_five_people_for_random_numbers() -> None:
    chance = random.Random(13)  # noqa: S311 - no secret
    for _ in range(2000):
        given = parts(*(chance.choice([0, 1, 2, 4, 5, 9, 30]) for _ in range(chance.randrange(16))))
        shown = disclosure_control.merged(given)
        hidden = [part for part in given if part.counts.registered and part not in shown]
        assert all(part.counts.registered >= LEAST for part in shown)
        if shown:
            assert sum(part.counts.registered for part in shown) == sum(part.counts.registered for part in given)
            assert not hidden or len(hidden) >= 2


def test_hidden_presence_cannot_be_subtracted_for_random_numbers() -> None:
    numbers = [0, 3, 5, 8]
    for expected_and_present in itertools.product(itertools.product(numbers, numbers), repeat=3):
        given = attended(*((present + absent, present) for present, absent in expected_and_present))
        places = disclosure_control.publishable_presence(given)
        hidden = [part.counts for index, part in enumerate(given) if index not in places]
        if places and hidden:
            assert len(hidden) >= 2
            assert min(sum(c.present for c in hidden), sum(c.expected - c.present for c in hidden)) >= LEAST


def test_a_row_has_its_share_and_its_presence_in_whole_percents() -> None:
    given = [Part("a", Counts(20, 15, 5)), Part("b", Counts(10, 10, 5))]
    assert disclosure_control.rows(given, with_presence=True) == [Row("a", 20, 67, 33), Row("b", 10, 33, 50)]
    assert disclosure_control.rows(given, with_presence=False) == [Row("a", 20, 67), Row("b", 10, 33)]
