"""How a unit reports that the machine has to stop, and which report is the first."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.arch.hostmap import Fault
from sw.isa.fields import width_of

#: Words that one tile checks in one cycle for one queue, at the most: streams of LW and TRANSPOSE, columns of ACC.
MOST_WORDS = 16


def corrected_bits(c: Config) -> int:
    """Width of the number of words corrected for one queue in one cycle: all words in every superlane."""
    return width_of(MOST_WORDS * c.superlanes + 1)


def chip_corrected_bits(c: Config) -> int:
    """Width of the number of words corrected on the whole chip in one cycle: for all queues, and at all fetch ports."""
    plan = floorplan(c)
    return width_of((MOST_WORDS * len(plan.queues) + 2 * len(plan.stops)) * c.superlanes + 1)


class FaultReport(wiring.Signature):
    """A fault in this cycle: `valid`, its `code`, the numbers of its `unit` and `queue`."""

    def __init__(self, unit_bits: int, queue_bits: int):
        super().__init__({
            "valid": Out(1),
            "code": Out(Fault),
            "unit": Out(unit_bits),
            "queue": Out(queue_bits),
        })


@dataclass(frozen=True)
class FaultSource:
    """A queue, its unit, and what its parts report in every cycle: codes, NONE where nothing is wrong."""

    queue: int
    unit: int
    codes: tuple[Value, ...]


def report_first(m: Module, report, sources: list[FaultSource]) -> None:
    """Drives a FaultReport with what was wrong in the cycle before: the first source that reports, its last code."""
    found = []
    for source in sources:
        code = Signal(Fault, name=f"code_{source.queue}")
        code_q = Signal(Fault, name=f"code_{source.queue}_q")
        for one in source.codes:
            with m.If(one != Fault.NONE):
                m.d.comb += code.eq(one)
        m.d.sync += code_q.eq(code)
        found.append(code_q)
    m.d.comb += report.valid.eq(Cat(code != Fault.NONE for code in found).any())
    for source, code in reversed(list(zip(sources, found, strict=True))):
        with m.If(code != Fault.NONE):
            m.d.comb += [report.code.eq(code), report.queue.eq(source.queue), report.unit.eq(source.unit)]
