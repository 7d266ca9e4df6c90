"""What the switch units do with vectors: moves between lanes, and reduction over them."""

import numpy as np

from sw.arch.dtype import DType
from sw.golden.scalar import evaluate


def _along(vectors: np.ndarray, lanes: np.ndarray) -> np.ndarray:
    """out[n, i] = vectors[n, lanes[n, i]]; a lane below 0 or beyond the last gives 0."""
    inside = (lanes >= 0) & (lanes < vectors.shape[1])
    return np.where(inside, np.take_along_axis(vectors, np.where(inside, lanes, 0), 1), 0).astype(np.uint8)


def shift(src: np.ndarray, count: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """uint8 [n, VL] moved `count` [n] lanes: `direction` [n, VL] 0 unshifted, 1 north, 2 south, else zero."""
    here = np.arange(src.shape[1])
    away = src.shape[1]
    cases = [direction == 0, direction == 1, direction == 2]
    return _along(src, here + np.select(cases, [0, -count[:, None], count[:, None]], away))


def permute(src: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """out[i] = src[low[i] + 256 * high[i]], 0 for an index beyond the last lane; all uint8 [n, VL]."""
    return _along(src, low + 256 * high.astype(np.int64))


def distribute(src: np.ndarray, index: np.ndarray, lanes: int) -> np.ndarray:
    """The same within superlanes of `lanes` lanes."""
    flat = src.reshape(-1, lanes)
    return _along(flat, index.reshape(-1, lanes).astype(np.int64)).reshape(src.shape)


def rotate(src: np.ndarray, lanes: int) -> np.ndarray:
    """uint8 [batch, n, VL] to [batch, n * n, VL]: every stream rotated by 0 ... n - 1 in groups of n."""
    batch, n, vl = src.shape
    whole = lanes // n * n
    # Groups begin anew in every superlane.
    lane = np.arange(vl) % lanes
    start = np.arange(vl) - lane % n
    out = [
        np.where(lane < whole, src[:, i, np.where(lane < whole, start + (lane + j) % n, 0)], 0)
        for i in range(n)
        for j in range(n)
    ]
    return np.stack(out, axis=1).astype(np.uint8)


def transpose(src: np.ndarray, lanes: int) -> np.ndarray:
    """uint8 [batch, lanes, VL] with streams and lanes exchanged in every superlane."""
    batch, streams, vl = src.shape
    return src.reshape(batch, streams, vl // lanes, lanes).transpose(0, 3, 2, 1).reshape(src.shape)


def reduce(values: np.ndarray, fn: str, dtype: DType, lanes: int) -> np.ndarray:
    """uint32 [n, VL] to [n]: a tree over pairs of neighbours, within superlanes and then over superlanes."""
    name = {"MAX": "MAX", "MIN": "MIN", "SUM": "ADD"}[fn]
    level = values.reshape(len(values), -1, lanes)
    for _ in range(2):
        while level.shape[2] > 1:
            even = level.shape[2] // 2 * 2
            pairs = evaluate(name, dtype, level[:, :, 0:even:2], level[:, :, 1:even:2], modular=True)
            level = np.concatenate((pairs, level[:, :, even:]), axis=2)
        level = level.transpose(0, 2, 1)
    return level.reshape(len(values))
