"""What every column of tiles offers to the chip, whatever it computes.

A column stands at one stop, spans all superlanes and is fed by one or more queues. Its ports:

- `issue_q` : In(Issue), `corrected_q` : Out(8), `fault_q` : Out(Fault) for its queue number q;
- `streams_r` : In(Streams) for superlane r;
- `drive_k_r` : Out(Drive) for result port k in superlane r, of the kinds in `drives`.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.issue import Issue
from hdl.lib.stream import Drive, Streams
from sw.arch.config import Config
from sw.arch.hostmap import Fault


class Column(wiring.Component):
    """Base of all columns: makes the common ports.

    Parameters
    ----------
    c : Config
    classes : queue class of each queue that feeds the column
    drives : kinds of its result ports
    sim : simulation build, with assertions and traces
    members : further ports
    """

    def __init__(
        self,
        c: Config,
        classes: tuple[str, ...],
        drives: tuple[Drive, ...],
        sim: bool,
        members: dict | None = None,
    ):
        self.config, self.classes, self.drives, self.sim = c, classes, drives, sim
        ports = dict(members or {})
        for q, cls in enumerate(classes):
            ports |= {f"issue_{q}": In(Issue(c, cls)), f"corrected_{q}": Out(8), f"fault_{q}": Out(Fault)}
        for r in range(c.superlanes):
            ports[f"streams_{r}"] = In(Streams(c, sim))
            for k, drive in enumerate(drives):
                ports[f"drive_{k}_{r}"] = Out(drive)
        super().__init__(ports)

    def report(self, m: Module, queue: int, corrected: list, faults: list) -> None:
        """Reports a queue's errors: bits of corrected words, and fault codes with the southmost first."""
        for code in reversed(faults):
            with m.If(code != Fault.NONE):
                m.d.comb += getattr(self, f"fault_{queue}").eq(code)
        total = Signal(8, name=f"corrected_sum_{queue}")
        m.d.comb += [total.eq(_count(corrected)), getattr(self, f"corrected_{queue}").eq(total)]


def _count(bits: list):
    """Number of ones, by a balanced tree."""
    if not bits:
        return 0
    while len(bits) > 1:
        bits = [bits[k] + bits[k + 1] if k + 1 < len(bits) else bits[k] for k in range(0, len(bits), 2)]
    return bits[0]
