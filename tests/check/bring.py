"""What the cases of all rules share: the chip, and values that stand on a stream in a cycle."""

from sw.arch.config import load

TINY = load("tiny")


def bring(p, source, unit, stream, cycle, addr=0, copies=0, initialise=True):
    """A READ whose value stands on `stream` at the stop of `unit` in `cycle`; every slice holds words 0 to
    3."""
    hops = p.floorplan.hops(p.floorplan.unit(f"MEM_{source}"), p.floorplan.unit(unit))
    if initialise and not any(s.slice == p.slice(source) and s.addr == 0 for s in p.segments):
        p.data(source, 0, [[1], [2], [3], [4]])
    entry = p.at(cycle - hops - 1).mem(source).read(addr, stream)
    if copies:
        entry.repeat(copies)
