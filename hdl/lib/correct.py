"""SECDED correction of stream words, one word or several beside each other."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.ecc import decode
from hdl.lib.stamp import stamp
from sw.arch.ecc import secded


class Correct(wiring.Component):
    """Corrects one word of `bits` data bits; all outputs are registers that `valid` loads.

    Members
    -------
    valid, data, check : In
    word, corrected, lost : Out
        One cycle later: the word, whether a bit of it was wrong, and whether it cannot be corrected.
    """

    def __init__(self, bits: int):
        self.bits = bits
        super().__init__({
            "valid": In(1),
            "data": In(bits),
            "check": In(secded(bits).check_bits),
            "word": Out(bits),
            "corrected": Out(1),
            "lost": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        with m.If(self.valid):
            values = decode(m, secded(self.bits), self.data, self.check)
        for port, value in zip((self.word, self.corrected, self.lost), values, strict=True):
            register = Signal(len(port), name=f"{port.name}_q", reset_less=True)
            with m.If(self.valid):
                m.d.sync += register.eq(value)
            m.d.comb += port.eq(register)
        return m


class CorrectGroup(wiring.Component):
    """`count` words that are corrected at once; the ports are those of `Correct`, word 0 in the low bits."""

    def __init__(self, bits: int, count: int):
        self.bits, self.count = bits, count
        super().__init__({
            "valid": In(1),
            "data": In(bits * count),
            "check": In(secded(bits).check_bits * count),
            "word": Out(bits * count),
            "corrected": Out(count),
            "lost": Out(count),
        })

    def elaborate(self, platform):
        m = Module()
        for k in range(self.count):
            m.submodules[f"correct_{k}"] = one = stamp(Correct(self.bits), f"correct_{self.bits}")
            m.d.comb += one.valid.eq(self.valid)
            for name in ("data", "check"):
                port = getattr(one, name)
                m.d.comb += port.eq(getattr(self, name).word_select(k, len(port)))
            for name in ("word", "corrected", "lost"):
                port = getattr(one, name)
                m.d.comb += getattr(self, name)[k * len(port) : (k + 1) * len(port)].eq(port)
        return m
