"""One column of ACC: the check of its accumulator, the sum, and the bits that go back."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.correct import Correct
from hdl.lib.ecc import encode
from hdl.lib.fp32_add import Fp32Add
from hdl.lib.pipe import delay
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.isa.rows.mxm import acc_stages
from sw.isa.table import instruction


class AccLane(wiring.Component):
    """32 bits of a pass and of the accumulator row that it meets.

    Members
    -------
    valid, value : In
        A word is here, with its pass.
    reads, takes_row, adds_int, adds_float : In
        The word reads its row; its result is the row, or the int32 or fp32 sum of row and pass (else the pass).
    row, row_check : In
        The row that the word read, one cycle later.
    result, check : Out
        The result, in the word's last cycle, and its check bits.
    corrected, lost : Out
        What the check of the row found; they stand until the next check.
    """

    def __init__(self, c: Config):
        self.stages, self.ecc, self.floats = acc_stages(c), c.ecc.accumulators, "fp16" in c.mxm.types
        extra = {"row_check": In(secded(32).check_bits), "check": Out(secded(32).check_bits)} if self.ecc else {}
        super().__init__({
            "valid": In(1),
            "value": In(32),
            "reads": In(1),
            "takes_row": In(1),
            "adds_int": In(1),
            "adds_float": In(1),
            "row": In(32),
            "result": Out(32),
            "corrected": Out(1),
            "lost": Out(1),
            **extra,
        })

    def elaborate(self, platform):
        m = Module()
        read = 1 + self.ecc
        row = self.row
        if self.ecc:
            m.submodules.correct = correct = Correct(32)
            checked, _ = delay(m, self.valid & self.reads, self.reads, 1, "checked")
            m.d.comb += [
                correct.valid.eq(checked),
                correct.data.eq(self.row),
                correct.check.eq(self.row_check),
                self.corrected.eq(correct.corrected),
                self.lost.eq(correct.lost),
            ]
            row = correct.word
        valid, value = delay(m, self.valid, self.value, read, "met")
        flags = {}
        for name in ("takes_row", "adds_int", "adds_float"):
            _, flags[name] = delay(m, self.valid, getattr(self, name), read, name)
        exact = Mux(flags["takes_row"], row, Mux(flags["adds_int"], (row + value)[:32], value))
        done, result = delay(m, valid, exact, self.stages, "exact")
        if self.floats:
            m.submodules.add = adder = Fp32Add()
            m.d.comb += [
                adder.valid.eq(valid & flags["adds_float"]),
                adder.op.eq(instruction("ADD").code),
                adder.a.eq(row),
                adder.b.eq(value),
            ]
            result = Mux(adder.result_valid, adder.result, result)
        final = Signal(32)
        with m.If(done):
            m.d.comb += final.eq(result)
        m.d.comb += self.result.eq(final)
        if self.ecc:
            m.d.comb += self.check.eq(encode(secded(32), final))
        return m
