"""The scheduled network: tensors between chips of the published size, in a node, over 264 chips and over 10,440."""

import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np

from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.arch.dtype import DType
from sw.arch.system import System
from sw.asm.program import Program
from sw.network import bounds
from sw.network.cayley import cayley
from sw.network.collectives import Outcome, all_gather, all_reduce, exchange, point_to_point
from sw.network.costs import Costs, costs
from sw.network.graph import Network
from sw.network.programs import Traffic, lead_in
from sw.network.prove import prove
from sw.network.schedule import Forward, Receive, Send
from sw.network.topology import NODE, RACK, dragonfly, node, racks, torus

FULL = load("full")
COSTS = costs(FULL)
#: Clock of the published chip.
MHZ = 900
#: Bytes of the tensors that go from a chip to another.
SIZES = tuple(320 * 2**k for k in range(5)) + (8192, 16384, 32768, 65536)
RACKS = (9, 18, 36, 72, 145)
TORI = (4, 6, 8, 12, 16)
DRAGONFLIES = (4, 8, 16, 33)
PLOT = Path("build/network.svg")


def vectors(size: int) -> int:
    """Vectors that hold so many bytes."""
    return -(-size // FULL.vl)


def proven(outcome: Outcome) -> Outcome:
    """RuntimeError if the schedule is wrong."""
    if found := prove(outcome.schedule, outcome.goals):
        raise RuntimeError(f"The schedule has {len(found)} faults, one of them: {found[0]}")
    return outcome


def transfers() -> Found:
    """Bytes of the tensor over what one link carries in the time, minimal, at 8 KiB; and spread over two hops."""
    network, found = Network(node(FULL)), {}
    for size in SIZES:
        for name, spreading in (("minimal", False), ("spread", True)):
            outcome = proven(point_to_point(network, COSTS, 0, 5, vectors(size), spreading))
            found[name, size] = size / (FULL.c2c.link_bytes * outcome.cycles)
    from_8k = [found["spread", size] / found["minimal", size] for size in SIZES if size >= 8192]
    rows = {f"{name}, {size:,} bytes": share for (name, size), share in found.items()}
    return Found(found["minimal", 8192], {"least gain from 8 KiB on": min(from_8k)} | rows)


def reduction(size: int) -> Found:
    """All-reduce of a tensor over a node of 8: of bytes, which are added vector by vector; and of wider numbers, which are
    added where all vectors of their bytes are."""
    network, found = Network(node(FULL)), {}
    for dtype in (DType.INT8, DType.INT16, DType.FP32):
        width = dtype.streams
        count = width * vectors(size // width)
        cycles = proven(all_reduce(network, COSTS, count, width)).cycles
        found[dtype.text] = (cycles, bounds.all_reduce(network, COSTS, count))
    cycles, bound = found["int8"]
    rows = {f"{name}, of its bound": cycles / bound for name, (cycles, bound) in found.items()}
    return Found(cycles, {"lower bound": bound} | {f"{name}, cycles": cycles for name, (cycles, _) in found.items()} | rows)


def hops(outcome: Outcome) -> int:
    """Most links that anything has come over on its way into a goal."""
    network, wire = outcome.schedule.network, {}
    depth = dict.fromkeys(outcome.schedule.given, 0)
    for event in sorted(outcome.schedule.events, key=lambda event: (event.cycle, isinstance(event, (Send, Forward)))):
        if isinstance(event, (Send, Forward)):
            if isinstance(event, Send):
                before = depth[network.sources[event.link], event.name]
            else:
                before = wire[event.came, event.cycle]
            wire[event.link, event.cycle + network.latencies[event.link]] = before + 1
        elif isinstance(event, Receive):
            depth[network.targets[event.link], event.name] = wire[event.link, event.cycle]
        else:
            most = max(depth[event.chip, part] for same in event.parts for part in same)
            depth |= {(event.chip, name): most for name in event.names}
    return max(depth[goal] for goal in outcome.goals)


def system(made: System, reduce: Callable[[Network, Costs, int], Outcome], alike: int) -> Found:
    """Cycles of an all-reduce of one vector over all chips; how far chips are apart, and for how long it was scheduled.

    Cabling looks the same from every group of `alike` chips, so distances from the first of them are all there are.
    """
    begin = time.process_time()
    network = Network(made)
    outcome = reduce(network, COSTS, 1)
    spent = time.process_time() - begin
    proven(outcome)
    apart = [network.distances(root) for root in range(alike)]
    farthest = max((links, root, chip) for root, found in enumerate(apart) for chip, links in found.items())
    counts = np.bincount([links for found in apart for links in found.values()])
    single = proven(point_to_point(network, COSTS, *farthest[1:], 1, spreading=False)).cycles
    return Found(
        outcome.cycles,
        {
            "us": outcome.cycles / MHZ,
            "lower bound": bounds.all_reduce(network, COSTS, 1),
            "hops of the all-reduce": hops(outcome),
            "hops between chips": farthest[0],
            "pairs within 5 hops": float(counts[:6].sum() / counts.sum()),
            "one vector between the farthest chips, cycles": single,
            "one vector between the farthest chips, us": single / MHZ,
            "to schedule, s": spent,
            "events": len(outcome.schedule.events),
        },
    )


@cache
def seconds(shape: str, size: int) -> tuple[int, float]:
    """Chips, and processor time to schedule a collective over them, the network's tables included; of dragonflies that to make
    programs of a schedule."""
    shapes = {"racks": racks, "dragonfly": dragonfly, "torus": lambda config, edge: torus(config, edge, edge)}
    made = shapes[shape](FULL, size)
    begin = time.process_time()
    network = Network(made)
    if shape == "racks":
        exchange(network, COSTS, 1, (NODE, NODE * RACK, made.chips))
    elif shape == "torus":
        all_gather(network, COSTS, 1)
    else:
        schedule = exchange(network, COSTS, 1, (NODE, made.chips)).schedule
        programs = [Program(FULL) for _ in range(made.chips)]
        begin = time.process_time()
        Traffic(schedule, programs, [lead_in(FULL)] * made.chips)
    return made.chips, time.process_time() - begin


def growth() -> Found:
    """Power of the number of chips with which the time to schedule, or to make programs, grows: the largest of three fits."""
    series = {
        "all-reduce over racks": [seconds("racks", size) for size in RACKS],
        "all-gather over a torus": [seconds("torus", size) for size in TORI],
        "programs of an all-reduce over nodes": [seconds("dragonfly", size) for size in DRAGONFLIES],
    }
    powers = {name: float(np.polyfit(*np.log(points).T, 1)[0]) for name, points in series.items()}
    rows = {f"{name}, {chips:,} chips, s": spent for name, points in series.items() for chips, spent in points}
    drawn = {"plot": str(PLOT) if plot(series) else "needs matplotlib (the extra `plot`)"}
    return Found(max(powers.values()), powers | rows | drawn)


def plot(series: dict[str, list[tuple[int, float]]]) -> bool:
    """Draws time by chips; False if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure as Drawing
    except ImportError:
        return False
    drawing = Drawing(figsize=(6, 4))
    axes = drawing.subplots()
    for name, points in series.items():
        axes.loglog(*zip(*points, strict=True), "o-", label=name)
    axes.set(xlabel="chips", ylabel="processor time, s")
    axes.legend()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(PLOT)
    return True


FIGURES = (
    Figure("net.p2p", "of a link", transfers, (Bound(">=", 0.9), Bound(">=", 1.5, "least gain from 8 KiB on"))),
    Figure("net.allreduce.8k", "cycles", partial(reduction, 8192), (Bound("<=", "lower bound", share=1.3),)),
    Figure("net.allreduce.64k", "cycles", partial(reduction, 65536), (Bound("<=", "lower bound", share=1.3),)),
    Figure(
        "net.264",
        "cycles",
        lambda: system(dragonfly(FULL), partial(exchange, sizes=(NODE, 264)), NODE),
        (Bound("<=", 3, "hops between chips"), Bound("<=", 3, "hops of the all-reduce")),
    ),
    Figure(
        "net.10440",
        "cycles",
        lambda: system(cayley(FULL), all_reduce, 1),
        (Bound("<=", 5, "hops between chips"), Bound("<", 3, "us")),
    ),
    Figure(
        "net.10440.nodes",
        "cycles",
        lambda: system(racks(FULL), partial(exchange, sizes=(NODE, NODE * RACK, 10440)), NODE * RACK),
        (Bound("<", 3, "us"),),
        long=True,
    ),
    Figure("net.schedule", "power of chips", growth, (Bound("<=", 3),)),
)
