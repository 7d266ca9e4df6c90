"""The hardware aligned counter: follows that of another chip, and lets queues go on when chips agree that it is time."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from sw.arch.config import Config
from sw.arch.hostmap import HAC_FOLLOW, HAC_LEAD, HAC_PORT
from sw.arch.links import HAC_PERIOD
from sw.isa.rows.icu import notify_cycles

#: Cycles between two steps by which the counter is put right.
_STEP = 8


class Hac(wiring.Component):
    """The counter of a chip with `ports` ports.

    Members
    -------
    reset : In(1)
        Nobody waits any more.
    control : In(32)
        Register HAC.
    told_k, valid_k : In
        A count that has just come to a port.
    deskew, heard : In(1)
        DESKEW is issued in this cycle, or waits still; what it waits for has come (stays high).
    pause, t : In
        RUNTIME_DESKEW is issued in this cycle.
    count : Out(8)
    release : Out(1)
        Queues go on as after a NOTIFY that is issued in this cycle.
    correction : Out, signed
        What program time gains in this cycle beside the cycle itself.
    """

    def __init__(self, c: Config):
        self.config, self.ports = c, 2 * c.c2c.links
        super().__init__({
            "reset": In(1),
            "control": In(32),
            **{f"told_{k}": In(8) for k in range(self.ports)},
            **{f"valid_{k}": In(1) for k in range(self.ports)},
            "deskew": In(1),
            "heard": In(1),
            "pause": In(1),
            "t": In(12),
            "count": Out(8),
            "release": Out(1),
            "correction": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        following = self._follow(m)
        m.d.sync += self.count.eq(following)
        trip = notify_cycles(self.config)

        # What the counter would be if it had gone with the chip's clock since queues went on together.
        own = Signal(8)
        m.d.sync += own.eq(_next(own))
        with m.If(self.release):
            m.d.sync += own.eq(following)

        waiting, waited = Signal(), Signal(32)
        with m.If(self.deskew | waiting):
            m.d.sync += [waiting.eq(1), waited.eq(waited + 1)]
            with m.If(self.heard & _reached(self.count, following, HAC_PERIOD - trip)):
                m.d.comb += [self.release.eq(1), self.correction.eq(-waited)]
                m.d.sync += [waiting.eq(0), waited.eq(0)]

        pausing, least, rest, target = Signal(), Signal(13), Signal(12), Signal(8)
        nominal = Signal(signed(14))
        with m.If(self.pause):
            m.d.sync += [
                pausing.eq(1),
                nominal.eq(self.t - trip - 1),
                least.eq(self.t - trip - HAC_PERIOD // 2),
                rest.eq(self.t - trip),
                target.eq(own),
            ]
        with m.Elif(pausing):
            m.d.sync += nominal.eq(nominal - 1)
            with m.If(least != 0):
                m.d.sync += least.eq(least - 1)
            with m.If(rest >= HAC_PERIOD):
                m.d.sync += rest.eq(rest - HAC_PERIOD)
            with m.Elif(rest != 0):
                m.d.sync += [rest.eq(0), target.eq(_sum(target, rest[:8]))]
            with m.If((least == 0) & (rest == 0) & _reached(self.count, following, target)):
                m.d.comb += [self.release.eq(1), self.correction.eq(nominal)]
                m.d.sync += pausing.eq(0)
        with m.If(self.reset):
            m.d.sync += [waiting.eq(0), waited.eq(0), pausing.eq(0)]
        return m

    def _follow(self, m: Module):
        """The counter in the next cycle: one more, or now and then none or two, so that it goes with its parent's."""
        port = self.control[HAC_PORT.start : HAC_PORT.stop]
        told = Array(getattr(self, f"told_{k}") for k in range(self.ports))[port]
        valid = Array(getattr(self, f"valid_{k}") for k in range(self.ports))[port]
        behind, known, rest = Signal(8), Signal(), Signal(range(_STEP))
        parent = _sum(told, self.control[HAC_LEAD.start : HAC_LEAD.stop])
        m.d.sync += [behind.eq(_sum(parent, HAC_PERIOD - self.count)), known.eq(valid & self.control[HAC_FOLLOW])]
        one = _next(self.count)
        following = Signal(8)
        m.d.comb += following.eq(one)
        with m.If(rest != 0):
            m.d.sync += rest.eq(rest - 1)
        with m.Elif(known & (behind > 1) & (behind < HAC_PERIOD - 1)):
            m.d.sync += rest.eq(_STEP - 1)
            m.d.comb += following.eq(Mux(behind < HAC_PERIOD // 2, _next(one), self.count))
        return following


def _next(count):
    return Mux(count == HAC_PERIOD - 1, 0, count + 1)


def _sum(a, b):
    """a + b in the counter's numbers, for counts, of which the second may be a whole period."""
    total = a + b
    return Mux(total >= HAC_PERIOD, total - HAC_PERIOD, total)[:8]


def _reached(count, following, value):
    """Whether the counter stands at a value, or is about to leave it out."""
    return (count == value) | ((following != count) & (following != _next(count)) & (_next(count) == value))


def told(word) -> tuple:
    """The count in a word of a link, and whether more than half of its bytes say it."""
    first = word[:8]
    same = Cat(word.word_select(k, 8) == first for k in range(len(word) // 8))
    votes = sum(same[k] for k in range(len(same)))
    return first, (votes > len(same) // 2) & (first < HAC_PERIOD)
