"""exp2, log2, rsqrt, recip and tanh of fp32 bit patterns, step for step as the hardware computes them.

The decomposition is described in sw/arch/special.py. Results are canonical; subnormals count in and out.
"""

import dataclasses

import numpy as np

from sw.arch import special as spec
from sw.arch.dtype import DType

_NAN, _INF, _ONE = DType.FP32.nan, DType.FP32.infinity, 0x3F800000
_SIGN = 0x80000000
_D_CENTRE = 1 << (spec.D_BITS - 1)


def special(name: str, a: np.ndarray) -> np.ndarray:
    """Function `name` of FUNCTIONS of each element of `a`, fp32 patterns as uint32."""
    x = _Unpacked(np.asarray(a, dtype=np.uint32).astype(np.int64))
    reduced, exceptions = FUNCTIONS[name](x)
    result = _pack(reduced)
    for where, value in ((x.nan, _NAN), *exceptions):
        result = np.where(where, value, result)
    return result.astype(np.uint32)


class _Unpacked:
    """Fields of fp32 patterns; the significand has bit 23 set unless the number is zero."""

    def __init__(self, bits):
        field, fraction = (bits >> 23) & 0xFF, bits & 0x7FFFFF
        raw = np.where(field == 0, fraction, fraction | 0x800000)
        zeros = np.where(raw == 0, 0, 24 - _bit_length(raw))
        self.sign = bits & _SIGN
        self.negative = bits >= _SIGN
        self.nan = (field == 255) & (fraction != 0)
        self.inf = (field == 255) & (fraction == 0)
        self.zero = raw == 0
        self.exponent = np.maximum(field, 1) - 127 - zeros
        self.significand = raw << zeros
        self.fraction = self.significand & 0x7FFFFF
        # |x| < 256 in fixed point, rounded towards zero
        self.fixed = (raw << (spec.X_FRACTION - 16)) >> np.clip(134 - field, 0, 63)


@dataclasses.dataclass
class _Reduced:
    """value = (-1)^negative * (whole -+ factor * y / 2^shift) * 2^exponent, y from `row` at `d`."""

    row: np.ndarray
    d: np.ndarray
    exponent: np.ndarray
    negative: np.ndarray
    factor: np.ndarray | int = 1 << 23
    whole: np.ndarray | int = 0
    shift: np.ndarray | int = 0
    subtract: np.ndarray | bool = False


def _recip(x):
    reduced = _Reduced(spec.RECIP_ROW + (x.fraction >> 15), _offset(x.fraction, 15), -x.exponent, x.negative)
    return reduced, ((x.zero, x.sign | _INF), (x.inf, x.sign))


def _rsqrt(x):
    row = spec.RSQRT_ROW + ((x.exponent & 1) << 7) + (x.fraction >> 16)
    reduced = _Reduced(row, _offset(x.fraction, 16), -(x.exponent >> 1), np.zeros_like(x.negative))
    return reduced, ((x.inf, 0), (x.negative, _NAN), (x.zero, x.sign | _INF))


def _exp2(x):
    fixed = np.where(x.negative, -x.fixed, x.fixed)
    fraction = fixed & ((1 << spec.X_FRACTION) - 1)
    reduced = _Reduced(spec.EXP2_ROW + (fraction >> spec.D_BITS), _offset(fraction, spec.D_BITS),
                       (fixed >> spec.X_FRACTION) + 1, np.zeros_like(x.negative))
    large = (x.exponent >= 8) & ~x.nan
    return reduced, ((large & ~x.negative, _INF), (large & x.negative, 0))


def _log2(x):
    low = x.fraction >= 0x400000
    whole = x.exponent + low
    distance = np.where(low, (1 << 24) - x.significand, 2 * x.fraction)
    zeros = 24 - _bit_length(distance)
    negative = np.where(whole == 0, low, whole < 0)
    reduced = _Reduced(
        spec.LOG2_ROW + (x.fraction >> 16), _offset(x.fraction, 16), np.where(whole == 0, -zeros, 0),
        negative, factor=distance << zeros, whole=np.abs(whole), shift=np.where(whole == 0, 0, zeros),
        subtract=low != negative)
    return reduced, (((whole == 0) & (distance == 0), 0), (x.inf, _INF), (x.negative & ~x.zero, _NAN),
                     (x.zero, _SIGN | _INF))


def _tanh(x):
    small = x.exponent < 0
    fixed = x.fixed >> (spec.X_FRACTION - 7 - spec.D_BITS)
    rows, offsets = [spec.TANH_ROW + (fixed >> spec.D_BITS)], [_offset(fixed, spec.D_BITS)]
    for row, bits in zip(spec.TANH_OCTAVE_ROWS, (16, 16, 17, 18), strict=True):
        rows.append(row + (x.fraction >> bits))
        offsets.append(_offset(x.fraction, bits))
    octave = np.clip(x.exponent + 1, 0, 4)
    large = (x.exponent >= 4) & ~x.nan
    reduced = _Reduced(
        np.where(large, spec.TANH_ROW, np.choose(octave, rows)), np.choose(octave, offsets),
        np.where(small, x.exponent, 0), x.negative, factor=np.where(small, x.significand, 1 << 23))
    return reduced, ((large, x.sign | _ONE),)


#: Range reduction of each special function by its instruction name.
FUNCTIONS = {"EXP2": _exp2, "LOG2": _log2, "RSQRT": _rsqrt, "RECIP": _recip, "TANH": _tanh}


def _offset(argument, bits):
    """The low `bits` of the argument as a signed offset from the middle of their segment."""
    return ((argument & ((1 << bits) - 1)) << (spec.D_BITS - bits)) - _D_CENTRE


def _bit_length(x):
    return np.frexp(x.astype(np.float64))[1].astype(np.int64)


def _quadratic(row, d):
    c0, c1, c2 = (column[row] for column in spec.table())
    drop = spec.C2_FRACTION + spec.D2_BITS - spec.C1_FRACTION
    t = c1 + ((c2 * (d >> (spec.D_BITS - spec.D2_BITS)) + (1 << (drop - 1))) >> drop)
    return c0 + ((t * d) >> (spec.C1_FRACTION + spec.D_BITS - spec.C0_FRACTION))


def _pack(r):
    exponent = np.maximum(r.exponent, -126)
    shift = r.shift + np.clip(-126 - r.exponent, 0, 31)
    term = ((r.factor * _quadratic(r.row, r.d)) >> 23) >> shift
    wide = (r.whole << spec.C0_FRACTION) + np.where(r.subtract, -term, term)
    # 8 integer and 28 fraction bits; at the least exponent the leading one may stay below the 1's place
    zeros = np.minimum(36 - _bit_length(wide), np.where(exponent == -126, 7, 9))
    wide = wide << zeros
    field = np.where(wide >> 35, exponent + 134 - zeros, 0)
    rounded = ((field << 24 | (wide >> 11) & 0xFFFFFF) + 1) >> 1
    return np.minimum(rounded, _INF) | np.where(r.negative, _SIGN, 0)
