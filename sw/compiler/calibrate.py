"""What goes through a graph's products on sample inputs."""

from collections.abc import Iterable, Mapping

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, Tensor

#: Inputs of consecutive runs, the first of which finds the states as they are initially.
Sequence = Iterable[Mapping[str, np.ndarray]]


def products(graph: Graph) -> dict[str, Tensor]:
    """The FP16 products with constant weights by name, in order; a second one of a name gets `#2` behind it."""
    found: dict[str, Tensor] = {}
    for tensor in graph.tensors:
        weights = tensor.operands[1] if tensor.op == "dot" else tensor
        if weights is not tensor and weights.op == "constant" and weights.dtype is DType.FP16 and len(weights.shape) == 2:
            name, number = tensor.name, 2
            while name in found:
                name, number = f"{tensor.name}#{number}", number + 1
            found[name] = tensor
    return found


def record(graph: Graph, samples: Iterable[Sequence], vl: int = 64) -> dict[str, np.ndarray]:
    """Float32 [rows, k] by product: every vector that its weights were multiplied by."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in products(graph)}
    for sequence in samples:
        machine = Evaluator(graph, vl)
        for inputs in sequence:
            machine.run(inputs)
            for name, product in products(graph).items():
                value = machine.values[product.operands[0]]
                rows[name].append(value.reshape(-1, value.shape[-1]).astype(np.float32))
    return {name: np.concatenate(values) for name, values in rows.items() if values}
