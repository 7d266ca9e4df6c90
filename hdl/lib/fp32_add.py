"""fp32 addition and subtraction."""

from amaranth import Cat, Const, Mux

from hdl.lib import fp32
from hdl.lib.aluop import ALU_OP
from hdl.lib.bits import leading_zeros, named
from hdl.lib.pipeline import Pipeline


class Fp32Add(Pipeline):
    """a + b, or a - b, of IEEE 754 binary32, to nearest even.

    Members
    -------
    op: In(6), code of ADD or SUB in the instruction table
    a, b: In(32), operands
    """

    stages = ("order", "align", "add", "round")

    def __init__(self):
        super().__init__({"op": 6, "a": 32, "b": 32})

    def order(self, m, op, a, b):
        """The operand of greater magnitude becomes `big`, so that no difference is negative."""
        b = named(m, "b_signed", Cat(b[:31], b[31] ^ (op == ALU_OP["SUB"])))
        swap = named(m, "swap", b[:31] > a[:31])
        big = named(m, "big_operand", Mux(swap, b, a))
        small = named(m, "small_operand", Mux(swap, a, b))
        opposite = a[31] ^ b[31]
        return {
            "big": fp32.significand(big), "small": fp32.significand(small), "opposite": opposite,
            "exponent": fp32.exponent(big), "distance": (fp32.exponent(big) - fp32.exponent(small))[:8],
            "infinite": big[23:31].all(),
            "nan": fp32.is_nan(big) | fp32.is_nan(small) | (small[23:31].all() & opposite),
            # an exact zero is +0 unless both operands were negative
            "sign": big[31] & (small[31] | (big[:31] != small[:31])),
        }

    def align(self, m, small, distance):
        """26 bits stay, the rest ends in one sticky bit; beyond a distance of 26 that is all there is."""
        wide = named(m, "wide", Cat(Const(0, 26), small) >> Mux(distance > 26, 26, distance[:5]))
        return {"aligned": Cat(wide[:24].any(), wide[24:])}

    def add(self, m, big, aligned, opposite, exponent):
        big = Cat(Const(0, 3), big)
        total = named(m, "total_sum", Mux(opposite, big - aligned, big + aligned)[:28])
        zeros = named(m, "zeros", leading_zeros(m, "total_zeros", total))
        return {"total": total, "left": Mux(zeros > exponent, exponent, zeros)[:5]}

    def round(self, m, sign, total, left, exponent, nan, infinite):
        """The leading one goes to bit 27, or not as far if the exponent ends: the number is subnormal."""
        normal = named(m, "normal", (total << left)[:28])
        field = named(m, "field", Mux(normal[27], exponent + 1 - left, 0)[:9])
        up = normal[3] & (normal[4] | normal[:3].any())
        return {"result": fp32.pack(sign, field, normal[4:27], up, nan, infinite)}
