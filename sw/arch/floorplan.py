"""Where every unit stands, and which queue feeds it: two lists made from a configuration."""

from dataclasses import dataclass
from functools import cache

from sw.arch.config import Config

SXM_ENGINES = ("shift", "permute", "distribute", "rotate", "transpose", "reduce")


@dataclass(frozen=True)
class Unit:
    """One column of tiles. `kind` is MEM, VXM, MXM, SXM or C2C; `name` is unique (`MEM_E3`, `MXM_W0`)."""

    name: str
    kind: str
    stop: int
    #: 0 west, 1 east, None for the centre.
    hemisphere: int | None
    #: Slice or plane number in the hemisphere, counted from the centre for MEM.
    number: int


@dataclass(frozen=True)
class Queue:
    """One instruction queue. `cls` names the word format in the instruction table."""

    index: int
    name: str
    cls: str
    unit: Unit
    #: ALU or engine or link number within the unit.
    number: int


@dataclass(frozen=True)
class Floorplan:
    """Stops from west to east, the units on them, and the queues in host order."""

    stops: tuple[tuple[Unit, ...], ...]
    units: tuple[Unit, ...]
    queues: tuple[Queue, ...]

    def unit(self, name: str) -> Unit:
        """The unit with this name; KeyError in a sentence."""
        return _find(self.units, name, "unit")

    def queue(self, name: str) -> Queue:
        """The queue with this name; KeyError in a sentence."""
        return _find(self.queues, name, "queue")

    def hops(self, a: Unit, b: Unit) -> int:
        """Stops between two units."""
        return abs(a.stop - b.stop)

    @property
    def slices(self) -> tuple[Unit, ...]:
        """MEM slices in host order: westmost hemisphere first, counted from the centre."""
        return tuple(unit for unit in self.units if unit.kind == "MEM")


def _find(items, name, kind):
    for item in items:
        if item.name == name:
            return item
    raise KeyError(f"This configuration has no {kind} '{name}'.")


@cache
def floorplan(c: Config) -> Floorplan:
    """The floorplan of a configuration."""
    units: list[Unit] = []
    stops: list[tuple[Unit, ...]] = []

    def stop(*members: tuple[str, str, int | None, int]) -> None:
        made = tuple(Unit(name, kind, len(stops), side, number) for name, kind, side, number in members)
        if made:
            stops.append(made)
            units.extend(made)

    def edge(side: int, letter: str):
        planes = (c.mxm.west, c.mxm.east)[side]
        sxm = any(getattr(c.sxm, engine) for engine in SXM_ENGINES)
        return (
            [(f"MXM_{letter}{p}", "MXM", side, p) for p in range(planes)],
            [(f"C2C_{letter}", "C2C", side, 0)] if c.c2c.links else [],
            [(f"SXM_{letter}", "SXM", side, 0)] if sxm else [],
        )

    def memory(side: int, letter: str):
        step = c.mem.slices_per_stop
        return [
            [(f"MEM_{letter}{n}", "MEM", side, n) for n in range(first, first + step)]
            for first in range(0, c.mem.slices, step)
        ]

    for members in (*edge(0, "W"), *reversed(memory(0, "W"))):
        stop(*members)
    stop(("VXM", "VXM", None, 0))
    for members in (*memory(1, "E"), *reversed(edge(1, "E"))):
        stop(*members)

    order = {"MEM": 0, "VXM": 1, "MXM": 2, "SXM": 3, "C2C": 4}
    units.sort(key=lambda u: (order[u.kind], u.hemisphere or 0, u.number))
    queues = []
    for unit in units:
        for name, cls, number in _queues_of(unit, c):
            queues.append((name, cls, unit, number))
    return Floorplan(
        stops=tuple(stops),
        units=tuple(units),
        queues=tuple(Queue(i, *q) for i, q in enumerate(queues)),
    )


def _queues_of(unit: Unit, c: Config):
    if unit.kind == "MEM":
        yield unit.name, "MEM", 0
    elif unit.kind == "VXM":
        for alu in range(c.alus):
            yield f"VXM{alu}", "VXM", alu
    elif unit.kind == "MXM":
        yield f"{unit.name}_W", "MXM_W", 0
        yield f"{unit.name}_A", "MXM_A", 0
        yield f"{unit.name}_R", "MXM_R", 0
    elif unit.kind == "SXM":
        for engine in SXM_ENGINES:
            for number in range(getattr(c.sxm, engine)):
                yield f"{unit.name}_{engine.upper()}{number}", f"SXM_{engine.upper()}", number
    else:
        for link in range(c.c2c.links):
            yield f"{unit.name}_SEND{link}", "C2C_SEND", link
            yield f"{unit.name}_RECEIVE{link}", "C2C_RECEIVE", link
