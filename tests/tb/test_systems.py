"""Rings and tori on the RTL: whatever clocks and wires are like, all chips do in every cycle what the golden system says."""

from itertools import cycle, islice

import numpy as np
import pytest

from sw.arch.hostmap import HAC_FOLLOW, HAC_PORT
from sw.arch.links import HAC_PERIOD, link_latency
from sw.arch.system import System
from sw.asm.program import Program
from sw.asm.timeline import timeline
from sw.bringup.exchange import Exchange
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.isa.table import restart_gap
from sw.network.start import Start
from sw.network.topology import ring, torus
from sw.trace import compare
from tb.system import PERIOD_PS, CocotbSystem, Wire
from tests.systems import CHIP

#: A count is known to the other side so many cycles after the wire's delay.
TOLD = 6
#: Cycles in which a HAC surely comes to agree with its parent's.
SETTLED = 8 * HAC_PERIOD // 2 + 200

SYSTEMS = {
    "ring of 2": ring(CHIP, 2),
    "ring of 4": ring(CHIP, 4),
    "ring of 8": ring(CHIP, 8),
    "torus": torus(CHIP, 2, 4),
}
#: Clocks' offsets in ppm, taken in turn by the chips.
OFFSETS = {"none": [0], "half": [50, -50, 0], "most": [100, -100], "mixed": [-100, 0, 100, 50, -50]}


def case(system: str, offsets: str, seed: int, slow: bool):
    return pytest.param(system, offsets, seed, marks=[pytest.mark.slow] * slow, id=f"{system}-{offsets}-{seed}")


CASES = [case("ring of 2", "most", 1, False), case("ring of 4", "mixed", 2, False), case("ring of 8", "mixed", 3, False)]
CASES += [case(s, o, k, True) for s in SYSTEMS for k, o in enumerate(OFFSETS, 10)]


def with_delays(system: System, seed: int) -> tuple[System, list[Wire]]:
    """The system with a delay of its own for each wire, up to more than a period, and these wires."""
    print(f"seed {seed}")
    delays = np.random.default_rng(seed).integers(0, HAC_PERIOD + 60, len(system.links)).tolist()
    wires = [Wire(link.source, link.target, delay) for link, delay in zip(system.links, delays, strict=True)]
    links = (link.__class__(link.source, link.target, link_latency(CHIP, wire.delay)) for link, wire in zip(
        system.links, wires, strict=True))
    return System(CHIP, system.chips, tuple(links)), wires


def follow(start: Start, wires: list[Wire], rtl: CocotbSystem) -> None:
    """Has every chip's HAC go with that of its parent."""
    delays = {wire.source: wire.delay for wire in wires}
    for link in start.tree:
        lead = (delays[link.source] + TOLD) % HAC_PERIOD
        control = lead | link.target.number << HAC_PORT.start | 1 << HAC_FOLLOW
        rtl.chips[link.target.chip].set_register("HAC", control)


@pytest.mark.parametrize(("shape", "offsets", "seed"), CASES)
def test_all_chips_do_in_every_cycle_what_the_golden_system_does(shape, offsets, seed, tmp_path):
    system, wires = with_delays(SYSTEMS[shape], seed)
    start = Start(system)
    programs = [Program(CHIP) for _ in range(system.chips)]
    first = Exchange(start, programs, start.begin, seed=seed)
    second = Exchange(start, programs, start.resume(first.end), seed=seed + 1, addr=8)
    for chip, program in enumerate(programs):
        start.write(chip, program)
        start.pause(chip, program, first.end)
        start.end(chip, program, second.end)
    images = [program.image() for program in programs]
    assert [str(finding) for finding in check_system(system, images)] == []
    golden = GoldenSystem(system)
    for chip, image in zip(golden.chips, images, strict=True):
        chip.load(image)
    expected = golden.run(2, range(2))
    assert first.wrong(golden.chips) + second.wrong(golden.chips) == []
    clocks = list(islice(cycle(OFFSETS[offsets]), system.chips))
    late = SETTLED * len(set(start.releases)) * PERIOD_PS
    with CocotbSystem(system, wires, clocks, tmp_path) as rtl:
        for chip, image in zip(rtl.chips, images, strict=True):
            chip.load(image)
        follow(start, wires, rtl)
        assert rtl.run(2, [late] + [0] * (system.chips - 1), limit=40_000) == expected
        assert first.wrong(rtl.chips) + second.wrong(rtl.chips) == []
        traces = rtl.traces()
    for chip, (one, image) in enumerate(zip(golden.chips, images, strict=True)):
        schedule = timeline(image)
        assert len(one.trace().records)
        difference = compare(one.trace(), traces[chip], schedule.bursts, schedule.cycles + restart_gap(CHIP))
        assert difference is None, f"chip {chip}: {difference}"
