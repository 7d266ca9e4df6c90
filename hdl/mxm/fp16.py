"""fp16 products, summed exactly: every product is an integer times 2**-48 and no bit of any sum is dropped."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed

from hdl.lib.tree import tree_sum
from hdl.mxm.shape import FLAG_BITS, MANTISSA_BITS, SHIFT_BITS, SPECIAL_SHIFT, Shape


def unpack(bits: Value) -> Value:
    """fp16 bits as an element of the array, mantissa in the low bits; exact for subnormals."""
    fraction, exponent, minus = bits[:10], bits[10:15], bits[15]
    normal = exponent.any()
    magnitude = Cat(fraction, normal)
    mantissa = Mux(minus, -magnitude, magnitude)
    return Cat(mantissa[:MANTISSA_BITS], (exponent - normal)[:SHIFT_BITS])


def classes(mantissa: Value, shift: Value) -> tuple[Value, Value, Value]:
    """Whether an element is NaN, infinite, zero."""
    special, fraction = shift == SPECIAL_SHIFT, mantissa[:10].any()
    return special & fraction, special & ~fraction, ~mantissa.any()


def fp16_column(m: Module, shape: Shape, row, column: int, weights: list, special: Value, below, above) -> None:
    """One phase's products of a column, their sums in two windows, and their place in the chain.

    `row`: Broadcast; `weights`: the column's elements; `special`: whether a weight is infinite or NaN; `below`,
    `above`: Chain. Shifted products stand in the expressions of both sums: sharing them is left to synthesis.
    """

    def register(name: str, bits) -> Signal:
        return Signal(bits, name=f"fp16_{name}_{column}_q", reset_less=True)

    low_terms, high_terms, kinds, minus = [], [], [], []
    for k in range(shape.rows):
        mantissa = Signal(signed(MANTISSA_BITS), name=f"mantissa_{column}_{k}")
        shift = Signal(SHIFT_BITS, name=f"shift_{column}_{k}")
        product_q, shift_q = register(f"product_{k}", signed(23)), register(f"shift_{k}", 6)
        a_mantissa = row.mantissa.word_select(k, MANTISSA_BITS).as_signed()
        with m.If(row.fp16_multiply):
            with m.Switch(row.phase):
                for phase, weight in enumerate(weights[k :: shape.rows]):
                    with m.Case(phase):
                        m.d.comb += [mantissa.eq(weight.mantissa), shift.eq(weight.shift)]
            m.d.sync += [
                product_q.eq(a_mantissa * mantissa),
                shift_q.eq(row.shift.word_select(k, SHIFT_BITS) + shift),
            ]
        kinds.append(classes(mantissa, shift))
        minus.append(a_mantissa[-1] ^ mantissa[-1])
        low_terms.append(Mux(shift_q[5], 0, product_q << shift_q[:5]))
        high_terms.append(Mux(shift_q[5], (product_q << shift_q[:5])[: shape.high_bits(1)].as_signed(), 0))

    low_q = register("low", signed(shape.low_bits(shape.rows)))
    high_q = register("high", signed(shape.high_bits(shape.rows)))
    flags_q, flags_q2 = register("flags", FLAG_BITS), register("flags2", FLAG_BITS)
    with m.If(row.fp16_multiply):
        m.d.sync += flags_q.eq(0)
        with m.If(row.special | special):
            m.d.sync += flags_q.eq(_flags(m, column, row, [Cat(kind) for kind in zip(*kinds, strict=True)], Cat(minus)))
    with m.If(row.fp16_sum):
        m.d.sync += [low_q.eq(tree_sum(low_terms)), high_q.eq(tree_sum(high_terms)), flags_q2.eq(flags_q)]

    bits = {"low": shape.chain_low_bits, "high": shape.chain_high_bits, "flags": FLAG_BITS}
    south = {name: getattr(below, name).word_select(column, width) for name, width in bits.items()}
    chain = {name: register(f"{name}_chain", width) for name, width in bits.items()}
    with m.If(row.fp16_add):
        m.d.sync += [
            chain["low"].eq(south["low"].as_signed() + low_q),
            chain["high"].eq(south["high"].as_signed() + high_q),
            chain["flags"].eq(south["flags"] | flags_q2),
        ]
    with m.Elif(row.fp16_skip):
        m.d.sync += [chain[name].eq(south[name]) for name in bits]
    for name, width in bits.items():
        m.d.comb += getattr(above, name).word_select(column, width).eq(chain[name])


def _flags(m: Module, column: int, row, kinds: list[Value], minus: Value) -> Value:
    """What the products of infinite and NaN operands leave behind; `kinds`: nan, infinite, zero of the weights."""
    nan, infinite, zero = kinds
    none = Signal(len(nan), name=f"nan_{column}")
    m.d.comb += none.eq(row.nan | nan | (row.infinite & zero) | (row.zero & infinite))
    endless = (row.infinite | infinite) & ~none
    return Cat(none.any(), (endless & ~minus).any(), (endless & minus).any())
