"""Schedules as programs: the checker proves them, and on the golden system every vector is in its place, in its cycle."""

import re
from dataclasses import replace

import numpy as np
import pytest

from sw.arch.config import load
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.asm.flow import lead
from sw.network import collectives
from sw.network.adder import Addition
from sw.network.costs import costs
from sw.network.graph import Network
from sw.network.programs import Room, Traffic
from sw.network.prove import prove
from sw.network.schedule import Receive, Sum
from sw.network.topology import dragonfly, node, ring, torus
from sw.network.words import RoomError
from sw.trace import DRIVE, WRITE
from tests.network.running import expected, given_vectors, run, together
from tests.network.traffic import random_traffic
from tests.systems import CHIP

#: The published chip with less memory.
FULL = load("full").replace(name="shallow", mem={"words": 256})
COSTS = costs(FULL)
NETWORKS = {
    "ring of 2": Network(ring(FULL, 2)),
    "ring": Network(ring(FULL, 5, cable=3)),
    "node": Network(node(FULL)),
    "torus": Network(torus(FULL, 3, 4)),
    "dragonfly": Network(dragonfly(FULL, 2)),
}
FP32 = Addition(DType.FP32)


def in_their_cycles(schedule, golden, traffic, origins, addition):
    """Every vector that is received stands on a stream when the schedule says; every sum lies where it is in time."""
    system = schedule.network.system
    plan, links = floorplan(system.config), system.config.c2c.links
    wanted = expected(schedule, given_vectors(schedule, system.config.vl, addition), addition)
    traces = []
    for chip in golden.chips:
        records = chip.trace().records
        places = zip(*(records[name].tolist() for name in ("kind", "cycle", "place", "item", "superlane")), strict=True)
        traces.append(dict(zip(places, records["data"], strict=True)))
    for event in schedule.events:
        if isinstance(event, Receive):
            chip, port = system.links[event.link].target.chip, system.links[event.link].target.number
            west = port >= links
            stop = plan.unit("C2C_E").stop - 1 if west else plan.unit("C2C_W").stop + 1
            cycle = origins[chip] + event.cycle + schedule.costs.receive
            item = system.config.streams * west + port % links
            lanes = [traces[chip][DRIVE, cycle, stop, item, r] for r in range(system.config.superlanes)]
            assert (np.concatenate(lanes) == wanted[chip, event.name]).all(), event
        elif isinstance(event, Sum):
            for name in event.names:
                where, addr = traffic.kept[event.chip, name]
                written = [key[1] for key in traces[event.chip] if key[0] == WRITE and key[2:] == (where, addr, 0)]
                leads = [lead(system.config, plan.slices[where], plan.unit(unit)) for unit in ("C2C_W", "C2C_E")]
                # Read in the next cycle it stands at the farther unit when it may be sent.
                assert [cycle + 1 + max(leads) - origins[event.chip] for cycle in written] == [event.cycle]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("kind", "args", "addition"),
    [
        ("point_to_point", (0, 1, 9), None),
        ("broadcast", (1, 5), None),
        ("scatter", (0, 3), None),
        ("gather", (1, 3), None),
        ("all_gather", (2,), None),
        ("reduce_scatter", (9,), Addition(DType.INT8)),
        ("reduce_scatter", (8, 4), FP32),
        ("all_reduce", (9,), Addition(DType.INT8, saturating=True)),
        ("all_reduce", (8, 4), FP32),
    ],
)
def test_collectives_become_programs(name, kind, args, addition):
    outcome = getattr(collectives, kind)(NETWORKS[name], COSTS, *args)
    found = run(outcome.schedule, outcome.goals, addition)
    in_their_cycles(outcome.schedule, *found, addition or Addition())


@pytest.mark.parametrize("dtype", [DType.INT16, DType.INT32])
@pytest.mark.parametrize("saturating", [False, True])
def test_integers_of_several_bytes(dtype, saturating):
    outcome = collectives.all_reduce(NETWORKS["ring"], COSTS, 8, dtype.streams)
    run(outcome.schedule, outcome.goals, Addition(dtype, saturating))


@pytest.mark.parametrize("spreading", [False, True])
def test_point_to_point_in_a_node(spreading):
    outcome = collectives.point_to_point(NETWORKS["node"], COSTS, 1, 6, 26, spreading)
    found = run(outcome.schedule, outcome.goals)
    in_their_cycles(outcome.schedule, *found, Addition())


def test_levels_of_groups():
    outcome = collectives.exchange(NETWORKS["dragonfly"], COSTS, 4, (8, 16), 4)
    found = run(outcome.schedule, outcome.goals, FP32)
    in_their_cycles(outcome.schedule, *found, FP32)


SMALL = {"ring": Network(ring(CHIP, 4)), "torus": Network(torus(CHIP, 2, 3)), "node": Network(node(CHIP, 4))}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", SMALL)
def test_random_traffic_on_small_chips(name, seed):
    outcome = random_traffic(SMALL[name], costs(CHIP), seed, 8)
    run(outcome.schedule, outcome.goals)


def test_numbers_of_frames_begin_again():
    """Each of two ports counts what it sends, up to 4,095; both ends of a link name the same number."""
    config = CHIP.replace(mem={"words": 16384})
    network = Network(ring(config, 2))
    outcome = collectives.point_to_point(network, costs(config), 0, 1, 8200, spreading=False)
    programs, origins = together(network.system)
    Traffic(outcome.schedule, programs, origins)
    for chip, queues, kind in (
        (0, ("C2C_W_SEND0", "C2C_W_SEND1"), "SEND"),
        (1, ("C2C_W_RECEIVE0", "C2C_W_RECEIVE1"), "RECEIVE"),
    ):
        for queue in queues:
            entries = sorted(programs[chip].entries[queue].items())
            numbers = [entry.word[0]["number"] for _, entry in entries if entry.names == kind]
            assert numbers == [k % 4096 for k in range(4100)]


def refused(schedule, sentence, addition=None, room=None):
    programs, origins = together(schedule.network.system)
    with pytest.raises(RoomError, match=re.escape(sentence)):
        Traffic(schedule, programs, origins, addition, room)


def test_a_chip_with_one_alu_adds_two():
    outcome = collectives.all_reduce(Network(ring(CHIP, 3)), costs(CHIP), 3)
    refused(
        outcome.schedule,
        "Chip 0: a sum of 3 numbers of int8 needs 2 ALUs in a row that reach streams for them, the chip has 1 ALUs and leaves "
        "12 groups of streams for sums.",
    )


def test_bytes_and_type_have_to_agree():
    outcome = collectives.all_reduce(NETWORKS["ring"], COSTS, 4)
    refused(outcome.schedule, "a sum of numbers of 1 bytes is scheduled for cycle", FP32)


def test_memory_is_not_endless():
    outcome = collectives.scatter(NETWORKS["ring"], COSTS, 0, 40)
    refused(outcome.schedule, "Chip 0: no slice has a free port and a free word for a vector", room=Room(slices=("W0",)))


def test_streams_are_not_endless():
    config = CHIP.replace(streams=8, c2c={"links": 4, "link_bytes": 4})
    outcome = collectives.point_to_point(Network(ring(config, 2)), costs(config), 0, 1, 1)
    refused(outcome.schedule, "its ports need streams to 9, it has 8 in each direction", room=Room(first=2))


def test_a_schedule_keeps_to_its_room():
    """Slices, streams and addresses of others stay as they are."""
    outcome = collectives.all_reduce(NETWORKS["node"], COSTS, 4)
    room = Room(slices=tuple(f"{side}{k}" for side in "WE" for k in range(8)), first=12)
    _, traffic, _ = run(outcome.schedule, outcome.goals, room=room)
    names = {unit.name for unit in floorplan(FULL).slices if unit.number < 8}
    used = {floorplan(FULL).slices[where].name for words in traffic.given.values() for where, _ in words}
    used |= {floorplan(FULL).slices[where].name for where, _ in traffic.kept.values()}
    assert used <= names


def test_sums_that_are_too_close_are_found():
    outcome = collectives.all_reduce(NETWORKS["ring of 2"], COSTS, 2)
    schedule = outcome.schedule
    assert prove(schedule, outcome.goals) == []
    schedule.costs = replace(schedule.costs, apart=1000)
    assert any("has sums in cycles" in one for one in prove(schedule, outcome.goals))
