"""What INT8 products cost in precision: each product against the graph in floating point."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.calibrate import products
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, GraphError, Tensor


@dataclass(frozen=True)
class ProductError:
    """How far a product's values, or an output's, are from those in floating point, all before it being quantised too.

    sqnr_db : ratio of the signal's power to the error's in decibels; infinite without an error
    largest : largest error of an element
    rms : root mean square of the values in floating point
    """

    name: str
    sqnr_db: float
    largest: float
    rms: float

    @classmethod
    def between(cls, name: str, exact: np.ndarray, found: np.ndarray) -> "ProductError":
        """From the same values in floating point and as they came out."""
        exact, error = exact.astype(np.float64), found.astype(np.float64) - exact
        signal, noise = np.mean(exact**2), np.mean(error**2)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = 10 * np.log10(signal / noise) if noise else np.inf
        return cls(name, float(ratio), float(np.abs(error).max()), float(np.sqrt(signal)))


@dataclass(frozen=True)
class QuantizeReport:
    """Errors of products in order, then of outputs."""

    products: tuple[ProductError, ...]
    outputs: tuple[ProductError, ...]


def compared(exact: Graph, quantized: Graph, inputs: Iterable[Mapping[str, np.ndarray]], vl: int = 64) -> QuantizeReport:
    """`quantized` held against the graph that it was made from, over consecutive runs on the same inputs.

    GraphError if the outputs differ or there are no inputs.
    """
    if exact.outputs.keys() != quantized.outputs.keys():
        raise GraphError(f"The graphs '{exact.name}' and '{quantized.name}' have different outputs.")
    made: dict[str, Tensor] = {tensor.name: tensor for tensor in quantized.tensors}
    integers = {tensor.name for tensor in quantized.tensors if tensor.op == "dot" and tensor.dtype is DType.INT32}
    pairs = {name: (product, made[name]) for name, product in products(exact).items() if name in integers}
    outputs = {name: (exact.outputs[name], quantized.outputs[name]) for name in exact.outputs}
    machines = Evaluator(exact, vl), Evaluator(quantized, vl)
    seen: dict[str, list[tuple[np.ndarray, ...]]] = {name: [] for name in (*pairs, *outputs)}
    for given in inputs:
        for machine in machines:
            machine.run(given)
        for name, pair in (*pairs.items(), *outputs.items()):
            seen[name].append(tuple(machine.values[tensor] for machine, tensor in zip(machines, pair, strict=True)))
    if not all(seen.values()):
        raise GraphError("There are no inputs to compare on.")

    def errors(names: Iterable[str]) -> tuple[ProductError, ...]:
        return tuple(ProductError.between(name, *(np.stack(v) for v in zip(*seen[name], strict=True))) for name in names)

    return QuantizeReport(errors(pairs), errors(outputs))
