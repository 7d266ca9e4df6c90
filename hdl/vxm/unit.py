"""The vector unit: rows x ranks ALUs in every lane, joined by the chain."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.column import Column
from hdl.lib.issue import northward
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive
from hdl.lib.tap import Tap
from hdl.vxm.alu import OPERAND_WORDS, SIZES, Alu
from sw.arch.config import Config
from sw.arch.hostmap import Fault
from sw.isa.codec import layout
from sw.isa.rows.vxm import reachable_groups


class Tile(wiring.Component):
    """All ALUs of one superlane, in chain order.

    Members
    -------
    drive_k : Out(Drive), tap_2k, tap_2k+1 : Out(Tap)
        Result and stream operands of ALU k.
    valid_k, word_k : In, corrected_k : Out(OPERAND_WORDS), fault_k : Out(Fault)
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        members = {}
        for k in range(c.alus):
            reached = Tap(c, max(SIZES), sim, reachable_groups(c, k))
            members |= {
                f"tap_{2 * k}": Out(reached),
                f"tap_{2 * k + 1}": Out(reached),
                f"valid_{k}": In(1),
                f"word_{k}": In(layout("VXM", c).bits),
                f"corrected_{k}": Out(OPERAND_WORDS),
                f"fault_{k}": Out(Fault),
                f"drive_{k}": Out(Drive(c, SIZES)),
            }
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        alus = []
        for k in range(self.config.alus):
            made = Alu(self.config, k, self.sim)
            bound = {"drive": f"drive_{k}", "tap_a": f"tap_{2 * k}", "tap_b": f"tap_{2 * k + 1}"}
            alu = stamp(made, f"vxm_alu_{made.kind}", **{port: getattr(self, name) for port, name in bound.items()})
            m.submodules[f"alu_{k}"] = alu
            m.d.comb += [alu.valid.eq(getattr(self, f"valid_{k}")), alu.word.eq(getattr(self, f"word_{k}"))]
            m.d.comb += [
                getattr(self, f"corrected_{k}").eq(alu.corrected),
                getattr(self, f"fault_{k}").eq(alu.fault),
            ]
            alus.append(alu)
        for low, high in zip(alus, alus[1:], strict=False):
            m.d.comb += [high.prev.eq(low.result), low.next.eq(high.result)]
        return m


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
