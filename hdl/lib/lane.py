"""One lane of an ALU: every operation of the instruction table on 32-bit elements."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.aluop import ALU_OP
from hdl.lib.convert import Convert
from hdl.lib.fp32_add import Fp32Add
from hdl.lib.integer import extend
from hdl.lib.multiply import Multiply
from hdl.lib.simple import Simple
from hdl.lib.special import Special
from sw.arch.dtype import DType
from sw.isa.rows.vxm import SPECIAL


class Lane(wiring.Component):
    """Starts one operation in any cycle; its result stands as long after as its class takes.

    At most one result may be due in a cycle. An operation of a class that is not built never answers.

    Parameters
    ----------
    floats: whether fp32 add, subtract, multiply, integer multiply and conversions are built
    specials: whether exp2, log2, rsqrt, recip and tanh are built

    Members
    -------
    valid: In(1), an operation starts
    op, dtype, to, modular: In, as in the instruction word: code, DType, DType of CONVERT's result, wrap
    a, b: In(32), operands in the low bits; what stands above the type's width does not count
    mask: In(1), bit 0 of SELECT's mask
    result: Out(32), canonical lane
    result_valid: Out(1), a result stands
    """

    def __init__(self, floats: bool = True, specials: bool = True):
        self.floats, self.specials = floats, specials
        super().__init__({
            "valid": In(1), "op": In(6), "dtype": In(3), "to": In(3), "modular": In(1),
            "a": In(32), "b": In(32), "mask": In(1), "result": Out(32), "result_valid": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        operands = {name: Signal(32, name=f"{name}_lane") for name in ("a", "b")}
        with m.If(self.valid):
            m.d.comb += [lane.eq(extend(getattr(self, name), self.dtype)) for name, lane in operands.items()]
        sums = (self.op == ALU_OP["ADD"]) | (self.op == ALU_OP["SUB"])
        starts = {
            "add": (Fp32Add, sums & (self.dtype == DType.FP32)),
            "multiply": (Multiply, self.op == ALU_OP["MUL"]),
            "convert": (Convert, self.op == ALU_OP["CONVERT"]),
            "special": (Special, self.op.matches(*(ALU_OP[name] for name in SPECIAL))),
        }
        built = ["add", "multiply", "convert"] if self.floats else []
        built += ["special"] if self.specials else []
        simple = self.valid
        words = {name: getattr(self, name) for name in ("op", "dtype", "to", "modular", "mask")} | operands
        for _, start in starts.values():
            simple = simple & ~start
        result, result_valid = _connect(m, "simple", Simple(), simple, words)
        for name in built:
            make, start = starts[name]
            late, late_valid = _connect(m, name, make(), self.valid & start, words)
            result, result_valid = Mux(late_valid, late, result), result_valid | late_valid
        m.d.comb += [self.result.eq(result), self.result_valid.eq(result_valid)]
        return m


def _connect(m, name, unit, start, words):
    m.submodules[name] = unit
    m.d.comb += unit.valid.eq(start)
    m.d.comb += [getattr(unit, port).eq(words[port]) for port in unit.operands]
    return unit.result, unit.result_valid
