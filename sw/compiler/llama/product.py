"""A dense product with constant weights."""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import GraphError, Tensor


def product(operand: Tensor, weights: np.ndarray, name: str) -> Tensor:
    """FP16 [m, k] times weights [n, k] rounded to FP16: FP32 [m, n]; GraphError if a weight leaves FP16's range."""
    graph = operand.graph
    if (largest := np.abs(weights).max()) > np.finfo(np.float16).max:
        raise GraphError(f"The weights of '{name}' reach {largest:g}, fp16 holds at most 65504.")
    graph.scope = name
    return graph.dot(operand, graph.constant(weights, DType.FP16))
