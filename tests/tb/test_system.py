"""Systems of chips on the RTL, each chip on its own clock: what the golden system says, whatever the clocks do."""

import numpy as np
import pytest

from sw.arch.links import HAC_PERIOD, link_latency
from sw.arch.system import System, cables
from sw.asm.program import Program
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from tb.system import CocotbSystem, Wire
from tests.systems import CHIP, programs, receive, released, ring_ends, send, vectors

DELAY = 3
LATENCY = link_latency(CHIP, DELAY)
#: A count is known to the other side this many cycles after it was the sender's.
LEAD = DELAY + 6
#: Register HAC of a chip that follows port 0.
FOLLOW = LEAD | 0 << 8 | 1 << 16
#: The chip that waits is begun some thousand cycles before the one that sends the mark.
DELAYS = [0, 2_000_500_000]


def pair(a: Program, b: Program) -> list[np.ndarray]:
    """Chip 0 lets chip 1 begin, sends it vectors, and sends more after both were put right again."""
    first, second = vectors(5)[:3], vectors(5)[3:]
    root, other = released(a, 0, False), released(b, 0, True)
    a.at(root + 2).port(3).transmit()
    # Chip 1 begins a period of the HAC after chip 0.
    a.at(root + HAC_PERIOD + 5).port(3).transmit()
    b.at(other + 5 + LATENCY).port(0).align()
    send(a, 3, root + HAC_PERIOD + 60, first, number=4)
    receive(b, 0, other + 60 + LATENCY, 3, number=4)
    return [first, second]


@pytest.mark.parametrize("offsets", [(0, 0), (100, -100), (-100, 100), (50, 0)])
def test_a_pair_of_chips_does_what_the_golden_pair_does(offsets, tmp_path):
    a, b = programs(2)
    data, _ = pair(a, b)
    links = cables(ring_ends(2)[:1], LATENCY)
    system = System(CHIP, 2, links)
    images = [a.image(), b.image()]
    assert check_system(system, images) == []
    golden = GoldenSystem(system)
    for chip, image in zip(golden.chips, images, strict=True):
        chip.load(image)
    expected = golden.run()
    assert (golden.chips[1].read("y", 0, 3) == data).all()
    wires = [Wire(link.source, link.target, DELAY) for link in links]
    with CocotbSystem(system, wires, offsets, tmp_path) as rtl:
        for chip, image in zip(rtl.chips, images, strict=True):
            chip.load(image)
        rtl.chips[1].set_register("HAC", FOLLOW)
        for start in ([2_000_000_000, 0], [1_000_370_000, 0]):
            assert rtl.run(delays=start, limit=20_000) == expected
            assert (rtl.chips[1].read("y", 0, 3) == data).all()
            rtl.chips[1].write("y", 0, np.zeros_like(data))
