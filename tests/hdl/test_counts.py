"""Counters of corrected errors have room for the worst cycle, and stay at their greatest value."""

from itertools import product

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hdl.lib.fault import MOST_WORDS, chip_corrected_bits, corrected_bits
from hdl.lib.tally import tally
from sw.arch.config import PRESETS, load
from sw.arch.floorplan import floorplan
from sw.isa.codec import EncodeError, check, make
from sw.isa.table import TABLE


def words_taken(c):
    """The most words that each queue class takes off the streams in one cycle, in one superlane."""
    found = {}
    for row in TABLE:
        for dtype, n in product(range(6), range(5)):
            values = {name: value for name, value in (("dtype", dtype), ("n", n)) if name in row.fields}
            op = make(row.name, **values)
            try:
                check(op, c, row.cls if row.cls != "ICU" else "MEM")
            except EncodeError:
                continue
            count = sum(size for _, size in op.reads(c))
            # one word of MEM carries an instruction of each slot
            found[row.cls, row.slot] = max(found.get((row.cls, row.slot), 0), count)
    return {cls: sum(count for (c, _), count in found.items() if c == cls) for cls, _ in found}


@pytest.mark.parametrize("name", PRESETS)
def test_one_cycle_never_brings_more_than_a_count_holds(name):
    c = load(name)
    taken = words_taken(c)
    assert taken["MXM_W"] == min(16, c.vl) and taken["SXM_TRANSPOSE"] == c.lanes
    # ACC checks a column of its accumulators for every lane
    assert max(*taken.values(), c.lanes) <= MOST_WORDS
    assert MOST_WORDS * c.superlanes < 1 << corrected_bits(c)
    fetched = taken["ICU"] * len(floorplan(c).stops) * c.superlanes
    most = sum(max(taken.get(queue.cls, 0), c.lanes) for queue in floorplan(c).queues) * c.superlanes
    assert most + fetched < 1 << chip_corrected_bits(c)


@pytest.mark.parametrize("more", [1, 7, 300])
def test_a_count_stays_at_its_greatest_value(more):
    m, count, added = Module(), Signal(8), Signal(10)
    m.d.sync += count.eq(tally(count, added))
    expected = 0

    async def bench(ctx):
        nonlocal expected
        ctx.set(added, more)
        for _ in range(260):
            await ctx.tick()
            expected = min(255, expected + more)
            assert ctx.get(count) == expected

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert expected == 255
