"""Reservations, against a model that marks single cycles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.network.slots import Slots

FRAME = 5


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60)), max_size=30))
def test_earliest_is_the_first_gap(wishes):
    slots, marked = Slots(FRAME), [set(), set()]
    for link, cycle in wishes:
        expected = next(c for c in range(cycle, 1000) if marked[link].isdisjoint(range(c, c + FRAME)))
        assert slots.earliest(link, cycle) == expected
        slots.take(link, expected)
        marked[link].update(range(expected, expected + FRAME))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=20), st.integers(0, 30), st.integers(0, 30))
def test_together_is_the_first_common_gap(wishes, offset, cycle):
    slots, marked = Slots(FRAME), [set(), set(), set()]
    for link, wish in wishes:
        found = slots.earliest(link, wish)
        slots.take(link, found)
        marked[link].update(range(found, found + FRAME))
    offsets = (0, offset, 2 * offset)
    expected = next(
        c
        for c in range(cycle, 2000)
        if all(marked[k].isdisjoint(range(c + off, c + off + FRAME)) for k, off in enumerate(offsets))
    )
    assert slots.together((0, 1, 2), offsets, cycle) == expected


def test_a_taken_slot_is_refused():
    slots = Slots(FRAME)
    slots.take(7, 10)
    with pytest.raises(ValueError, match=r"^Link 7 is not free for 5 cycles from cycle 14 on\.$"):
        slots.take(7, 14)
    slots.take(7, 15)
