"""How a unit reports that the machine has to stop."""

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
