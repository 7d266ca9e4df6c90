"""Systems on the RTL alongside the golden system: the same runs, and the same in every cycle of every chip."""

from collections.abc import Callable, Sequence

import numpy as np

from sw.arch.hostmap import HAC_FOLLOW, HAC_PORT
from sw.arch.links import HAC_PERIOD, TOLD, link_latency
from sw.arch.system import Link, System
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.isa.table import restart_gap
from sw.network.start import Start
from sw.trace import compare
from tb.system import PERIOD_PS, CocotbSystem, Wire

#: Cycles in which a HAC surely comes to agree with its parent's.
SETTLED = 8 * HAC_PERIOD // 2 + 200


def with_delays(system: System, longest: int, seed: int) -> tuple[System, list[Wire]]:
    """The system with a delay of its own for each wire, and these wires."""
    delays = np.random.default_rng(seed).integers(0, longest + 1, len(system.links)).tolist()
    wires = [Wire(link.source, link.target, delay) for link, delay in zip(system.links, delays, strict=True)]
    links = [Link(wire.source, wire.target, link_latency(system.config, wire.delay)) for wire in wires]
    return System(system.config, system.chips, tuple(links)), wires


def alongside(
    rtl: CocotbSystem,
    wires: Sequence[Wire],
    images: Sequence[Image],
    fill: Callable[[Sequence], None] = lambda chips: None,
    iterations: int = 1,
) -> tuple[Sequence, Sequence]:
    """Runs images that the checker accepts on both, and compares all that any chip drives and writes. `fill` writes inputs
    to chips. Gives the golden chips and those of the RTL.

    Chips are begun one after the other, with time to follow the HAC of the chip that lets them go on, which is begun later.
    """
    system, start = rtl.system, Start(rtl.system)
    assert [str(finding) for finding in check_system(system, images)] == []
    golden = GoldenSystem(system)
    for machine in (golden, rtl):
        for chip, image in zip(machine.chips, images, strict=True):
            chip.load(image)
        fill(machine.chips)
    lengths = {wire.source: wire.delay for wire in wires}
    for link in start.tree:
        lead = (lengths[link.source] + TOLD) % HAC_PERIOD
        rtl.chips[link.target.chip].set_register("HAC", lead | link.target.number << HAC_PORT.start | 1 << HAC_FOLLOW)
    late = SETTLED * len(set(start.releases)) * PERIOD_PS
    delays = [late] + [0] * (system.chips - 1)
    assert rtl.run(iterations, delays, limit=100_000) == golden.run(iterations, range(iterations))
    for number, (one, other, image) in enumerate(zip(golden.chips, rtl.traces(), images, strict=True)):
        schedule = timeline(image)
        difference = compare(one.trace(), other, schedule.bursts, schedule.cycles + restart_gap(system.config))
        assert difference is None, f"chip {number}: {difference}"
    return golden.chips, rtl.chips
