"""Weights as INT8 with one scale per output: to the nearest, or so that the products of sample inputs err least."""

import numpy as np

#: Share of the mean diagonal added to the inputs' correlation, so that inputs rarely seen do not make it singular.
_DAMPING = 0.01


def row_scales(weights: np.ndarray) -> np.ndarray:
    """[n, 1]: what one step of each row is worth, so that its largest weight becomes 127; 1 for a row of zeros."""
    largest = np.abs(weights).max(axis=1, keepdims=True).astype(np.float64)
    return np.where(largest > 0, largest / 127, 1.0)


def nearest(weights: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """INT8 [n, k] nearest to weights / scales."""
    return np.clip(np.rint(weights / scales), -127, 127).astype(np.int8)


def corrected(weights: np.ndarray, scales: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """INT8 [n, k] for inputs [samples, k]: each column's error is made up for by those not yet rounded.

    This is GPTQ (Frantar et al. 2022): columns in order, the rest moved along the inverse of the inputs' correlation.
    Columns that hold only zeros stay zero.
    """
    result = np.zeros(weights.shape, np.int8)
    live = np.flatnonzero(weights.any(axis=0))
    if not len(live):
        return result
    rest, seen = weights[:, live].astype(np.float64), inputs[:, live].astype(np.float64)
    correlation = seen.T @ seen
    correlation += np.eye(len(live)) * (_DAMPING * np.mean(np.diag(correlation)) + np.finfo(np.float32).tiny)
    inverse = np.linalg.cholesky(np.linalg.inv(correlation)).T
    for column, at in enumerate(live):
        result[:, at] = nearest(rest[:, column : column + 1], scales)[:, 0]
        error = (rest[:, column] - result[:, at] * scales[:, 0]) / inverse[column, column]
        rest[:, column:] -= np.outer(error, inverse[column, column:])
    return result
