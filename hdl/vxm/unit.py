"""The vector unit: rows x ranks ALUs in every lane, joined by the chain."""

from amaranth.hdl import Array, Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.column import Column
from hdl.lib.issue import northward
from hdl.lib.operands import Operands
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, Streams
from hdl.lib.word import fields
from hdl.vxm.alu import SIZES, Alu
from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.hostmap import Fault
from sw.isa.codec import layout
from sw.isa.rows.vxm import STREAM, VXM, reachable_groups


class Tile(wiring.Component):
    """All ALUs of one superlane, in chain order.

    Members
    -------
    streams : In(Streams), drive_k : Out(Drive) of ALU k
    valid_k, word_k : In, corrected_k : Out(8), fault_k : Out(Fault)
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        members = {"streams": In(Streams(c, sim))}
        for k in range(c.alus):
            members |= {
                f"valid_{k}": In(1),
                f"word_{k}": In(layout("VXM", c).bits),
                f"corrected_{k}": Out(8),
                f"fault_{k}": Out(Fault),
                f"drive_{k}": Out(Drive(c, SIZES)),
            }
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        alus = []
        for k in range(self.config.alus):
            made = Alu(self.config, k, self.sim)
            m.submodules[f"alu_{k}"] = alu = stamp(made, f"vxm_alu_{made.kind}", drive=getattr(self, f"drive_{k}"))
            m.d.comb += [alu.valid.eq(getattr(self, f"valid_{k}")), alu.word.eq(getattr(self, f"word_{k}"))]
            operands = [self._operand(m, k, letter, alu) for letter in "ab"]
            corrected = Cat(operand.corrected for operand in operands)
            m.d.comb += getattr(self, f"corrected_{k}").eq(corrected)
            with m.If(Cat(operand.uncorrectable for operand in operands).any()):
                m.d.comb += getattr(self, f"fault_{k}").eq(Fault.ECC)
            with m.If(alu.clash):
                m.d.comb += getattr(self, f"fault_{k}").eq(Fault.RESULT_CONFLICT)
            alus.append(alu)
        for low, high in zip(alus, alus[1:], strict=False):
            m.d.comb += [high.prev.eq(low.result), low.next.eq(high.result)]
        return m

    def _operand(self, m: Module, k: int, letter: str, alu):
        """Takes operand `letter` of ALU k from the streams, if the word has it there, and hands it to the ALU."""
        word = fields(getattr(self, f"word_{k}"), "VXM", "alu", self.config)
        made = Operands(self.config, SIZES, 0, self.sim, reachable_groups(self.config, k))
        m.submodules[f"{letter}_{k}"] = operand = stamp(made, made.module, streams=self.streams)
        has = Const(1) if letter == "a" else ~word["op"].matches(*(i.code for i in VXM if "b" not in i.fields))
        streamed = (word["op"] != 0) & (word[f"{letter}_from"] == STREAM) & has
        m.d.comb += [
            operand.take.eq(getattr(self, f"valid_{k}") & streamed),
            operand.code.eq(word[letter]),
            operand.size.eq(Array([SIZES.index(t.streams) for t in DType])[word["dtype"]]),
            getattr(alu, letter).eq(operand.words),
        ]
        return operand


class Vxm(Column):
    """The vector unit's spine: a queue for each ALU."""

    def __init__(self, c: Config, sim: bool = False):
        self.sim = sim
        super().__init__(c, ("VXM",) * c.alus, Tile(c, sim))

    def elaborate(self, platform):
        m = Module()
        for k in range(self.config.alus):
            for tile, (valid, word) in zip(
                self.tiles, northward(m, self.config, getattr(self, f"issue_{k}"), f"alu_{k}_"), strict=True
            ):
                m.d.comb += [getattr(tile, f"valid_{k}").eq(valid), getattr(tile, f"word_{k}").eq(word)]
            bits = [bit for tile in self.tiles for bit in getattr(tile, f"corrected_{k}")]
            self.report(m, k, bits, [getattr(tile, f"fault_{k}") for tile in self.tiles])
        return m
