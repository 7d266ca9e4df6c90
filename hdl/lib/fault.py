"""How a unit reports that the machine has to stop."""

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from sw.arch.hostmap import Fault


class FaultReport(wiring.Signature):
    """A fault in this cycle: `valid`, its `code`, the numbers of its `unit` and `queue`."""

    def __init__(self, unit_bits: int, queue_bits: int):
        super().__init__({
            "valid": Out(1),
            "code": Out(Fault),
            "unit": Out(unit_bits),
            "queue": Out(queue_bits),
        })
