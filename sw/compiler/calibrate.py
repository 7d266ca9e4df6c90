"""What goes through a graph's products on sample inputs."""

from collections.abc import Mapping

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, Tensor


def products(graph: Graph) -> dict[str, Tensor]:
    """The FP16 products with constant weights [n, k] by name, in order; a second one of a name gets `#2` behind it."""
    found: dict[str, Tensor] = {}
    for tensor in graph.tensors:
        if tensor.op != "dot" or tensor.operands[1].op != "constant":
            continue
        weights = tensor.operands[1]
        if weights.dtype is DType.FP16 and len(weights.shape) == 2:
            name, number = tensor.name, 2
            while name in found:
                name, number = f"{tensor.name}#{number}", number + 1
            found[name] = tensor
    return found


class Recorder:
    """Runs a graph on sample inputs and keeps what its products' weights are multiplied by."""

    def __init__(self, graph: Graph, vl: int = 64):
        self._graph, self._vl = graph, vl
        self._products = products(graph)
        self._rows: dict[str, list[np.ndarray]] = {name: [] for name in self._products}
        self.restart()

    def restart(self) -> None:
        """States are as they were initially; what was recorded stays."""
        self._machine = Evaluator(self._graph, self._vl)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs by name."""
        outputs = self._machine.run(inputs)
        for name, product in self._products.items():
            value = self._machine.values[product.operands[0]]
            self._rows[name].append(value.reshape(-1, value.shape[-1]).astype(np.float32))
        return outputs

    @property
    def samples(self) -> dict[str, np.ndarray]:
        """Float32 [rows, k] by product, from all runs so far; empty before the first."""
        return {name: np.concatenate(rows) for name, rows in self._rows.items() if rows}
