"""The one-cycle lane operations: moves, logic, integer arithmetic, compares, minima."""

from amaranth import Cat, Const, Mux

from hdl.lib import fp32
from hdl.lib.aluop import ALU_OP
from hdl.lib.bits import named
from hdl.lib.integer import extend, fit
from hdl.lib.pipeline import Pipeline
from sw.arch.dtype import DType


class Simple(Pipeline):
    """Every operation of the simple class of the instruction table.

    One adder, one shifter and one layer of logic serve all of them; those that an operation does not use give zero, and
    the result is all of them or-ed.

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
        total = self._sum(m, op, a, b)
        sums = _is(op, "ADD", "SUB") | (_is(op, "ABS", "NEG") & ~is_float)
        sums = named(m, "sums", sums).replicate(32) & fit(m, total, dtype, modular)
        return {"result": sums | self._shifted(m, op, dtype, a, b) | self._logic(m, op, is_float, a, b, mask, total[32])}

    def _sum(self, m, op, a, b):
        """a + b, -a, or its absolute value, and a - b for all other operations: 33 bits."""
        alone = named(m, "alone", _is(op, "ABS", "NEG"))
        minus = named(m, "minus", ~_is(op, "ADD") & ~(_is(op, "ABS") & ~a[31]))
        left, right = a & ~alone.replicate(32), Mux(alone, a, b) ^ minus.replicate(32)
        # the bit below carries the one in that makes a complement a negative
        total = Cat(minus, left).as_signed() + Cat(minus, right).as_signed()
        return named(m, "total_sum", total[1:34]).as_signed()

    def _logic(self, m, op, is_float, a, b, mask, below):
        """Each bit of the result out of the same bits of a and b, and what a NaN or a sign changes of that."""
        same = named(m, "same", a == b)
        first = named(m, "first", Mux(is_float & a[31] & b[31], ~below & ~same, below))
        a_nan = named(m, "a_nan", is_float & fp32.is_nan(a))
        either = named(m, "either_nan", a_nan | (is_float & fp32.is_nan(b)))
        zeros = named(m, "both_zero", is_float & ~(a[:31] | b[:31]).any())
        less, equal = named(m, "less", first & ~zeros & ~either), named(m, "equal", (same | zeros) & ~either)
        signed = named(m, "signed", is_float & _is(op, "ABS", "NEG"))
        nan = named(m, "nan", (_is(op, "MIN", "MAX") & either) | ((_is(op, "RELU") | signed) & a_nan))
        holds = (
            (_is(op, "EQ", "LE", "GE") & equal) | (_is(op, "LT", "LE") & less) | (_is(op, "NE") & ~equal)
            | (_is(op, "GT", "GE") & ~(less | equal | either))
        )
        holds = named(m, "holds", holds)
        least = _is(op, "MIN")
        extreme = least | _is(op, "MAX")
        select = _is(op, "SELECT")
        plain = _is(op, "MOV", "OR") | signed | (extreme & (first == least)) | (select & mask) | (_is(op, "RELU") & ~a[31])
        keep_a = named(m, "keep_a", (plain & ~nan) | holds)
        keep_b = named(m, "keep_b", (_is(op, "OR") | (extreme & (first != least)) | (select & ~mask)) & ~nan)
        # a function of both in two bits: 1 a and b, 2 a exclusive or b, 3 not a, which beside a itself gives all ones
        invert = _is(op, "NOT") | holds
        low_bit, high_bit = named(m, "low_bit", _is(op, "AND", "MASK") | invert), _is(op, "XOR") | invert
        high_bit = named(m, "high_bit", high_bit)

        def layer(a, b, keep_a, low_bit, high_bit):
            keep_a, also_b, low, high = (x.replicate(len(a)) for x in (keep_a, keep_b, low_bit, high_bit))
            return (a & keep_a) | (b & also_b) | (high & ((low & ~a) | (~low & (a ^ b)))) | (~high & low & a & b)

        flipped = named(m, "flipped", signed & _is(op, "NEG") & ~nan)
        sign = layer(a[31], b[31], keep_a & ~signed, low_bit | flipped, high_bit | flipped)
        return Cat(layer(a[:31], b[:31], keep_a, low_bit, high_bit), sign) | (nan.replicate(32) & fp32.NAN)

    def _shifted(self, m, op, dtype, a, b):
        """A shift left by n is a shift right by 31 - n of what stands 31 bits higher."""
        left, arithmetic = named(m, "left", _is(op, "SHL")), named(m, "arithmetic", _is(op, "SAR"))
        narrow, wide = named(m, "narrow", dtype == DType.INT8), named(m, "wide", dtype == DType.INT32)
        low, high = arithmetic | ~narrow, arithmetic | wide
        right = Cat(a[:8], a[8:16] & low.replicate(8), a[16:] & high.replicate(16))
        moved = Mux(left, Cat(Const(0, 31), a), Cat(right, (arithmetic & a[31]).replicate(31)))
        count = Cat(b[:3], b[3] & ~narrow, b[4] & wide) ^ left.replicate(5)
        for k in reversed(range(5)):
            # what can no longer reach the 32 bits that stay is dropped
            moved = named(m, f"moved_{k}", Mux(count[k], moved[1 << k :], moved)[: 31 + (1 << k)])
        shifts = named(m, "shifts", left | _is(op, "SHR", "SAR"))
        return shifts.replicate(32) & extend(moved, dtype)


def _is(op, *names):
    """Whether the operation is one of these."""
    return op.matches(*(ALU_OP[name] for name in names))
