"""fp16 products, summed exactly: every product is an integer times 2**-48 and no bit of any sum is dropped."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed

from hdl.lib.tree import tree_or, tree_sum
from hdl.mxm.shape import FLAG_BITS, MANTISSA_BITS, SHIFT_BITS, SPECIAL_SHIFT, Shape


def unpack(bits: Value) -> Value:
    """fp16 bits as an element of the array, mantissa in the low bits; exact for subnormals."""
    fraction, exponent, minus = bits[:10], bits[10:15], bits[15]
    normal = exponent.any()
    magnitude = Cat(fraction, normal)
    mantissa = Mux(minus, -magnitude, magnitude)
    return Cat(mantissa[:MANTISSA_BITS], (exponent - normal)[:SHIFT_BITS])


def flags_of(a: Value, a_shift: Value, w: Value, w_shift: Value) -> Value:
    """NaN, +infinity, -infinity of one product: at most one is set."""
    a_special, w_special = a_shift == SPECIAL_SHIFT, w_shift == SPECIAL_SHIFT
    nan = (
        (a_special & a[:10].any())
        | (w_special & w[:10].any())
        | (a_special & (w == 0))
        | (w_special & (a == 0))
    )
    infinite = (a_special | w_special) & ~nan
    minus = a[-1] ^ w[-1]
    return Cat(nan, infinite & ~minus, infinite & minus)


def fp16_column(m: Module, shape: Shape, row, column: int, weights: list, special: Value, below, above) -> None:
    """One phase's products of a column, their sums in two windows, and their place in the chain.

    `row`: Broadcast; `weights`: the column's elements; `special`: whether a weight is infinite or NaN; `below`, `above`:
    Chain. The shifted products stand in the expressions of both sums: sharing them is left to synthesis.
    """

    def register(name: str, bits) -> Signal:
        return Signal(bits, name=f"fp16_{name}_{column}_q", reset_less=True)

    def of_phase(values: list[Value]) -> Value:
        for bit in reversed(range((shape.interval - 1).bit_length())):
            half = len(values) // 2
            values = [Mux(row.phase[bit], b, a) for a, b in zip(values[:half], values[half:], strict=True)]
        return values[0]

    low_terms, high_terms, flags = [], [], []
    for k in range(shape.rows):
        mantissa = of_phase([w.mantissa for w in weights[k :: shape.rows]])
        shift = of_phase([w.shift for w in weights[k :: shape.rows]])
        flags.append(flags_of(row.mantissa[k], row.shift[k], mantissa, shift))
        product_q, shift_q = register(f"product_{k}", signed(23)), register(f"shift_{k}", 6)
        with m.If(row.fp16_multiply):
            m.d.sync += [product_q.eq(row.mantissa[k] * mantissa), shift_q.eq(row.shift[k] + shift)]
        low_terms.append(Mux(shift_q[5], 0, product_q << shift_q[:5]))
        high_terms.append(Mux(shift_q[5], (product_q << shift_q[:5])[: shape.high_bits(1)].as_signed(), 0))

    low_q = register("low", signed(shape.low_bits(shape.rows)))
    high_q = register("high", signed(shape.high_bits(shape.rows)))
    flags_q, flags_q2 = register("flags", FLAG_BITS), register("flags2", FLAG_BITS)
    low_chain_q, high_chain_q = register("low_chain", above.low.shape()), register("high_chain", above.high.shape())
    flags_chain_q = register("flags_chain", FLAG_BITS)
    with m.If(row.fp16_multiply):
        m.d.sync += flags_q.eq(Mux(row.special | special, tree_or(flags), 0))
    with m.If(row.fp16_sum):
        m.d.sync += [low_q.eq(tree_sum(low_terms)), high_q.eq(tree_sum(high_terms)), flags_q2.eq(flags_q)]
    with m.If(row.fp16_add):
        m.d.sync += [
            low_chain_q.eq(below.low + low_q),
            high_chain_q.eq(below.high + high_q),
            flags_chain_q.eq(below.flags | flags_q2),
        ]
    with m.Elif(row.fp16_skip):
        m.d.sync += [low_chain_q.eq(below.low), high_chain_q.eq(below.high), flags_chain_q.eq(below.flags)]
    m.d.comb += [above.low.eq(low_chain_q), above.high.eq(high_chain_q), above.flags.eq(flags_chain_q)]
