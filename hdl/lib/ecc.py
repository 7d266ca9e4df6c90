"""SECDED in hardware: the code of `sw.arch.ecc` as expressions to use inside a pipeline stage, and parity."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal, Value

from sw.arch.ecc import SecDed


def encode(code: SecDed, data: Value) -> Value:
    """Check bits of `data` (code.data_bits wide): a parity tree per check bit, without shared parts."""
    return Cat((data & mask).xor() for mask in code.masks)


def decode(m: Module, code: SecDed, data: Value, check: Value, name: str = "ecc") -> tuple[Value, Value, Value]:
    """Check and correct `data` against `check`; combinational.

    Returns (data, corrected, uncorrectable) as `SecDed.decode` does. Call it inside the stage's `m.If(valid)`: outside
    of it the results are zero and nothing is computed; the correction is computed only for a word that needs it.
    """
    syndrome = Signal(code.check_bits, name=f"{name}_syndrome")
    flip = Signal(code.data_bits, name=f"{name}_flip")
    wrong = Signal(name=f"{name}_wrong")
    corrected = Signal(name=f"{name}_corrected")
    m.d.comb += syndrome.eq(encode(code, data) ^ check)
    with m.If(syndrome.any()):
        in_check = reduce(or_, (syndrome == 1 << row for row in range(code.check_bits)))
        m.d.comb += [
            wrong.eq(1),
            flip.eq(Cat(syndrome == column for column in code.columns)),
            corrected.eq(flip.any() | in_check),
        ]
    return data ^ flip, corrected, wrong & ~corrected


def parity(data: Value) -> Value:
    """The bit that makes the number of ones in `data` and itself even; for words of queue memories."""
    return data.xor()
