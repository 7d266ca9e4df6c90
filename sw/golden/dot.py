"""What one MXM pass means: dot products of int8 and of fp16 vectors.

Plain numpy. `a` is [n, K] activations (one pass per row), `w` is [K, N] weights; a result row is what one pass brings
to ACC, all N columns of it.
"""

import numpy as np

#: Longest vector for which every sum of int8 products is exact in float32: K * 2**14 <= 2**24.
INT8_MAX_K = 1024
#: Longest fp16 vector: a product of two parts is below 2**40, a sum of 3 * K of them must stay below 2**53.
FP16_MAX_K = 1024

NAN32 = np.uint32(0x7FC00000)
INF32 = np.uint32(0x7F800000)

# A finite fp16 is an integer below 2**40 times 2**-24. Its 30 binades make three parts of ten; a number of part i is
# an integer below 2**20 times 2**(10 * i - 24).
_PARTS = 3
_PART_BITS = 10


def int8_dot(a: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Exact int32 [n, N] of int8 [n, K] times int8 [K, N]. ValueError if K > INT8_MAX_K."""
    _check_depth(a, INT8_MAX_K)
    return (a.astype(np.float32) @ w.astype(np.float32)).astype(np.int32)


def fp16_dot(a: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The exact dot product rounded once to fp32, nearest even: bits, uint32 [n, N].

    `a` uint16 [n, K], `w` uint16 [K, N]: fp16 bits. Exact zero is +0; any NaN, inf * 0, or infinities of both signs
    give NAN32, otherwise an infinite product gives its infinity. ValueError if K > FP16_MAX_K.
    """
    _check_depth(a, FP16_MAX_K)
    a_finite, w_finite = _is_finite(a), _is_finite(w)
    all_finite = bool(a_finite.all() and w_finite.all())
    if not all_finite:
        special = _special(a, w, a_finite, w_finite)
        a = np.where(a_finite, a, 0)
        w = np.where(w_finite, w, 0)
    bits = _round_sums(_part_sums(_split(a), _split(w), (a.shape[0], w.shape[1])))
    return bits if all_finite else np.where(special != 0, special, bits)


def _check_depth(a: np.ndarray, limit: int) -> None:
    if a.shape[1] > limit:
        raise ValueError(f"the vector length K is {a.shape[1]}; the limit of this exact method is {limit}")


def _is_finite(x: np.ndarray) -> np.ndarray:
    return (x & 0x7C00) != 0x7C00


def _split(x: np.ndarray) -> list[np.ndarray | None]:
    """Finite fp16 bits to three float64 arrays of integers, part i in units of 2**(10*i - 24); None if all zero."""
    exponent = (x >> 10) & 31
    mantissa = (x & 0x3FF).astype(np.int64) + np.where(exponent > 0, 0x400, 0)
    shift = np.maximum(exponent, 1).astype(np.int64) - 1
    value = np.where(x & 0x8000, -mantissa, mantissa) << (shift % _PART_BITS)
    parts = []
    for i in range(_PARTS):
        inside = (shift // _PART_BITS == i) & (value != 0)
        parts.append(np.where(inside, value, 0).astype(np.float64) if inside.any() else None)
    return parts


def _part_sums(a: list, w: list, shape: tuple[int, int]) -> list[np.ndarray]:
    """int64 sums T[0..4]; the dot product is sum(T[k] * 2**(10*k - 48)). Every float64 step is exact."""
    sums = [np.zeros(shape) for _ in range(2 * _PARTS - 1)]
    for i, a_part in enumerate(a):
        for j, w_part in enumerate(w):
            if a_part is not None and w_part is not None:
                sums[i + j] += a_part @ w_part
    return [s.astype(np.int64) for s in sums]


def _round_sums(t: list[np.ndarray]) -> np.ndarray:
    """Round sum(t[k] * 2**(10*k - 48)) once to fp32 bits; |t[k]| < 2**53."""
    # Carry upwards in steps of 2**20: total = high * 2**40 + low, 0 <= low < 2**40.
    limb = (1 << 20) - 1
    bottom = t[0] + ((t[1] & limb) << 10)
    middle = t[2] + ((t[1] >> 20) << 10) + (bottom >> 20)
    upper = (t[3] & limb) << 10
    low = (bottom & limb) + (((middle + upper) & limb) << 20)
    high = t[4] + ((t[3] >> 20) << 10) + ((middle + upper) >> 20)
    # Either all bits fit an int64, or those far below the 24 kept ones are folded into one sticky bit.
    small = np.abs(high) < (1 << 20)
    whole = np.where(small, high, 0) * (1 << 40) + low
    folded = (high << 8) | (low >> 32) | ((low & 0xFFFFFFFF) != 0)
    value = np.where(
        small,
        whole.astype(np.float32) * np.float32(2.0**-48),
        folded.astype(np.float32) * np.float32(2.0**-16),
    )
    return value.astype(np.float32).view(np.uint32)


def _special(a: np.ndarray, w: np.ndarray, a_finite: np.ndarray, w_finite: np.ndarray) -> np.ndarray:
    """uint32 [n, N]: the NaN or infinity that the products of non-finite operands give, 0 where there is none."""

    def any_product(x, y):
        return (x.astype(np.float32) @ y.astype(np.float32)) > 0

    a_nan, w_nan = ~a_finite & ((a & 0x3FF) != 0), ~w_finite & ((w & 0x3FF) != 0)
    a_zero, w_zero = (a & 0x7FFF) == 0, (w & 0x7FFF) == 0
    a_inf, w_inf = ~a_finite & ~a_nan, ~w_finite & ~w_nan
    a_minus, w_minus = (a & 0x8000) != 0, (w & 0x8000) != 0
    nan = a_nan.any(axis=1)[:, None] | w_nan.any(axis=0)[None, :] | any_product(a_inf, w_zero)
    nan = nan | any_product(a_zero, w_inf)
    infinite = {}
    for minus in (False, True):
        infinite[minus] = np.zeros(nan.shape, bool)
        for a_sign in (False, True):
            a_this, w_this = a_minus == a_sign, w_minus == (a_sign != minus)
            infinite[minus] |= any_product(a_inf & a_this, ~w_zero & w_this)
            infinite[minus] |= any_product(~a_zero & a_this, w_inf & w_this)
    result = np.where(infinite[False], INF32, np.uint32(0)) | np.where(infinite[True], INF32 | 0x80000000, 0)
    return np.where(nan | (infinite[False] & infinite[True]), NAN32, result).astype(np.uint32)
