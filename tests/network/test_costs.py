"""Constants of the published size, by hand."""

import pytest

from sw.arch.config import ConfigError, load
from sw.network.costs import Costs, costs


def test_full():
    """320 lanes in words of 8 bytes. C2C units are 25 stops apart, a word is read 3 cycles behind its arrival; an addition
    has a latch (with correction) of 2 cycles, 4 stages and its stream."""
    assert costs(load("full")) == Costs(frame=41, receive=45, forward=0, cross=29, add=7, level=4, settle=1, apart=33)


def test_sum_of_eight():
    assert Costs(41, 45, 0, 29, 7, 4, 1, 33).sum(8) == 29 + 1 + 7 + 3 * 4


def test_no_links():
    with pytest.raises(ConfigError, match="has no links"):
        costs(load("tiny").replace(c2c={"links": 0}))
