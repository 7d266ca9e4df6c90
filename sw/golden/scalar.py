"""What each VXM lane operation computes, vectorised over uint32 bit patterns.

Lanes are canonical: integers sign-extended to 32 bits, fp16 zero-extended (see sw.golden.convert).
"""

import numpy as np

from sw.arch.dtype import DType
from sw.arch.op import Op
from sw.golden.convert import convert, extend, patterns, values
from sw.golden.special import special

_COMPARES = {Op.EQ: np.equal, Op.NE: np.not_equal, Op.LT: np.less, Op.LE: np.less_equal,
             Op.GT: np.greater, Op.GE: np.greater_equal}
_ARITHMETIC = {Op.ADD: np.add, Op.SUB: np.subtract, Op.MUL: np.multiply,
               Op.ADD_SAT: np.add, Op.SUB_SAT: np.subtract, Op.MUL_SAT: np.multiply}
_SATURATING = (Op.ADD_SAT, Op.SUB_SAT, Op.MUL_SAT, Op.ABS_SAT, Op.NEG_SAT)


def evaluate(op: Op, dtype: DType, a, b=None, mask=None, to: DType | None = None) -> np.ndarray:
    """Result of `op` on elements of `dtype` in the low bits of uint32 arrays, as canonical uint32 lanes.

    `b` is the second operand of binary operations, `mask` the selector of SELECT, `to` what CONVERT leads to.
    ValueError if the operation does not take the type.
    """
    op.pipeline(dtype)
    if op is Op.CONVERT:
        return convert(dtype, to, a)
    if op.is_special:
        return special(op, a)
    a = extend(dtype, a)
    b = None if b is None else extend(dtype, b)
    if op is Op.MOVE:
        return a
    if op is Op.SELECT:
        return np.where(extend(dtype, mask) != 0, a, b)
    if op in _COMPARES:
        holds = _COMPARES[op](values(dtype, a), values(dtype, b))
        return np.where(holds, np.uint32(0xFFFFFFFF), np.uint32(0))
    return _float(op, a, b) if dtype is DType.FP32 else _integer(op, dtype, a, b)


def _float(op, a, b):
    x = values(DType.FP32, a)
    y = None if b is None else values(DType.FP32, b)
    if op in _ARITHMETIC:
        with np.errstate(all="ignore"):
            return patterns(DType.FP32, _ARITHMETIC[op](x, y))
    if op in (Op.MIN, Op.MAX):
        # of two equal numbers, which can differ in the sign of zero only, the negative one is the lesser
        a_less = (x < y) | ((x == y) & np.signbit(x))
        chosen = np.where(a_less == (op is Op.MIN), x, y)
        return patterns(DType.FP32, np.where(np.isnan(x) | np.isnan(y), np.float32(np.nan), chosen))
    unary = {Op.ABS: np.abs(x), Op.NEG: -x, Op.RELU: np.where(x <= 0, np.float32(0), x)}
    return patterns(DType.FP32, unary[op])


def _integer(op, dtype, a, b):
    x = values(dtype, a).astype(np.int64)
    y = None if b is None else values(dtype, b).astype(np.int64)
    count = None if y is None else y & (dtype.bits - 1)
    compute = {
        Op.MIN: lambda: np.minimum(x, y), Op.MAX: lambda: np.maximum(x, y),
        Op.ABS: lambda: np.abs(x), Op.ABS_SAT: lambda: np.abs(x), Op.NEG: lambda: -x, Op.NEG_SAT: lambda: -x,
        Op.RELU: lambda: np.maximum(x, 0),
        Op.SHL: lambda: x << count, Op.SHR: lambda: (x & dtype.mask) >> count, Op.SAR: lambda: x >> count,
        Op.AND: lambda: x & y, Op.OR: lambda: x | y, Op.XOR: lambda: x ^ y, Op.NOT: lambda: ~x,
    }.get(op, lambda: _ARITHMETIC[op](x, y))
    result = compute()
    if op in _SATURATING:
        result = np.clip(result, dtype.least, dtype.greatest)
    return extend(dtype, result & 0xFFFFFFFF)
