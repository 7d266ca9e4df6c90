"""exp2, log2, rsqrt, recip and tanh of fp32 on one table-driven data path (see sw/arch/special.py)."""

from amaranth import Array, C, Cat, Const, Mux
from amaranth.lib.memory import Memory

from hdl.lib import fp32
from hdl.lib.aluop import ALU_OP
from hdl.lib.bits import leading_zeros, named
from hdl.lib.pipeline import Pipeline, Registered
from sw.arch import special as spec

_FUNCTIONS = ("EXP2", "LOG2", "RSQRT", "RECIP", "TANH")
_ROW_BITS = (spec.ROWS - 1).bit_length()
_ONE = Const(0x3F800000, 31)


class Special(Pipeline):
    """A special function of fp32; bit-identical to the golden model.

    Members
    -------
    op: In(6), code of EXP2, LOG2, RSQRT, RECIP or TANH in the instruction table
    a: In(32), operand
    """

    stages = ("unpack", "reduce", "slope", "value", "scale", "combine", "round")

    def __init__(self):
        super().__init__({"op": 6, "a": 32})

    def unpack(self, m, op, a):
        raw = fp32.significand(a)
        zeros = named(m, "zeros", leading_zeros(m, "raw_zeros", raw))
        right = named(m, "right", 134 - a[23:31])
        bounded = Mux(right < 0, 0, Mux(right > 63, 63, right[:6]))[:6]
        return {
            **{name.lower(): op == ALU_OP[name] for name in _FUNCTIONS},
            "sign": a[31], "nan": fp32.is_nan(a), "infinite": fp32.is_infinite(a), "zero": ~a[:31].any(),
            "exponent": (fp32.exponent(a) - 127 - zeros)[:9].as_signed(),
            "significand": (raw << zeros)[:24],
            # |a| < 256 in fixed point, rounded towards zero
            "fixed": Cat(Const(0, spec.X_FRACTION - 16), raw) >> bounded,
        }

    def reduce(
        self, m, valid, exp2, log2, rsqrt, recip, tanh, sign, nan, infinite, zero, exponent, significand,
        fixed,
    ):
        """Row and offset in the table, what multiplies and follows it, and the answers known already."""
        argument = named(m, "argument", Mux(sign, -fixed, fixed)[:35].as_signed())
        small = named(m, "small", exponent < 0)
        fraction = significand[:23]
        segment = named(m, "segment", Mux(
            exp2, _segment(spec.EXP2_ROW, argument[:26], 8), Mux(
                recip, _segment(spec.RECIP_ROW, fraction, 8), Mux(
                    log2, _segment(spec.LOG2_ROW, fraction, 7), Mux(
                        rsqrt, _segment(spec.RSQRT_ROW, Cat(fraction, exponent[0]), 8),
                        _tanh_segment(small, exponent, fixed, fraction))))))
        m.submodules.rom = rom = Memory(shape=spec.C0_BITS + spec.C1_BITS + spec.C2_BITS, depth=spec.ROWS,
                                        init=_rom_words())
        port = rom.read_port()
        m.d.comb += [port.addr.eq(segment[spec.D_BITS:]), port.en.eq(valid)]

        low = significand[22]
        whole = named(m, "whole_part", exponent + low)
        fractional = named(m, "fractional", whole == 0)
        distance = named(m, "distance", Mux(low, -significand, significand[:23] << 1)[:24])
        zeros = named(m, "distance_zeros", leading_zeros(m, "distance", distance))
        negative = named(m, "negative_result", Mux(
            log2, Mux(fractional, low, whole < 0), sign & (recip | tanh | (rsqrt & zero))))
        large = exponent >= 8
        of_one = log2 & fractional & ~distance.any()
        return {
            "rom": Registered(port.data),
            "d": Cat(segment[:spec.D_BITS - 1], ~segment[spec.D_BITS - 1]).as_signed(),
            "negative": negative,
            "power": Mux(exp2, argument[26:].as_signed() + 1, Mux(
                recip, -exponent, Mux(
                    rsqrt, -(exponent >> 1), Mux(
                        log2, Mux(fractional, -zeros, 0), Mux(small, exponent, 0)))))[:10].as_signed(),
            "factor": Mux(log2, distance << zeros, Mux(tanh & small, significand, 1 << 23))[:24],
            "whole": Mux(log2, Mux(whole < 0, -whole, whole), 0)[:8],
            "log_shift": Mux(log2 & ~fractional, zeros, 0),
            "subtract": log2 & ~fractional & (low ^ negative),
            "is_nan": nan | ((rsqrt | log2) & sign & ~zero),
            "is_infinite": (zero & (recip | rsqrt | log2)) | (log2 & infinite) | (exp2 & large & ~sign),
            "is_one": tanh & (exponent >= 4),
            "is_zero": (infinite & (recip | rsqrt)) | (exp2 & large & sign) | of_one,
        }

    def slope(self, m, rom, d, power, log_shift):
        """c1 + c2 * d; and a result below the least exponent moves right instead."""
        c1 = rom[spec.C0_BITS:][:spec.C1_BITS].as_signed()
        c2 = rom[spec.C0_BITS + spec.C1_BITS:].as_signed()
        drop = spec.C2_FRACTION + spec.D2_BITS - spec.C1_FRACTION
        product = c2 * d[spec.D_BITS - spec.D2_BITS:].as_signed()
        below = named(m, "below", -126 - power)
        tiny = named(m, "tiny", below > 0)
        return {
            "c0": rom[:spec.C0_BITS],
            "t": (c1 + ((product + (1 << (drop - 1))) >> drop))[:spec.C1_BITS].as_signed(),
            "shift": Mux(tiny, Mux(below > 31, 31, below[:5]), log_shift)[:5],
            "power": Mux(tiny, -126, power),
        }

    def value(self, m, c0, t, d):
        return {"y": (c0 + ((t * d) >> (spec.C1_FRACTION + spec.D_BITS - spec.C0_FRACTION)))[:spec.C0_BITS]}

    def scale(self, m, factor, y):
        return {"product": (factor * y)[23:]}

    def combine(self, m, product, shift, whole, subtract):
        """8 integer and 28 fraction bits."""
        term = named(m, "term", product >> shift)
        whole = Cat(Const(0, spec.C0_FRACTION), whole)
        return {"wide": Mux(subtract, whole - term, whole + term)[:36]}

    def round(self, m, wide, power, negative, is_nan, is_infinite, is_one, is_zero):
        """The leading one goes to the top; at the least exponent it may stay below the 1's place."""
        zeros = named(m, "wide_zeros", leading_zeros(m, "wide", wide[26:]))
        left = named(m, "left", Mux((power == -126) & (zeros > 7), 7, Mux(zeros > 9, 9, zeros))[:4])
        normal = named(m, "normal", (wide << left)[:36])
        field = named(m, "field", Mux(normal[35], power + 134 - left, 0)[:9])
        rounded = fp32.pack(negative, field, normal[12:35], normal[11], is_nan, is_infinite)
        return {"result": Mux((is_one | is_zero) & ~is_nan, Cat(Mux(is_one, _ONE, 0), negative), rounded)}


def _segment(base, argument, row_bits):
    """Row and offset, offset low: the argument's top `row_bits` bits count rows from `base`."""
    offset = argument[:-row_bits]
    row = Cat(argument[-row_bits:], C(base >> row_bits, _ROW_BITS - row_bits))
    return Cat(C(0, spec.D_BITS - len(offset)), offset, row)


def _tanh_segment(small, exponent, fixed, fraction):
    octaves = [_segment(base, fraction, bits)
               for base, bits in zip(spec.TANH_OCTAVE_ROWS, (7, 7, 6, 5), strict=True)]
    below_one = _segment(spec.TANH_ROW, fixed[1:26], 7)
    return Mux(small, below_one, Array(octaves)[exponent[:2]])


def _rom_words():
    mask1, mask2 = (1 << spec.C1_BITS) - 1, (1 << spec.C2_BITS) - 1
    rows = zip(*(column.tolist() for column in spec.table()), strict=True)
    return [c0 | ((c1 & mask1) | (c2 & mask2) << spec.C1_BITS) << spec.C0_BITS for c0, c1, c2 in rows]
