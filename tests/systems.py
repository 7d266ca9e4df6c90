"""Small chips with links, and programs that send and receive, for tests of systems."""

from collections.abc import Iterable

import numpy as np

from sw.arch.config import load
from sw.arch.links import HAC_PERIOD, frame_words
from sw.arch.system import Port
from sw.asm.entry import Entry
from sw.asm.flow import arrival, read_time
from sw.asm.program import Program

#: Memory, one ALU and two ports on each side: what is built fast.
CHIP = load("tiny").replace(
    name="linked",
    vxm={"rows": 1, "ranks": 1, "float_alus": (0,), "special_alus": ()},
    mxm={"west": 0, "east": 0},
    sxm=dict.fromkeys(("shift", "permute", "distribute", "rotate", "transpose", "reduce"), 0),
    c2c={"links": 2, "link_bytes": 4},
)
#: One with a port for each other chip of a node of 8.
WIDE = CHIP.replace(name="wide", c2c={"links": 4})
FRAME = frame_words(CHIP)
SEED = 20264


def vectors(count: int) -> np.ndarray:
    return np.random.default_rng(SEED).integers(0, 256, (count, CHIP.vl), np.uint8)


def send(p: Program, port: int, cycle: int, data: np.ndarray, number: int = 0, slice_name: str | None = None) -> None:
    """Sends the rows of `data` back to back, from a slice next to the port's unit."""
    west = port < CHIP.c2c.links
    name = slice_name or ("W0" if west else "E0")
    unit = f"C2C_{'W' if west else 'E'}"
    stream = "W3" if west else "E3"
    p.data(name, 0, data)
    first = read_time(CHIP, f"MEM_{name}", unit, cycle)
    for k in range(len(data)):
        p.at(first + k * FRAME).mem(name).read(k, stream)
        p.at(cycle + k * FRAME).port(port).send(stream, number + k)


def receive(
    p: Program, port: int, cycle: int, count: int, number: int = 0, slice_name: str | None = None, output: str = "y"
) -> None:
    """Receives frames into an output in a slice of the port's hemisphere."""
    west = port < CHIP.c2c.links
    name = slice_name or ("W1" if west else "E1")
    p.output(output, name, 8, count)
    for k in range(count):
        stream = "E5" if west else "W5"
        entry = p.at(cycle + k * FRAME).port(port).receive(stream, number + k)
        p.at(arrival(entry, f"MEM_{name}")).mem(name).write(8 + k, stream)


def begun(a: Program, b: Program, latency: int) -> tuple[int, int]:
    """Chip 0 lets chip 1 begin, and aligns the link from its port 3 to port 0; from when on, in their cycles, frames go."""
    root, other = released(a, 0, False), released(b, 0, True)
    a.at(root + 2).port(3).transmit()
    # Chip 1 begins a period of the HAC after chip 0.
    begin = root + HAC_PERIOD
    a.at(begin + 5).port(3).transmit()
    b.at(other + 5 + latency).port(0).align()
    return begin + 60, other + 60 + latency


def stream(a: Program, b: Program, first: int, then: int, count: int, every: int, source: str, target: str) -> None:
    """Chip 0 sends input `source`, words 0 on of that slice, as frames 0 on; to output `target`, words 0 on of chip 1's."""
    a.input(source, source, 0, count)
    b.output(target, target, 0, count)
    read = a.at(read_time(CHIP, f"MEM_{source}", "C2C_E", first)).mem(source).read(0, "E3", stride=1)
    taken = b.at(then).port(0).receive("E5", 0, stride=1)
    write = b.at(arrival(taken, f"MEM_{target}")).mem(target).write(0, "E5", stride=1)
    for entry in (read, a.at(first).port(3).send("E3", 0, stride=1), taken, write):
        entry.repeat(count - 1, every)


def programs(count: int) -> list[Program]:
    return [Program(CHIP) for _ in range(count)]


def released(p: Program, port: int, wait: bool, besides: str = "") -> int:
    """Parks all queues, besides one, until DESKEW lets them go; the cycle in which they do."""
    entry = p.at(0).port(port).deskew(wait)
    _park(p, entry, besides)
    return entry.word[0].timing(CHIP).d_func


def paused(p: Program, port: int, cycle: int, t: int, besides: str = "") -> int:
    """Parks all queues, besides one, and has the HAC let them go t cycles later; the cycle in which they do."""
    _park(p, p.at(cycle).port(port).runtime_deskew(t), besides)
    return cycle + t


def _park(p: Program, entry: Entry, besides: str) -> None:
    for queue in p.floorplan.queues:
        if queue.name != besides:
            p.at(entry.time + (queue is entry.queue)).queue(queue.name).sync()


def ring_ends(count: int) -> Iterable[tuple[Port, Port]]:
    """Cables from every chip's last port to the next chip's first."""
    return [(Port(k, 3), Port((k + 1) % count, 0)) for k in range(count)]
