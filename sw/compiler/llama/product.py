"""Weights as FP16 constants, and a dense product with them."""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import Graph, GraphError, Tensor


def fp16(graph: Graph, weights: np.ndarray, name: str) -> Tensor:
    """A constant of weights rounded to FP16; GraphError if one of them leaves FP16's range."""
    if (largest := np.abs(weights).max()) > np.finfo(np.float16).max:
        raise GraphError(f"The weights of '{name}' reach {largest:g}, fp16 holds at most 65504.")
    graph.scope = name
    return graph.constant(weights, DType.FP16)


def product(operand: Tensor, weights: np.ndarray, name: str) -> Tensor:
    """FP16 [m, k] times weights [n, k] in FP16: FP32 [m, n], named `name`."""
    constant = fp16(operand.graph, weights, name)
    return operand.graph.dot(operand, constant)
