"""Range of the integer types as expressions."""

from amaranth import Cat, Const, Module, Mux, Value

from hdl.lib.bits import all_same, named
from sw.arch.dtype import DType

_INTEGERS = (DType.INT8, DType.INT16, DType.INT32)


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
    fits = modular
    for integer in _INTEGERS:
        fits = fits | ((dtype == integer) & all_same(exact[integer.bits - 1:]))
    greatest = Cat(Const(0x7F, 7), (dtype != DType.INT8).replicate(8), (dtype == DType.INT32).replicate(16))
    limit = Cat(greatest ^ exact[-1].replicate(31), exact[-1])
    return Mux(fits, extend(exact[:32], dtype), limit)
