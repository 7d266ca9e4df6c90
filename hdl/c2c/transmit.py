"""The transmit half of a port: frames, frames that pass by, marks, and the count of the HAC between them."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.c2c.code import STATE, parity, step
from hdl.lib.pipe import delay
from sw.arch.config import Config
from sw.arch.frame import NUMBERS, VECTOR
from sw.arch.links import MARK, frame_words
from sw.isa.stages import latch


class Transmit(wiring.Component):
    """Puts one word on the wires in every cycle.

    Members
    -------
    send, number : In
        A frame begins: superlane 0's bytes are in `taken_0` `latch` cycles later, superlane r's r cycles behind them.
    pass_on : In(1)
        A frame begins that stands at `passing` from this cycle on.
    mark : In(1)
    taken_r : In
        Corrected bytes of a superlane.
    passing : In
        A word of a receive half.
    hac : In(8)
        What is sent, in every byte, when there is nothing else.
    tx : Out
        `latch + 2` cycles behind all these.
    """

    def __init__(self, c: Config):
        self.config = c
        word = 8 * c.c2c.link_bytes
        super().__init__({
            "send": In(1),
            "number": In(range(NUMBERS)),
            "pass_on": In(1),
            "mark": In(1),
            **{f"taken_{r}": In(8 * c.lanes) for r in range(c.superlanes)},
            "passing": In(word),
            "hac": In(8),
            "tx": Out(word),
        })

    def elaborate(self, platform):
        m = Module()
        c, size = self.config, self.config.c2c.link_bytes
        words, stages = frame_words(c), latch(c) + 1
        payload = c.vl // size
        valid, kind = delay(m, self.send | self.pass_on | self.mark, Cat(self.mark, self.pass_on, self.number), stages, "begin")
        mark, passes, number = kind[0], kind[1], kind[2:]
        # Which word of a frame goes out next; `words` is none.
        at, own, own_number = Signal(range(words + 1), init=words), Signal(), Signal(len(number))
        here, mine, label = Signal.like(at), Signal(), Signal(len(number))
        m.d.comb += [here.eq(at), mine.eq(own), label.eq(own_number)]
        with m.If(valid & ~mark):
            m.d.comb += [here.eq(0), mine.eq(~passes), label.eq(number)]
        busy = here != words
        with m.If(busy):
            m.d.sync += [at.eq(here + 1), own.eq(mine), own_number.eq(label)]

        held = self._held(m)
        given = Signal(8 * size)
        m.d.comb += given.eq(Array(held)[here])
        states = [Signal(STATE, name=f"syndromes_{half}") for half in range(2)]
        begun = [Mux(here == 0, 0, state) for state in states]
        with m.If(busy):
            m.d.sync += [s.eq(step(m, b, _half(given, half))) for half, (s, b) in enumerate(zip(states, begun, strict=True))]
        header = Cat(Const(VECTOR, 4), label)
        tail = [step(m, state, header.word_select(half, 8)) for half, state in enumerate(states)]
        parities = [parity(m, state) for state in tail]
        trailer = Cat(header, *(parities[k % 2].word_select(k // 2, 8) for k in range(6)))

        passing = self.passing
        for k in range(stages):
            later = Signal.like(passing, name=f"passing_{k}", reset_less=True)
            m.d.sync += later.eq(passing)
            passing = later
        out = Signal(8 * size)
        m.d.comb += out.eq(given)
        if size == 8:
            with m.If(here == payload):
                m.d.comb += out.eq(trailer)
        else:
            rest = Signal(32)
            with m.If(here == payload):
                m.d.comb += out.eq(trailer[:32])
                m.d.sync += rest.eq(trailer[32:])
            with m.Elif(here == payload + 1):
                m.d.comb += out.eq(rest)
        with m.If(~busy):
            m.d.sync += self.tx.eq(Mux(valid & mark, Const(MARK, 8), self.hac).replicate(size))
        with m.Elif(mine):
            m.d.sync += self.tx.eq(out)
        with m.Else():
            m.d.sync += self.tx.eq(passing)
        return m

    def _held(self, m: Module) -> list:
        """The payload's words, each from when it is sent until its superlane's next vector."""
        c, width = self.config, 8 * self.config.c2c.link_bytes
        sent, words = self.send, []
        sent, _ = delay(m, sent, Const(0, 0), latch(c), "send")
        for r in range(c.superlanes):
            held = Signal(8 * c.lanes, name=f"held_{r}", reset_less=True)
            with m.If(sent):
                m.d.sync += held.eq(getattr(self, f"taken_{r}"))
            words += [held[k : k + width] for k in range(0, len(held), width)]
            sent, _ = delay(m, sent, Const(0, 0), 1, f"send_{r}")
        return words


def _half(word, half: int):
    """The bytes of one codeword in a word."""
    return Cat(word[k : k + 8] for k in range(8 * half, len(word), 16))
