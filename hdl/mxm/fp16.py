"""fp16 products, summed exactly: every product is an integer times 2**-48 and no bit of any sum is dropped."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed

from hdl.lib.tree import tree_or, tree_sum
from hdl.mxm.shape import FLAG_BITS, MANTISSA_BITS, SHIFT_BITS, SPECIAL_SHIFT


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


def fp16_sums(m: Module, column, weights: list[tuple[Value, Value]]) -> None:
    """One phase's products of a SupercellColumn, their sums in two windows, and their place in the chain.

    `weights`: mantissa and shift of each row. Shifted products stand in the expressions of both sums: sharing them is
    left to synthesis.
    """
    shape = column.shape

    def register(name: str, bits) -> Signal:
        return Signal(bits, name=f"fp16_{name}_q", reset_less=True)

    special = register("special", 1)
    with m.If(column.install):
        shifts = [column.buffer.word_select(k, shape.element_bits)[MANTISSA_BITS:] for k in range(shape.lanes)]
        m.d.sync += special.eq(tree_or([shift == SPECIAL_SHIFT for shift in shifts]))

    low_terms, high_terms, kinds, minus = [], [], [], []
    for k in range(shape.rows):
        mantissa = Signal(signed(MANTISSA_BITS), name=f"mantissa_{k}")
        shift = Signal(SHIFT_BITS, name=f"shift_{k}")
        product_q, shift_q = register(f"product_{k}", signed(23)), register(f"shift_{k}", 6)
        a_mantissa = column.mantissa.word_select(k, MANTISSA_BITS).as_signed()
        with m.Switch(column.phase):
            for phase, (w_mantissa, w_shift) in enumerate(weights[k :: shape.rows]):
                with m.Case(phase) if phase < shape.interval - 1 else m.Default():
                    m.d.comb += [mantissa.eq(w_mantissa), shift.eq(w_shift)]
        with m.If(column.fp16_multiply):
            m.d.sync += [
                product_q.eq(a_mantissa * mantissa),
                shift_q.eq(column.shift.word_select(k, SHIFT_BITS) + shift),
            ]
        kinds.append(classes(mantissa, shift))
        minus.append(a_mantissa[-1] ^ mantissa[-1])
        low_terms.append(Mux(shift_q[5], 0, product_q << shift_q[:5]))
        high_terms.append(Mux(shift_q[5], (product_q << shift_q[:5])[: shape.high_bits(1)].as_signed(), 0))

    low_q = register("low", signed(shape.low_bits(shape.rows)))
    high_q = register("high", signed(shape.high_bits(shape.rows)))
    flags_q, flags_q2 = register("flags", FLAG_BITS), register("flags2", FLAG_BITS)
    with m.If(column.fp16_multiply):
        flags = _flags(m, column, [Cat(kind) for kind in zip(*kinds, strict=True)], Cat(minus))
        m.d.sync += flags_q.eq(Mux(column.special | special, flags, 0))
    with m.If(column.fp16_sum):
        m.d.sync += [low_q.eq(tree_sum(low_terms)), high_q.eq(tree_sum(high_terms)), flags_q2.eq(flags_q)]

    chain = {name: register(f"{name}_chain", len(getattr(column, f"above_{name}"))) for name in ("low", "high", "flags")}
    with m.If(column.fp16_add):
        m.d.sync += [
            chain["low"].eq(column.below_low.as_signed() + low_q),
            chain["high"].eq(column.below_high.as_signed() + high_q),
            chain["flags"].eq(column.below_flags | flags_q2),
        ]
    with m.Elif(column.fp16_skip):
        m.d.sync += [value.eq(getattr(column, f"below_{name}")) for name, value in chain.items()]
    m.d.comb += [getattr(column, f"above_{name}").eq(value) for name, value in chain.items()]


def _flags(m: Module, column, kinds: list[Value], minus: Value) -> Value:
    """What the products of infinite and NaN operands leave behind; `kinds`: nan, infinite, zero of the weights."""
    nan, infinite, zero = kinds
    none = Signal(len(nan), name="products_nan")
    m.d.comb += none.eq(column.nan | nan | (column.infinite & zero) | (column.zero & infinite))
    endless = (column.infinite | infinite) & ~none
    return Cat(none.any(), (endless & ~minus).any(), (endless & minus).any())
