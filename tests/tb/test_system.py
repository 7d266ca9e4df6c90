"""Systems of chips on the RTL, each chip on its own clock: what the golden system says, whatever the clocks do."""

import numpy as np
import pytest

from sw.arch.links import HAC_PERIOD, link_latency
from sw.arch.system import System, cables
from sw.asm.program import Program
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from tb.system import CocotbSystem, Wire
from tests.systems import CHIP, paused, programs, receive, released, ring_ends, send, vectors

DELAY = 3
LATENCY = link_latency(CHIP, DELAY)
#: A count is known to the other side this many cycles after it was the sender's.
LEAD = DELAY + 6
#: Register HAC of a chip that follows port 0.
FOLLOW = LEAD | 0 << 8 | 1 << 16


#: Cycles before chips are put right, and after: longer together than clocks keep together.
FAR = CHIP.c2c.stretch * 3 // 4


def pair(a: Program, b: Program, first: np.ndarray, second: np.ndarray) -> None:
    """Chip 0 lets chip 1 begin and sends it vectors; much later both are put right, and much later it sends more."""
    root, other = released(a, 0, False), released(b, 0, True)
    a.at(root + 2).port(3).transmit()
    # Chip 1 begins a period of the HAC after chip 0.
    begin = root + HAC_PERIOD
    a.at(begin + 5).port(3).transmit()
    b.at(other + 5 + LATENCY).port(0).align()
    send(a, 3, begin + 60, first, number=4)
    receive(b, 0, other + 60 + LATENCY, len(first), number=4)
    begin, other = (paused(p, 0, at + FAR, 900) for p, at in ((a, begin), (b, other)))
    a.at(begin + 5).port(3).transmit()
    b.at(other + 5 + LATENCY).port(0).align()
    send(a, 3, begin + FAR, second, number=9, slice_name="E2")
    receive(b, 0, other + FAR + LATENCY, len(second), number=9, slice_name="W2", output="z")


@pytest.mark.parametrize("offsets", [(0, 0), (100, -100), (-100, 100), (50, 0)])
def test_a_pair_of_chips_does_what_the_golden_pair_does(offsets, tmp_path):
    data = {"y": vectors(5)[:3], "z": vectors(5)[3:]}
    a, b = programs(2)
    pair(a, b, *data.values())
    links = cables(ring_ends(2)[:1], LATENCY)
    system = System(CHIP, 2, links)
    images = [a.image(), b.image()]
    assert check_system(system, images) == []
    golden = GoldenSystem(system)
    for chip, image in zip(golden.chips, images, strict=True):
        chip.load(image)
    expected = golden.run()
    for name, sent in data.items():
        assert (golden.chips[1].read(name, 0, len(sent)) == sent).all()
    wires = [Wire(link.source, link.target, DELAY) for link in links]
    with CocotbSystem(system, wires, offsets, tmp_path) as rtl:
        for chip, image in zip(rtl.chips, images, strict=True):
            chip.load(image)
        rtl.chips[1].set_register("HAC", FOLLOW)
        # The chip that sends the mark is begun last.
        for late in (2_000_000_000, 1_000_370_000):
            assert rtl.run(delays=[late, 0], limit=60_000) == expected
            for name, sent in data.items():
                assert (rtl.chips[1].read(name, 0, len(sent)) == sent).all()
                rtl.chips[1].write(name, 0, np.zeros_like(sent))
