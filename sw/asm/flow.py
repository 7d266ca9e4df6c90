"""Arithmetic of the timing contract for programs: when what one unit drives stands at another."""

from sw.arch.config import Config
from sw.arch.floorplan import Unit, floorplan
from sw.asm.entry import Entry, ProgramError
from sw.isa.spec import Op
from sw.isa.table import instruction


def arrival(entry: Entry, unit: str) -> int:
    """Cycle in which the first result that `entry` drives stands at the stop of the unit with this name.

    ProgramError if the entry drives no stream, or the unit does not stand downstream.
    """
    op = _driver(entry)
    (code, _), *_ = op.drives(entry.config)
    target = floorplan(entry.config).unit(unit)
    hops = target.stop - entry.queue.unit.stop
    west = code >= entry.config.streams
    distance = -hops if west else hops
    if distance < 1:
        way = "west" if west else "east"
        raise ProgramError(
            f"What {op.instr.name} of queue {entry.queue.name} drives runs {way} and never comes to {unit}."
        )
    return entry.time + op.timing(entry.config).d_func + distance - 1


def chained(entry: Entry) -> int:
    """Cycle in which a chain neighbour issues that takes the result of this word of the vector unit."""
    (op,) = entry.word
    timing = op.timing(entry.config)
    return entry.time + timing.d_chain - timing.chain_skew


def read_time(c: Config, slice_name: str, unit: str, cycle: int) -> int:
    """Cycle in which a READ of this slice issues so that its word stands at the unit's stop in `cycle`."""
    plan = floorplan(c)
    return cycle - lead(c, plan.unit(slice_name), plan.unit(unit))


def lead(c: Config, source: Unit, target: Unit) -> int:
    """Cycles from the issue of a READ in `source` to its word at the stop of `target`."""
    return instruction("READ").timing(c, {}).d_func + floorplan(c).hops(source, target) - 1


def _driver(entry: Entry) -> Op:
    for op in entry.slots.values():
        if op.drives(entry.config):
            return op
    raise ProgramError(f"{entry.names} of queue {entry.queue.name} at cycle {entry.time} drives no stream.")
