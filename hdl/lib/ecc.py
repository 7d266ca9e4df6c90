"""SECDED in hardware: the code of `sw.arch.ecc` as expressions to use inside a pipeline stage, and parity."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal, Value

from sw.arch.ecc import SecDed


def encode(code: SecDed, data: Value) -> Value:
    """Check bits of `data` (code.data_bits wide): a parity tree per check bit, without shared parts."""
    # Bits are picked one by one: masked with a constant, the data would reach the Verilog in splinters.
    rows = ([bit for bit in range(code.data_bits) if mask >> bit & 1] for mask in code.masks)
    return Cat(Cat(data[bit] for bit in row).xor() for row in rows)


def decode(
    m: Module, code: SecDed, data: Value, check: Value, name: str = "ecc"
) -> tuple[Value, Value, Value]:
    """Check and correct `data` against `check`; combinational.

    Returns (data, corrected, uncorrectable) as `SecDed.decode` does. Call it, and use what it returns,
    inside the stage's `m.If(valid)`: then an idle stage computes nothing, and a clean word only its syndrome.
    """
    # A rest value that is neither all zeros nor all ones: otherwise Verilator computes the syndrome and
    # masks it.
    syndrome = Signal(code.check_bits, init=1, name=f"{name}_syndrome")
    flip = Signal(code.data_bits, name=f"{name}_flip")
    corrected = Signal(name=f"{name}_corrected")
    uncorrectable = Signal(name=f"{name}_uncorrectable")
    m.d.comb += syndrome.eq(encode(code, data) ^ check)
    with m.If(syndrome.any()):
        in_check = reduce(or_, (syndrome == 1 << row for row in range(code.check_bits)))
        m.d.comb += [
            flip.eq(Cat(syndrome == column for column in code.columns)),
            corrected.eq(flip.any() | in_check),
            uncorrectable.eq(~corrected),
        ]
    return data ^ flip, corrected, uncorrectable


def parity(data: Value) -> Value:
    """The bit that makes the number of ones in `data` and itself even; for words of queue memories."""
    return data.xor()
