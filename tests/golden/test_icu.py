"""Instruction control on the golden chip: fetched text is checked, SYNC and NOTIFY set the time."""

import numpy as np
import pytest

from sw.golden.error import GoldenError
from sw.isa.codec import encode, make
from tests.golden.bench import TINY, Bench, timing


def fetching() -> Bench:
    """VXM0 fetches a MOV and a HALT, one word a fetch."""
    bench = Bench(TINY)
    p = bench.program
    for read, fetch, addr in ((3, 5, 6), (8, 10, 8)):
        p.at(read).mem("E0").read(addr, "W0")
        p.at(read).mem("E1").read(addr + 1, "W1")
        p.at(fetch).vxm(0).ifetch("W0")
    p.text("VXM0", 5, [(("E0", 6), ("E1", 7)), (("E0", 8), ("E1", 9))])
    bench.give("VXM", 60, "E4", np.arange(TINY.vl, dtype=np.uint8))
    p.at(60).vxm(0).mov("int8", "E4", "E5")
    return bench


def test_fetched_words_are_executed():
    bench = fetching()
    bench.run()
    got = bench.drive("VXM", 60 + timing(TINY, "MOV").d_func, "E5")[0]
    assert list(got) == list(range(TINY.vl))


def test_text_that_is_not_what_the_image_had_is_refused():
    bench = fetching()
    chip = bench.run()
    other = encode((make("MOV", a=5, out=1, dst=5),), "VXM", TINY).to_bytes(16, "little")
    beats = np.frombuffer(other, np.uint8).reshape(TINY.superlanes, 2, TINY.lanes)
    chip.write(bench.slice("MEM_E0"), 6, beats[:, 0].reshape(1, -1).copy())
    with pytest.raises(GoldenError, match="Queue VXM0 issues MOV at cycle 60, which is not the text fetched"):
        chip.run()


def test_a_released_queue_acts_when_the_notify_lands():
    bench = Bench(TINY)
    p = bench.program
    lands = 4 + timing(TINY, "NOTIFY").d_func
    data = np.arange(TINY.vl, dtype=np.uint8)
    p.data("W0", 0, data)
    p.at(2).mem("W0").sync()
    p.at(4).vxm(0).notify()
    p.at(lands).mem("W0").read(0, "E0")
    bench.run()
    assert list(bench.drive("MEM_W0", lands + timing(TINY, "READ").d_func, "E0")[0]) == list(data)
