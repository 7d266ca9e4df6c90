"""Scheduled traffic over several chips on the RTL, each on its own clock: what the golden system says, cycle by cycle."""

import pytest

from sw.arch.dtype import DType
from sw.network.adder import Addition
from sw.network.costs import costs
from sw.network.graph import Network
from sw.network.programs import Traffic
from sw.network.topology import node, torus
from tb.system import CocotbSystem
from tests.network.computing import Both, triangle
from tests.network.running import expected, given_vectors, kept, store, together
from tests.network.traffic import random_traffic
from tests.systems import CHIP
from tests.tb.alongside import alongside, with_delays

#: The longest wire, in cycles.
LONGEST = 60
#: A plane and two ports on each side, the rest as small as it gets.
PLANE = CHIP.replace(name="linked_plane", mxm={"east": 1, "types": ("int8",)})


def random_runs(system, offsets, seeds, steps, folder):
    """Runs a random schedule for each seed, the last one with sums of FP32."""
    system, wires = with_delays(system, LONGEST, seeds.start)
    with CocotbSystem(system, wires, offsets, folder) as rtl:
        for seed in seeds:
            addition = Addition(DType.FP32 if seed == seeds[-1] else DType.INT8)
            width = addition.dtype.streams
            outcome = random_traffic(Network(system), costs(system.config), seed, steps // width, width)
            programs, origins = together(system)
            traffic = Traffic(outcome.schedule, programs, origins, addition)
            values = given_vectors(outcome.schedule, system.config.vl, addition)
            wanted = expected(outcome.schedule, values, addition)
            images = [program.image() for program in programs]
            for chips in alongside(rtl, wires, images, lambda chips, t=traffic, v=values: store(chips, t, v)):
                for place, vector in kept(chips, traffic, outcome.goals).items():
                    assert (vector == wanted[place]).all(), place


@pytest.mark.parametrize(
    ("offsets", "seed"), [((0, 0, 0, 0), 100), ((50, -50, 0, 50), 200), ((100, -100, 100, -100), 300)], ids=str
)
def test_random_traffic_between_four_chips(offsets, seed, tmp_path):
    random_runs(node(CHIP, 4), offsets, range(seed, seed + 3), 12, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("offsets", "seed"), [((100, -100) * 4, 400), ((0, 50, -50, 100, -100, 0, 100, -100), 500)], ids=str)
def test_random_traffic_between_eight_chips(offsets, seed, tmp_path):
    random_runs(torus(CHIP, 2, 4), offsets, range(seed, seed + 5), 16, tmp_path)


def test_frames_go_through_a_chip_that_computes_at_full_rate(tmp_path):
    """A plane is given a row in every cycle; frames are passed on, and received and sent again. Each as if it were alone."""
    system, wires = with_delays(triangle(PLANE, 0), 3, 1)
    with CocotbSystem(system, wires, (100, -100, 100), tmp_path) as rtl:
        for what in ({}, {"sending": False}, {"computing": False}):
            both = Both(system, "E", 64, 6, **what)
            for chips in alongside(rtl, wires, [program.image() for program in both.programs], both.fill):
                assert both.right(chips)
            cycles = sorted(cycle for cycles in both.passing().values() for cycle in cycles)
            assert both.window.start <= cycles[0] and cycles[-1] < both.window.stop
