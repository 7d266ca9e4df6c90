"""Reductions and moves over every axis: compiled, on the golden model, against the evaluator and plain numpy."""

import numpy as np
import pytest

from sw.compiler import layout
from sw.compiler.graph import Graph
from tests.compiler.machines import LENGTHS, agree, given, some


@pytest.mark.parametrize("fn", ["SUM", "MAX", "MIN"])
@pytest.mark.parametrize("dtype", ["int32", "fp32"])
@pytest.mark.parametrize("last", LENGTHS)
def test_reductions_over_every_axis(last, dtype, fn, rng):
    graph = Graph()
    x = graph.input("x", (5, 2, last), dtype)
    # Not 0 in the lanes left over.
    shifted = x - graph.constant(np.full((1, 1, 1), 99), dtype)
    for axis in range(3):
        graph.output(f"plain{axis}", graph.reduce(fn, x, axis))
        graph.output(f"shifted{axis}", graph.reduce(fn, shifted, axis))
    graph.output("all", graph.reduce(fn, graph.reduce(fn, graph.reduce(fn, shifted, 0), 2), 1))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    function = {"SUM": np.sum, "MAX": np.max, "MIN": np.min}[fn]
    for axis in range(3):
        assert (result[f"shifted{axis}"] == function(values["x"] - values["x"].dtype.type(99), axis=axis, keepdims=True)).all()


def test_reductions_of_many_terms(rng):
    graph = Graph()
    x = graph.input("x", (37, 50), "int32")
    for fn in ("SUM", "MAX", "MIN"):
        graph.output(f"{fn}0", graph.reduce(fn, x, 0))
        graph.output(f"{fn}1", graph.reduce(fn, x, 1))
    agree(graph, given(graph, rng))


MOVES = {
    "reshape": lambda x: layout.reshape(x, (-1,)),
    "columns": lambda x: layout.reshape(x, (-1, 1)),
    "transpose": layout.transpose,
    "swap": layout.swap_last,
    "slice": lambda x: layout.take(x, (slice(None), slice(1, None), slice(None, None, 2))),
    "last": lambda x: layout.take(x, (..., slice(-1, None))),
    "first": lambda x: layout.take(x, (..., slice(0, 1))),
    "row": lambda x: layout.take(x, (1, 2)),
    "reverse": lambda x: layout.take(x, (..., slice(None, None, -1))),
    "concat": lambda x: layout.concat([x, x, x], -1),
    "stack": lambda x: layout.concat([x, x], 0),
    "pad": lambda x: layout.pad(x, ((0, 1), (2, 0), (3, 1))),
    "edge": lambda x: layout.pad(x, ((0, 0), (0, 0), (1, 1)), "edge"),
    "spread": lambda x: layout.expand(layout.take(x, (..., slice(0, 1))), (2, 3, 21)),
    "zeros": lambda x: x.graph.move(x, np.full((2, 18), -1)),
    "scalar": lambda x: layout.reshape(layout.take(x, (0, 0, slice(0, 1))), ()),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("last", LENGTHS)
def test_moves_of_every_kind(last, name, rng):
    graph = Graph()
    for dtype in ("int8", "fp16", "fp32") if last < 32 else ("fp16",):
        x = graph.input(dtype, (2, 3, last), dtype)
        graph.output(dtype, MOVES[name](x))
        # What stands beside the elements is no zero now, and the result meets an operand of its own shape.
        moved = MOVES[name](graph.elementwise("MAX", x.to("fp32"), 1.0))
        graph.output(f"{dtype} computed", moved + graph.constant(some(moved.shape, "fp32", rng)))
    agree(graph, given(graph, rng))


def test_a_move_takes_from_tensors_of_several_shapes(rng):
    graph = Graph()
    parts = [graph.input(f"x{k}", shape, "int16") for k, shape in enumerate([(3, 1), (2, 21), (1,), (16,), ()])]
    total = sum(part.size for part in parts)
    graph.output("y", graph.move(parts, rng.permutation(total + 7).reshape(2, -1) - 7) if total % 2 else None)
    graph.output("z", graph.move(parts, rng.integers(-5, total, (9, 1))))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    flat = np.concatenate([value.reshape(-1) for value in values.values()])
    index = graph.outputs["z"].attributes["index"]
    assert (result["z"] == np.where(index < 0, 0, flat[index])).all()
