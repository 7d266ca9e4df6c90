"""Small combinational helpers on bit vectors."""

from amaranth import Cat, Const, Module, Mux, Signal, Value


def named(m: Module, name: str, value) -> Signal:
    """The value as a signal, for one used more than once: an expression is built anew at every use."""
    value = Value.cast(value)
    signal = Signal(value.shape(), name=name)
    m.d.comb += signal.eq(value)
    return signal


def leading_zeros(m: Module, name: str, value) -> Value:
    """Zeros above the highest set bit; the width of the value if there is none. A tree of log2 levels."""
    value = Value.cast(value)
    width = 1 << len(value).bit_length()
    # ones below make an all-zero value count its own width
    rest = Cat(Const(~0, width - len(value)), value)
    count = []
    while width > 1:
        rest, half = named(m, f"{name}_{width}", rest), width // 2
        empty = named(m, f"{name}_{width}_empty", ~rest[half:].any())
        count.insert(0, empty)
        rest, width = Mux(empty, rest[:half], rest[half:]), half
    return Cat(*count)


def all_same(value) -> Value:
    """Whether the bits are all ones or all zeros: a number fits into its bits below and one of these."""
    return value.all() | ~value.any()
