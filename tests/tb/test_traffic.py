"""Random traffic over several chips on the RTL, each on its own clock: what the golden system says, cycle by cycle."""

import numpy as np
import pytest

from sw.arch.system import System
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.network.adder import Addition
from sw.network.costs import costs
from sw.network.graph import Network
from sw.network.programs import Traffic
from sw.network.start import Start
from sw.network.topology import node
from tb.system import CocotbSystem, Wire
from tests.network.computing import Both, triangle
from tests.network.running import expected, given_vectors, kept, store, together
from tests.network.traffic import random_traffic
from tests.systems import CHIP

DELAY = 3
#: A count is known to the other side this many cycles after it was the sender's.
LEAD = DELAY + 6


def wires(system: System) -> list[Wire]:
    return [Wire(link.source, link.target, DELAY) for link in system.links]


def follow(rtl: CocotbSystem, system: System) -> None:
    """Has every chip keep to the HAC of the chip that lets it begin."""
    for link in Start(system).tree:
        rtl.chips[link.target.chip].set_register("HAC", LEAD | link.target.number << 8 | 1 << 16)


def lockstep(rtl: CocotbSystem, system: System, seed: int, steps: int) -> None:
    """Runs a random schedule on both. Chips are begun at any time, but the one that lets all others go on last."""
    outcome = random_traffic(Network(system), costs(system.config), seed, steps)
    programs, origins = together(system)
    traffic = Traffic(outcome.schedule, programs, origins)
    images = [program.image() for program in programs]
    assert check_system(system, images) == []
    values = given_vectors(outcome.schedule, system.config.vl, Addition())
    wanted = expected(outcome.schedule, values, Addition())
    golden = GoldenSystem(system)
    for machine in (golden, rtl):
        for chip, image in zip(machine.chips, images, strict=True):
            chip.load(image)
        store(machine.chips, traffic, values)
    follow(rtl, system)
    first, *others = np.random.default_rng(seed).integers(0, 1_000_000_000, system.chips).tolist()
    assert rtl.run(delays=[1_000_000_000 + first, *others], limit=60_000) == golden.run()
    for machine in (golden, rtl):
        for place, vector in kept(machine.chips, traffic, outcome.goals).items():
            assert (vector == wanted[place]).all(), place


@pytest.mark.parametrize("offsets", [(0, 0, 0, 0), (50, -50, 0, 50), (100, -100, 100, -100)])
def test_random_traffic_between_four_chips(offsets, tmp_path):
    system = node(CHIP, 4, DELAY)
    with CocotbSystem(system, wires(system), offsets, tmp_path) as rtl:
        for seed in range(3):
            lockstep(rtl, system, 100 * (offsets[0] + 1) + seed, 8)


#: A plane and two ports on each side, the rest as small as it gets.
PLANE = CHIP.replace(name="linked_plane", mxm={"east": 1, "types": ("int8",)})


def test_frames_go_through_a_chip_that_computes_at_full_rate(tmp_path):
    """A plane is given a row in every cycle; frames are passed on, and received and sent again. Each as if it were alone."""
    system = triangle(PLANE, DELAY)
    with CocotbSystem(system, wires(system), (100, -100, 100), tmp_path) as rtl:
        for what in ({}, {"sending": False}, {"computing": False}):
            both = Both(system, "E", 64, 6, **what)
            assert check_system(system, [program.image() for program in both.programs]) == []
            golden = GoldenSystem(system)
            for machine in (golden, rtl):
                both.load(machine.chips)
            follow(rtl, system)
            assert rtl.run(delays=[1_000_000_000, 0, 0], limit=60_000) == golden.run()
            assert both.right(golden.chips) and both.right(rtl.chips)
            cycles = sorted(cycle for cycles in both.passing().values() for cycle in cycles)
            assert both.window.start <= cycles[0] and cycles[-1] < both.window.stop


@pytest.mark.slow
@pytest.mark.parametrize("offsets", [(100, -100) * 4, (0, 50, -50, 100, -100, 0, 100, -100)])
def test_random_traffic_between_eight_chips(offsets, tmp_path):
    system = node(CHIP.replace(name="wide", c2c={"links": 4}), 8, DELAY)
    with CocotbSystem(system, wires(system), offsets, tmp_path) as rtl:
        for seed in range(4):
            lockstep(rtl, system, 7000 + 10 * offsets[1] + seed, 14)
