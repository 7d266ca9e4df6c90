"""Graphs compiled and run on the golden model, beside the evaluation that says what they mean."""

from collections.abc import Mapping, Sequence

import numpy as np

from sw.arch.config import Config, load
from sw.compiler.compiled import compile_graph
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph
from sw.golden.chip import GoldenMachine

#: 16 lanes and long queues, everything else as `small` has it.
VL16 = load("small").replace(superlanes=1, queue_words=4096, name="vl16")
#: Lengths of a last axis around one vector of it.
LENGTHS = (1, 3, 15, 16, 21, 32)

Values = Mapping[str, np.ndarray]


def some(shape: Sequence[int], dtype: str, rng: np.random.Generator) -> np.ndarray:
    """Values that float types hold exactly, so that sums of them do not depend on their order."""
    kind = np.dtype({"fp16": "f2", "fp32": "f4"}.get(dtype, dtype))
    if kind.kind == "f":
        return (rng.integers(-64, 65, shape) / 8).astype(kind)
    bits = 7 if dtype == "int8" else 12
    return rng.integers(-(1 << bits), 1 << bits, shape).astype(kind)


def some_inputs(graph: Graph, rng: np.random.Generator) -> Values:
    """Values for all inputs of a graph."""
    return {name: some(tensor.shape, tensor.dtype.text, rng) for name, tensor in graph.inputs.items()}


def given(graph: Graph, rng: np.random.Generator, runs: int = 1) -> list[Values]:
    """Values for all inputs of a graph in some runs."""
    return [some_inputs(graph, rng) for _ in range(runs)]


def run(graph: Graph, runs: Sequence[Values], config: Config = VL16) -> list[Values]:
    """Outputs of runs that follow each other on the golden model."""
    compiled, machine = compile_graph(graph, config), GoldenMachine(config)
    compiled.load(machine)
    return [compiled.step(machine, inputs) for inputs in runs]


def agree(graph: Graph, runs: Sequence[Values], config: Config = VL16, rtol: float = 0.0) -> list[Values]:
    """Runs a graph on the golden model and asserts that it does what the evaluator does; gives the outputs."""
    results, meaning = run(graph, runs, config), Evaluator(graph, config.vl)
    for number, (inputs, result) in enumerate(zip(runs, results, strict=True)):
        for name, expected in meaning.run(inputs).items():
            assert result[name].dtype == expected.dtype and result[name].shape == expected.shape
            np.testing.assert_allclose(
                result[name], expected, rtol=rtol, atol=rtol, err_msg=f"output '{name}' of run {number}"
            )
    return results
