"""What each VXM lane operation computes, vectorised over uint32 bit patterns.

Lanes are canonical: integers sign-extended to 32 bits, fp16 zero-extended (see sw.golden.convert).
"""

import numpy as np

from sw.arch.dtype import DType
from sw.golden.convert import convert, extend, patterns, values
from sw.golden.special import FUNCTIONS, special
from sw.isa.rows.vxm import ALU_TYPES, WITH_OVERFLOW

_COMPARES = {"EQ": np.equal, "NE": np.not_equal, "LT": np.less, "LE": np.less_equal,
             "GT": np.greater, "GE": np.greater_equal}
_ARITHMETIC = {"ADD": np.add, "SUB": np.subtract, "MUL": np.multiply}
_ONES = np.uint32(0xFFFFFFFF)


def evaluate(
    name: str, dtype: DType, a, b=None, *, mask=None, to: DType | None = None, modular: bool = False
) -> np.ndarray:
    """Result of VXM instruction `name` on elements of `dtype`, as canonical uint32 lanes.

    `a` and `b` hold elements in their low bits; `mask` is the selector of SELECT, of which bit 0 counts;
    `to` is the type that CONVERT leads to; `modular` wraps integer overflow instead of saturating.
    ValueError if the instruction does not take the type.
    """
    if dtype not in ALU_TYPES[name]:
        known = ", ".join(d.text for d in ALU_TYPES[name])
        raise ValueError(f"{name} does not work on {dtype.text}; it takes {known}")
    if name == "CONVERT":
        return convert(dtype, to, a)
    if name in FUNCTIONS:
        return special(name, a)
    a = extend(dtype, a)
    b = None if b is None else extend(dtype, b)
    if name == "MOV":
        return a
    if name == "MASK":
        return a & b
    if name == "SELECT":
        return np.where(np.asarray(mask).astype(np.uint32) & 1, a, b)
    if name in _COMPARES:
        return np.where(_COMPARES[name](values(dtype, a), values(dtype, b)), _ONES, np.uint32(0))
    if dtype is DType.FP32:
        return _float(name, a, b)
    return _integer(name, dtype, a, b, modular)


def _float(name, a, b):
    x = values(DType.FP32, a)
    y = None if b is None else values(DType.FP32, b)
    if name in _ARITHMETIC:
        with np.errstate(all="ignore"):
            return patterns(DType.FP32, _ARITHMETIC[name](x, y))
    if name in ("MIN", "MAX"):
        # of two equal numbers, which can differ in the sign of zero only, the negative one is the lesser
        a_less = (x < y) | ((x == y) & np.signbit(x))
        chosen = np.where(a_less == (name == "MIN"), x, y)
        return patterns(DType.FP32, np.where(np.isnan(x) | np.isnan(y), np.float32(np.nan), chosen))
    unary = {"ABS": np.abs(x), "NEG": -x, "RELU": np.where(x <= 0, np.float32(0), x)}
    return patterns(DType.FP32, unary[name])


def _integer(name, dtype, a, b, modular):
    x = values(dtype, a).astype(np.int64)
    y = None if b is None else values(dtype, b).astype(np.int64)
    count = None if y is None else y & (dtype.bits - 1)
    compute = {
        "ADD": lambda: x + y, "SUB": lambda: x - y, "MUL": lambda: x * y,
        "MIN": lambda: np.minimum(x, y), "MAX": lambda: np.maximum(x, y),
        "ABS": lambda: np.abs(x), "NEG": lambda: -x, "RELU": lambda: np.maximum(x, 0),
        "SHL": lambda: x << count, "SHR": lambda: (x & dtype.mask) >> count, "SAR": lambda: x >> count,
        "AND": lambda: x & y, "OR": lambda: x | y, "XOR": lambda: x ^ y, "NOT": lambda: ~x,
    }
    result = compute[name]()
    if name in WITH_OVERFLOW and not modular:
        result = np.clip(result, dtype.least, dtype.greatest)
    return extend(dtype, result & 0xFFFFFFFF)
