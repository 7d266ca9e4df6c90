"""Products of every shape and origin: compiled, on the golden model, against the evaluator and plain numpy."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.compiler import layout
from sw.compiler.chip import Chip
from sw.compiler.graph import Graph
from sw.compiler.lower.lowering import Lowering
from sw.compiler.normalise import normalise
from sw.compiler.tasks import Product, Reduction
from tests.compiler.machines import LENGTHS, VL16, agree, given, some


@pytest.mark.parametrize("kind", ["constant", "input", "computed", "state"])
@pytest.mark.parametrize("dtype", ["int8", "fp16"])
@pytest.mark.parametrize("k", LENGTHS)
def test_products_of_every_length(k, dtype, kind, rng):
    graph = Graph()
    for m in (1, 5):
        a = graph.input(f"a{m}", (m, k), dtype)
        for n in (1, 3, 16, 21):
            values = some((n, k), dtype, rng)
            if kind == "constant":
                b = graph.constant(values)
            elif kind == "state":
                b = graph.state(f"b{m}{n}", values)
            else:
                b = graph.input(f"b{m}{n}", (n, k), dtype)
            if kind == "computed":
                b = graph.elementwise("MASK", b, graph.constant(some((n, k), dtype, rng)))
            graph.output(f"y{m} {n}", graph.dot(a, b))
    agree(graph, given(graph, rng))


@pytest.mark.parametrize("dtype", ["int8", "fp16"])
@pytest.mark.parametrize(("m", "k", "n"), [(300, 16, 16), (300, 33, 40), (129, 48, 5), (40, 50, 100)])
def test_products_of_many_rows_are_divided(m, k, n, dtype, rng):
    graph = Graph()
    a, b = graph.input("a", (m, k), dtype), graph.constant(some((n, k), dtype, rng))
    graph.output("y", graph.dot(a, b))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    expected = values["a"].astype(np.float64) @ b.attributes["values"].T.astype(np.float64)
    assert (result["y"] == expected).all()


@pytest.mark.parametrize("k", LENGTHS)
def test_products_in_batches(k, rng):
    graph = Graph()
    a, b = graph.input("a", (2, 3, 4, k), "fp16"), graph.input("b", (2, 3, 18, k), "fp16")
    graph.output("y", graph.dot(a, b))
    graph.output("z", graph.dot(a, graph.constant(some((7, k), "fp16", rng))))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    assert (result["y"] == values["a"].astype(np.float32) @ values["b"].astype(np.float32).swapaxes(-1, -2)).all()


def test_what_stands_in_several_batches_is_computed_once(rng):
    """Keys and values of one head for several, as grouped queries take them."""
    graph, repeats = Graph(), 3
    q = graph.input("q", (2, repeats, 4, 16), "fp16")
    k = layout.expand(graph.input("k", (2, 1, 6, 16), "fp32"), (2, repeats, 6, 16))
    scores = graph.dot(q, (k * 0.5).to("fp16"))
    graph.output("scores", scores)
    graph.output("least", graph.reduce("MIN", graph.reduce("MIN", k, 1), 3))
    graph.output("sum", graph.reduce("SUM", graph.reduce("SUM", k, 3), 1))
    tasks = Lowering(normalise(graph, VL16.vl), Chip(VL16)).tasks
    assert sum(isinstance(task, Product) for task in tasks) == 2
    assert sum(len(task.outs) for task in tasks if isinstance(task, Reduction)) == 2 * 2 * 6
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    assert (result["scores"] == values["q"].astype(np.float32) @ (values["k"] / 2).swapaxes(-1, -2)).all()
    assert (result["sum"][:, 0, :, 0] == repeats * values["k"][:, 0].sum(-1)).all()


def test_lanes_left_over_do_not_reach_a_product(rng):
    """Ones, infinities and NaNs beyond the last axis, on either side."""
    graph = Graph()
    x = graph.input("x", (3, 21), "fp32")
    weights = graph.constant(some((4, 21), "fp16", rng))
    with np.errstate(all="ignore"):
        for k, y in enumerate((x + 1.0, graph.elementwise("RECIP", graph.elementwise("ABS", x) + 0.0), x - x * 1e38)):
            graph.output(f"y{k}", graph.dot(graph.elementwise("MIN", y, 8.0).to("fp16"), weights))
            graph.output(f"z{k}", graph.dot(weights, graph.elementwise("MIN", y, 8.0).to("fp16")))
    inputs = {"x": 2.0 ** rng.integers(-1, 2, (3, 21)).astype(np.float32)}
    (result,) = agree(graph, [inputs], rtol=1e-6)
    expected = (inputs["x"] + 1).astype(np.float64) @ weights.attributes["values"].T
    assert (result["y0"] == expected).all()


def test_a_product_with_itself_and_with_its_own_result(rng):
    graph = Graph()
    x = graph.input("x", (5, 20), "fp16")
    y = graph.dot(x, x)
    graph.output("y", y)
    z = graph.elementwise("MIN", graph.elementwise("MAX", y, -8.0), 8.0).to("fp16")
    graph.output("z", graph.dot(z, z))
    agree(graph, given(graph, rng), rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("k", "n"), [(3, 3), (5, 5), (6, 7), (1, 3), (9, 1)])
def test_products_that_go_on_divide_unevenly_over_planes(k, n, rows, rng):
    graph, config = Graph(), load("small")
    x = graph.input("x", (rows, config.vl * k), "fp16")
    inner = graph.dot(x, graph.constant(some((config.vl * n, config.vl * k), "fp16", rng))) * 2.0**-12
    small = graph.elementwise("RELU", inner).to("int8")
    graph.output("y", graph.dot(small, graph.constant(some((config.vl, config.vl * n), "int8", rng))))
    agree(graph, given(graph, rng), config)
