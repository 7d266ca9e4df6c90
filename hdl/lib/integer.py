"""Range of the integer types as expressions."""

from amaranth import Cat, Const, Module, Mux, Value

from hdl.lib.bits import all_same, named
from sw.arch.dtype import DType


def extend(value, dtype) -> Value:
    """Lane of an element of `dtype` in the low bits of 32: integers sign-extended, fp16 zero-extended."""
    narrow = Mux(dtype == DType.INT8, value[7].replicate(8), value[8:16])
    high = Mux(dtype == DType.INT8, value[7], (dtype == DType.INT16) & value[15]).replicate(16)
    wide = (dtype == DType.INT32) | (dtype == DType.FP32)
    return Cat(value[:8], narrow, Mux(wide, value[16:32], high))


def fit(m: Module, value, dtype, modular) -> Value:
    """Lane of an exact signed result in an integer type: saturated, or modulo 2^bits if `modular`.

    `value` has at least 33 bits.
    """
    exact = named(m, "exact", value)
    above = {DType.INT32: all_same(exact[31:])}
    for wide, narrow in ((DType.INT32, DType.INT16), (DType.INT16, DType.INT8)):
        above[narrow] = named(m, f"above_{narrow.text}", above[wide] & all_same(exact[narrow.bits - 1 : wide.bits]))
    fits = modular
    for integer, same in above.items():
        fits = fits | ((dtype == integer) & same)
    greatest = Cat(Const(0x7F, 7), (dtype != DType.INT8).replicate(8), (dtype == DType.INT32).replicate(16))
    limit = Cat(greatest ^ exact[-1].replicate(31), exact[-1])
    return Mux(fits, extend(exact[:32], dtype), limit)
