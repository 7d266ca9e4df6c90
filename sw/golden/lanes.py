"""Vectors of bytes on streams, and the 32-bit lanes that a group of streams makes."""

import numpy as np


def join(rows: np.ndarray) -> np.ndarray:
    """uint8 [n, streams, VL], low byte first, as uint32 [n, VL]."""
    lanes = np.zeros((len(rows), rows.shape[2], 4), np.uint8)
    lanes[:, :, : rows.shape[1]] = rows.transpose(0, 2, 1)
    return lanes.view("<u4")[:, :, 0]


def split(lanes: np.ndarray, streams: int) -> np.ndarray:
    """The low bytes of uint32 [n, VL] as uint8 [n, streams, VL]."""
    parts = np.ascontiguousarray(lanes, "<u4").view(np.uint8).reshape(*lanes.shape, 4)
    return parts[:, :, :streams].transpose(0, 2, 1)
