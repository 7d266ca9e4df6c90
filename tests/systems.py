"""Small chips with links, and programs that send and receive, for tests of systems."""

from collections.abc import Iterable

import numpy as np

from sw.arch.config import load
from sw.arch.links import frame_words
from sw.arch.system import Port
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


def programs(count: int) -> list[Program]:
    return [Program(CHIP) for _ in range(count)]


def released(p: Program, port: int, wait: bool) -> int:
    """Parks all queues until DESKEW lets them go; the cycle in which they do."""
    entry = p.at(0).port(port).deskew(wait)
    landing = entry.word[0].timing(CHIP).d_func
    for queue in p.floorplan.queues:
        p.at(1 if queue is entry.queue else 0).queue(queue.name).sync()
    return landing


def paused(p: Program, port: int, cycle: int, t: int) -> int:
    """Parks all queues and has the HAC let them go t cycles later; the cycle in which they do."""
    entry = p.at(cycle).port(port).runtime_deskew(t)
    for queue in p.floorplan.queues:
        p.at(cycle + (queue is entry.queue)).queue(queue.name).sync()
    return cycle + t


def ring_ends(count: int) -> Iterable[tuple[Port, Port]]:
    """Cables from every chip's last port to the next chip's first."""
    return [(Port(k, 3), Port((k + 1) % count, 0)) for k in range(count)]
