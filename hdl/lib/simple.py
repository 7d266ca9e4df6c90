"""The one-cycle lane operations: moves, logic, integer arithmetic, compares, minima."""

from amaranth import Cat, Const, Mux, Signal, signed

from hdl.lib import fp32
from hdl.lib.aluop import ALU_OP
from hdl.lib.bits import named
from hdl.lib.integer import extend, fit
from hdl.lib.pipeline import Pipeline
from sw.arch.dtype import DType


class Simple(Pipeline):
    """Every operation of the simple class of the instruction table.

    Members
    -------
    op: In(6), code in the instruction table
    dtype: In(3), DType that the operation takes
    modular: In(1), integer overflow wraps instead of saturating
    a, b: In(32), operands, canonical lanes of the type
    mask: In(1), bit 0 of SELECT's mask
    """

    stages = ("compute",)

    def __init__(self):
        super().__init__({"op": 6, "dtype": 3, "modular": 1, "a": 32, "b": 32, "mask": 1})

    def compute(self, m, op, dtype, modular, a, b, mask):
        is_float = named(m, "is_float", dtype == DType.FP32)
        answers = {
            **self._order(m, is_float, a, b),
            **self._arithmetic(m, op, dtype, modular, is_float, a, b),
            **self._shifts(m, op, dtype, a, b),
            "MOV": a, "MASK": a & b, "AND": a & b, "OR": a | b, "XOR": a ^ b, "NOT": ~a,
            "SELECT": Mux(mask, a, b),
        }
        result = Signal(32)
        with m.Switch(op):
            for name, answer in answers.items():
                with m.Case(ALU_OP[name]):
                    m.d.comb += result.eq(answer)
        return {"result": result}

    def _order(self, m, is_float, a, b):
        """Compares and minima. As integers, patterns of floats are in order but for two negative ones."""
        same, below = named(m, "same", a == b), named(m, "below", a.as_signed() < b.as_signed())
        first = named(m, "first", Mux(is_float & a[31] & b[31], ~below & ~same, below))
        nan = named(m, "either_nan", is_float & (fp32.is_nan(a) | fp32.is_nan(b)))
        zeros = named(m, "both_zero", is_float & ~(a[:31] | b[:31]).any())
        less, equal = named(m, "less", first & ~zeros & ~nan), named(m, "equal", (same | zeros) & ~nan)
        holds = {"EQ": equal, "NE": ~equal, "LT": less, "LE": less | equal, "GT": ~(less | equal | nan),
                 "GE": ~(less | nan)}
        return {
            **{name: truth.replicate(32) for name, truth in holds.items()},
            "MIN": Mux(nan, fp32.NAN, Mux(first, a, b)), "MAX": Mux(nan, fp32.NAN, Mux(first, b, a)),
        }

    def _arithmetic(self, m, op, dtype, modular, is_float, a, b):
        left, right, exact = a.as_signed(), b.as_signed(), Signal(signed(34), name="sum")
        with m.Switch(op):
            with m.Case(ALU_OP["ADD"]):
                m.d.comb += exact.eq(left + right)
            with m.Case(ALU_OP["SUB"]):
                m.d.comb += exact.eq(left - right)
            with m.Case(ALU_OP["ABS"]):
                m.d.comb += exact.eq(Mux(a[31], -left, left))
            with m.Case(ALU_OP["NEG"]):
                m.d.comb += exact.eq(-left)
        fitted = named(m, "fitted", fit(m, exact, dtype, modular))
        nan = named(m, "nan", is_float & fp32.is_nan(a))

        def with_sign(sign):
            return Mux(nan, fp32.NAN, Cat(a[:31], sign))

        return {
            "ADD": fitted, "SUB": fitted,
            "ABS": Mux(is_float, with_sign(Const(0, 1)), fitted),
            "NEG": Mux(is_float, with_sign(~a[31]), fitted),
            "RELU": Mux(nan, fp32.NAN, Mux(a[31], 0, a)),
        }

    def _shifts(self, m, op, dtype, a, b):
        narrow = named(m, "narrow", dtype == DType.INT8)
        wide = named(m, "wide", dtype == DType.INT32)
        count = named(m, "count", Cat(b[:3], b[3] & ~narrow, b[4] & wide))
        enters = named(m, "enters", a[31] & (op == ALU_OP["SAR"]))
        high = Mux(wide, a[16:], enters.replicate(16))
        padded = Cat(a[:8], Mux(narrow, enters.replicate(8), a[8:16]), high, enters).as_signed()
        right = named(m, "shifted_right", extend(named(m, "moved", padded >> count)[:32], dtype))
        left = named(m, "shifted_left", (a << count)[:32])
        return {"SHL": extend(left, dtype), "SHR": right, "SAR": right}
