"""Frames that go through a chip which computes at full rate: both are as they would be alone, in every cycle."""

import numpy as np

from sw.arch.config import load
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.network.schedule import Forward, Receive, Send
from sw.trace import Trace
from tests.network.computing import BUSY, Both, triangle

#: The chip that runs real models, with links.
LINKED = load("small").replace(name="small_linked", c2c={"links": 2})


def alone(system, **what):
    """The traces of all chips, after everything has been found in its place."""
    both = Both(system, "WE", 600, 40, **what)
    images = [program.image() for program in both.programs]
    assert check_system(system, images) == []
    golden = GoldenSystem(system)
    for chip, image in zip(golden.chips, images, strict=True):
        chip.load(image)
    both.fill(golden.chips)
    assert not any(end.fault for end in golden.run(traced=range(1)))
    assert both.right(golden.chips)
    return both, [chip.trace() for chip in golden.chips]


def test_a_product_at_full_rate_and_frames_by_two_ways_do_not_disturb_each_other():
    system = triangle(LINKED, 9)
    both, together = alone(system)
    _, computing = alone(system, sending=False)
    _, sending = alone(system, computing=False)
    # While frames go through, both planes are given a row in every cycle.
    passing = both.passing()
    assert {kind: len(cycles) for kind, cycles in passing.items()} == {Forward: 20, Receive: 20, Send: 20}
    cycles = sorted(cycle for cycles in passing.values() for cycle in cycles)
    assert both.window.start <= cycles[0] and cycles[-1] < both.window.stop
    for one, *parts in zip(together, computing, sending, strict=True):
        assert (one.records == Trace.of(one.config, [part.records for part in parts]).records).all()
    assert np.unique(computing[BUSY].records["cycle"]).size > 600
