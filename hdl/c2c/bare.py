"""A transmit half and a receive half back to back, for benches: every frame comes as it was sent, but for what spoils it."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.c2c.receive import Receive
from hdl.c2c.transmit import Transmit
from hdl.lib.pipe import delay
from sw.arch.config import Config
from sw.arch.frame import NUMBERS
from sw.arch.hostmap import Fault
from sw.isa.stages import latch


class BareLink(wiring.Component):
    """Takes a vector every `frame_words` cycles, and gives what comes of it.

    Members
    -------
    send, number, vector : In
        A frame begins.
    noise : In
        What is wrong with its first word in the cycle of `send`, with the next one in the cycle behind it, and so on.
    valid, result, mended, fault : Out
        What came of the frames, in order: the vector, a bit for each codeword that was corrected, what was found.
    """

    def __init__(self, c: Config):
        self.config = c
        super().__init__({
            "send": In(1),
            "number": In(range(NUMBERS)),
            "vector": In(8 * c.vl),
            "noise": In(8 * c.c2c.link_bytes),
            "valid": Out(1),
            "result": Out(8 * c.vl),
            "mended": Out(2),
            "fault": Out(Fault),
        })

    def elaborate(self, platform):
        m = Module()
        c, width = self.config, 8 * self.config.lanes
        m.submodules.transmit = transmit = Transmit(c)
        m.submodules.receive = receive = Receive(c, 1)
        m.d.comb += [transmit.send.eq(self.send), transmit.number.eq(self.number)]
        sent, vector = delay(m, self.send, self.vector, latch(c), "vector")
        for r in range(c.superlanes):
            m.d.comb += getattr(transmit, f"taken_{r}").eq(vector[width * r : width * (r + 1)])
            sent, vector = delay(m, sent, vector, 1, f"north_{r}")
        to_wire = latch(c) + 2
        begins, number = delay(m, self.send, self.number, to_wire, "begins")
        m.d.comb += [
            receive.word.eq(transmit.tx ^ _later(m, self.noise, to_wire, "noise")),
            receive.receive.eq(begins),
            receive.number.eq(number),
        ]
        # What was found comes a cycle ahead of superlane 0, and superlanes one behind the other.
        found = _later(m, Cat(receive.mended, receive.fault), c.superlanes, "found")
        last = c.superlanes - 1
        results = [_later(m, getattr(receive, f"result_{r}"), last - r, f"result_{r}") for r in range(c.superlanes)]
        m.d.comb += [
            Cat(self.mended, self.fault).eq(found),
            self.valid.eq(getattr(receive, f"valid_{last}")),
            self.result.eq(Cat(results)),
        ]
        return m


def _later(m: Module, value: Value, cycles: int, name: str) -> Value:
    """A value as it was some cycles ago."""
    for k in range(cycles):
        later = Signal(len(value), name=f"{name}_{k}", reset_less=True)
        m.d.sync += later.eq(value)
        value = later
    return value
