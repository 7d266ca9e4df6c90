"""How a dense product with constant weights is done: the types of its operands."""

from typing import Protocol

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import Graph, GraphError, Tensor


class Product(Protocol):
    """A way to multiply FP32 activations by constant weights."""

    def operand(self, a: Tensor, name: str) -> Tensor:
        """FP32 activations [m, k] as the products of `name` take them; shared by products of the same activations."""

    def dot(self, operand: Tensor, weights: np.ndarray, name: str) -> Tensor:
        """What `operand` made, times weights [n, k]: FP32 [m, n]."""


class Fp16Product:
    """Activations and weights in FP16, sums in FP32."""

    def __init__(self, graph: Graph):
        self.graph = graph

    def operand(self, a: Tensor, name: str) -> Tensor:
        """The activations rounded to FP16."""
        self.graph.scope = name
        return a.to(DType.FP16)

    def dot(self, operand: Tensor, weights: np.ndarray, name: str) -> Tensor:
        """The product with weights rounded to FP16; GraphError if one of them leaves FP16's range."""
        if (largest := np.abs(weights).max()) > np.finfo(np.float16).max:
            raise GraphError(f"The weights of '{name}' reach {largest:g}, fp16 holds at most 65504.")
        self.graph.scope = name
        return self.graph.dot(operand, self.graph.constant(weights, DType.FP16))
