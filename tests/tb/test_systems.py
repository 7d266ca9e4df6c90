"""Rings and tori on the RTL: whatever clocks and wires are like, all chips do in every cycle what the golden system says."""

from itertools import cycle, islice

import pytest

from sw.arch.links import HAC_PERIOD
from sw.asm.program import Program
from sw.bringup.exchange import Exchange
from sw.bringup.programs import calling
from sw.network.start import Start
from sw.network.topology import node, ring, torus
from tb.system import CocotbSystem
from tests.systems import CHIP, WIDE
from tests.tb.alongside import alongside, with_delays

#: Delay of a wire at most: more than a period.
LONGEST = HAC_PERIOD + 60

SYSTEMS = {
    "ring of 2": ring(CHIP, 2),
    "ring of 4": ring(CHIP, 4),
    "ring of 8": ring(CHIP, 8),
    "torus": torus(CHIP, 2, 4),
    "node of 8": node(WIDE),
}
#: Clocks' offsets in ppm, taken in turn by the chips.
OFFSETS = {"none": [0], "half": [50, -50, 0], "most": [100, -100], "mixed": [-100, 0, 100, 50, -50]}


#: Nearly as far as programs may go from one alignment to the next, with the ways of what is sent then.
FAR = CHIP.c2c.stretch - 2_000


def case(system: str, offsets: str, seed: int, far: int = 0):
    slow = [pytest.mark.slow] * (far > 0 or seed >= 10)
    return pytest.param(system, offsets, seed, far, marks=slow, id=f"{system}-{offsets}-{seed}-{far}")


CASES = [case("ring of 2", "most", 1), case("ring of 4", "mixed", 2), case("ring of 8", "mixed", 3)]
CASES += [case(s, o, k, far) for s in SYSTEMS for k, o in enumerate(OFFSETS, 10) for far in (0, FAR)]


@pytest.mark.parametrize(("shape", "offsets", "seed", "far"), CASES)
def test_all_chips_do_in_every_cycle_what_the_golden_system_does(shape, offsets, seed, far, tmp_path):
    print(f"seed {seed}")
    system, wires = with_delays(SYSTEMS[shape], LONGEST, seed)
    start = Start(system)
    programs = [Program(system.config) for _ in range(system.chips)]
    first = Exchange(start, programs, start.begin, seed=seed)
    second = Exchange(start, programs, start.resume(first.end) + far, seed=seed + 1, addr=8)
    for chip, program in enumerate(programs):
        start.write(chip, program)
        start.pause(chip, program, first.end)
        start.end(chip, program, second.end)
    clocks = list(islice(cycle(OFFSETS[offsets]), system.chips))
    with CocotbSystem(system, wires, clocks, tmp_path) as rtl:
        for chips in alongside(rtl, wires, [program.image() for program in programs], iterations=2):
            assert first.wrong(chips) + second.wrong(chips) == []


def test_marks_of_a_run_before_let_no_chip_go_on(tmp_path):
    system, wires = with_delays(SYSTEMS["ring of 2"], 20, seed=4)
    start = Start(system)
    programs = [Program(CHIP) for _ in range(system.chips)]
    exchange = Exchange(start, programs, start.begin, seed=6)
    for chip, program in enumerate(programs):
        start.write(chip, program)
    with CocotbSystem(system, wires, [0, 0], tmp_path) as rtl:
        for chip, image in zip(rtl.chips, calling(system), strict=True):
            chip.load(image)
        rtl.run()
        for chips in alongside(rtl, wires, [program.image() for program in programs]):
            assert exchange.wrong(chips) == []
