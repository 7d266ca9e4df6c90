"""Start-up of systems: what Start puts into programs lets all chips go on and all links carry what they should."""

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from sw.arch.config import PRESETS, ConfigError, load
from sw.arch.floorplan import floorplan
from sw.arch.links import HAC_PERIOD, slack
from sw.arch.system import Port, System, cables
from sw.asm.program import Program
from sw.bringup.exchange import Exchange
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.isa.rows.c2c import least_pause
from sw.isa.rows.icu import fetch_beats
from sw.isa.table import TABLE
from sw.network.start import Start
from sw.network.topology import node, ring, torus
from tests.systems import CHIP, WIDE

SYSTEMS = {
    **{f"ring of {count}": ring(CHIP, count) for count in range(2, 9)},
    "node": node(WIDE),
    "torus": torus(CHIP, 3, 3),
    "torus of two rows": torus(CHIP, 2, 4),
}
#: Cycles from DESKEW to the release of the queues, as the manual has them for this chip.
TRIP = 13


def with_latencies(system: System, seed: int) -> System:
    """The same system, every link with a latency of its own, up to more than two periods."""
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    latencies = random.integers(12, 2 * HAC_PERIOD + 100, len(system.links)).tolist()
    links = (replace(link, latency=latency) for link, latency in zip(system.links, latencies, strict=True))
    return System(system.config, system.chips, tuple(links))


def programs(start: Start) -> list[Program]:
    made = [Program(start.system.config) for _ in range(start.system.chips)]
    for chip, program in enumerate(made):
        start.write(chip, program)
    return made


def golden(system: System, made: list[Program], iterations: int = 1) -> GoldenSystem:
    """Runs programs that the checker accepts."""
    images = [program.image() for program in made]
    assert [str(finding) for finding in check_system(system, images)] == []
    running = GoldenSystem(system)
    for chip, image in zip(running.chips, images, strict=True):
        chip.load(image)
    assert all(run.fault is None for run in running.run(iterations))
    return running


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_every_link_carries_a_vector_in_the_cycle_that_system_time_says(system, seed):
    if seed is not None:
        system = with_latencies(system, seed)
    start = Start(system)
    made = programs(start)
    exchange = Exchange(start, made, start.begin, seed=7)
    assert len(exchange.expected) == len(system.links)
    assert exchange.wrong(golden(system, made).chips) == []


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
@pytest.mark.parametrize("latency", [20, 100, HAC_PERIOD - TRIP - 1, HAC_PERIOD - TRIP, HAC_PERIOD, 3 * HAC_PERIOD + 30])
def test_the_last_chip_goes_on_after_the_published_number_of_periods(system, latency):
    """(floor(L / period) + 1) times the height of the tree, where L has in it the way from the port to the queues."""
    system = System(system.config, system.chips, tuple(replace(link, latency=latency) for link in system.links))
    graph = nx.Graph((link.source.chip, link.target.chip) for link in system.links)
    distance = nx.single_source_shortest_path_length(graph, 0)
    each = ((latency + TRIP) // HAC_PERIOD + 1) * HAC_PERIOD
    assert Start(system).releases == [distance[chip] * each for chip in range(system.chips)]


@pytest.mark.parametrize("late", [-1, 0, 1, slack(CHIP) - 1, slack(CHIP), slack(CHIP) + 1])
def test_a_mark_that_would_come_near_to_an_overflow_is_sent_later(late):
    """It leaves later by what is missing, and costs no period more."""
    system = System(CHIP, 3, cables([(Port(0, 3), Port(1, 0)), (Port(1, 3), Port(2, 0))], 2 * HAC_PERIOD - TRIP + late))
    start = Start(system)
    periods = 3 if late >= 0 else 2
    assert start.releases == [0, periods * HAC_PERIOD, 2 * periods * HAC_PERIOD]
    delay = max(0, slack(CHIP) - late) if late >= 0 else 0
    assert [mark - start.releases[link.source.chip] for link, mark in start.marks.items()] == [delay, delay]
    made = programs(start)
    exchange = Exchange(start, made, start.begin, seed=11)
    assert exchange.wrong(golden(system, made).chips) == []


def test_links_that_are_not_used_take_no_part():
    system = ring(CHIP, 4)
    used = [link for link in system.links if link.source.chip == 0]
    start = Start(system, used)
    assert start.begin < Start(System(CHIP, 4, tuple(replace(link, latency=900) for link in system.links))).begin
    made = programs(start)
    exchange = Exchange(start, made, start.begin, seed=5)
    running = golden(system, made)
    assert exchange.wrong(running.chips) == []
    names = [queue.name for queue in made[2].floorplan.queues]
    aligned = [name for name in names if any("ALIGN" in entry.names for entry in made[2].entries[name].values())]
    assert aligned == []


@pytest.mark.parametrize("system", [SYSTEMS["ring of 4"], with_latencies(SYSTEMS["ring of 3"], 9)], ids=["same", "mixed"])
def test_clocks_are_put_right_on_the_way(system):
    """Three stretches, longer together than clocks keep together; what is sent in each comes in its cycle."""
    start = Start(system)
    made, time, exchanges = programs(start), start.begin, []
    for k in range(3):
        far = time + CHIP.c2c.stretch - 2_500
        exchange = Exchange(start, made, far, seed=20 + k, addr=8 * k)
        exchanges.append(exchange)
        if k < 2:
            for chip, program in enumerate(made):
                start.pause(chip, program, exchange.end)
            time = start.resume(exchange.end)
    assert all(b.end - a.end > CHIP.c2c.stretch // 2 for a, b in pairwise(exchanges))
    running = golden(system, made)
    assert [exchange.wrong(running.chips) for exchange in exchanges] == [[], [], []]


@pytest.mark.parametrize("name", PRESETS)
def test_a_pause_is_longer_than_anything_is_on_its_way(name):
    """Which is why the checker looks only at what issues in a pause: from issue to result, and from end to end of the chip."""
    c = load(name)
    results = [instr.timing(c, dict.fromkeys(instr.fields, 0)).d_func or 0 for instr in TABLE]
    assert max(results) + fetch_beats(c) + len(floorplan(c).stops) < least_pause(c)


def test_programs_that_end_together_have_the_same_end_in_system_time():
    system = with_latencies(SYSTEMS["ring of 4"], 4)
    start = Start(system)
    made = programs(start)
    exchange = Exchange(start, made, start.begin, seed=3)
    for chip, program in enumerate(made):
        start.end(chip, program, exchange.end)
    running = golden(system, made, iterations=2)
    assert exchange.wrong(running.chips) == []
    lengths = [run.cycles for run in running.run()]
    assert [length - start.cycle(chip, 0) for chip, length in enumerate(lengths)] == [exchange.end + 1] * 4


def test_one_chip_needs_no_prologue():
    start = Start(System(CHIP, 1))
    (made,) = programs(start)
    assert not any(made.entries.values())
    assert (start.begin, start.cycle(0, 5)) == (1, 5)


def test_a_chip_that_cannot_be_reached_is_told():
    links = cables([(Port(0, 3), Port(1, 0))], 20)
    with pytest.raises(ConfigError, match="^Chip 2 cannot be started, no link leads to it"):
        Start(System(CHIP, 3, links))
