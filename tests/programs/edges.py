"""Values at the edges of every type, and vectors of them."""

import numpy as np

from sw.arch.config import Config
from sw.arch.dtype import DType
from tests.programs.stage import BURST


def edges(dtype: DType) -> list[int]:
    """Bit patterns: extremes, zeros, ones, subnormals, infinities and NaNs."""
    if not dtype.is_float:
        numbers = (dtype.least, dtype.least + 1, -2, -1, 0, 1, 2, 7, dtype.bits - 1, 0x55, dtype.greatest - 1, dtype.greatest)
        return [number & dtype.mask for number in numbers]
    sign, least_normal = 1 << (dtype.bits - 1), 1 << dtype.fraction_bits
    one = (dtype.infinity >> 1) + (least_normal >> 1) & ~(least_normal - 1)
    return [
        *(0, sign, 1, sign | least_normal - 1, least_normal, one),
        *(sign | one + (least_normal >> 1), dtype.infinity - 1, dtype.infinity, sign | dtype.infinity),
        *(dtype.nan, dtype.infinity + 1),
    ]


def near_integers(dtype: DType) -> list[int]:
    """Values around which conversions round and saturate."""
    if not dtype.is_float:
        return [1 << k & dtype.mask for k in range(dtype.bits)] + [(1 << k) - 1 for k in range(dtype.bits)]
    exact = [sign * (2.0**k + d) for k in (0, 1, 7, 8, 15, 16, 31) for d in (-1.5, -0.5, 0, 0.5) for sign in (1, -1)]
    with np.errstate(over="ignore"):
        return np.array(exact, dtype.numpy).view(f"u{dtype.streams}").tolist()


def pairs(c: Config, dtype: DType) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of edges, as many vectors as needed: two int64 arrays [n, VL] of bit patterns."""
    a, b = np.meshgrid(edges(dtype), edges(dtype), indexing="ij")
    return _vectors(c, a.ravel()), _vectors(c, b.ravel())


def singles(c: Config, dtype: DType) -> np.ndarray:
    """Edges and values near integers, int64 [n, VL]."""
    return _vectors(c, np.array(edges(dtype) + near_integers(dtype)))


def _vectors(c: Config, values: np.ndarray) -> np.ndarray:
    count = min(BURST, -(-len(values) // c.vl))
    return np.resize(values.astype(np.int64), (count, c.vl))
