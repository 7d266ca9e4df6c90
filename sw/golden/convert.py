"""Conversion of element bit patterns between the five types."""

import numpy as np

from sw.arch.dtype import DType


def extend(dtype: DType, a: np.ndarray) -> np.ndarray:
    """Patterns of `dtype` in the low bits of `a` as canonical uint32 lanes; bits above are ignored on entry.

    Canonical integers are sign-extended, an fp16 is zero-extended.
    """
    a = np.asarray(a).astype(np.uint32)
    if dtype in (DType.INT8, DType.INT16):
        return a.astype(dtype.numpy).astype(np.int32).view(np.uint32)
    return a & np.uint32(dtype.mask)


def values(dtype: DType, a: np.ndarray) -> np.ndarray:
    """Patterns in the low bits of `a` as numbers of numpy's type of the same meaning."""
    unsigned = np.dtype(f"u{dtype.streams}")
    return np.asarray(a).astype(np.uint32).astype(unsigned).view(dtype.numpy)


def patterns(dtype: DType, x: np.ndarray) -> np.ndarray:
    """Numbers of numpy's type of the same meaning as canonical uint32 lanes; every NaN becomes canonical."""
    bits = extend(dtype, x.view(np.dtype(f"u{dtype.streams}")))
    return np.where(np.isnan(x), np.uint32(dtype.nan), bits) if dtype.is_float else bits


def convert(src: DType, dst: DType, a: np.ndarray) -> np.ndarray:
    """Patterns of `src` in the low bits of `a` as canonical uint32 lanes of `dst`.

    Rounds to nearest even. Integers saturate and take 0 for NaN; too large an fp16 is infinite.
    """
    x = values(src, a)
    if dst.is_float:
        with np.errstate(over="ignore", invalid="ignore"):
            # int32 passes through float64, which holds it exactly: one rounding
            wide = x if src.is_float else x.astype(np.float64)
            return patterns(dst, wide.astype(dst.numpy))
    if src.is_float:
        x = np.rint(np.where(np.isnan(x), 0, x).astype(np.float64))
    return patterns(dst, np.clip(x, dst.least, dst.greatest).astype(dst.numpy))
