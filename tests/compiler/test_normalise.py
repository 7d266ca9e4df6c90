"""The first pass: what it makes once, and what it leaves out."""

import numpy as np
import pytest

from sw.compiler.graph import Graph
from sw.compiler.normalise import normalise
from tests.compiler.machines import VL16, agree, given


def made(graph):
    """The operations of the normalised graph."""
    found = normalise(graph, VL16.vl)
    return sorted(tensor.attributes.get("fn", tensor.op) for tensor in found.tensors if tensor.operands)


@pytest.mark.parametrize(("fn", "mask"), [("MAX", "SELECT"), ("SUM", "MASK")])
def test_lanes_left_over_are_masked_once_and_reduced_once(fn, mask, rng):
    graph = Graph()
    x = graph.input("x", (3, 21), "fp32") + 1.0
    graph.output("y", graph.reduce(fn, x, 1))
    graph.output("z", -graph.reduce(fn, x, 1))
    assert made(graph) == sorted(["ADD", mask, fn, "NEG"])
    agree(graph, given(graph, rng), rtol=1e-6)


def test_one_operand_of_two_products_is_masked_once(rng):
    graph = Graph()
    x = graph.elementwise("EXP2", graph.input("x", (3, 21), "fp32")).to("fp16")
    for name in "ab":
        other = graph.elementwise("EXP2", graph.input(name, (5, 21), "fp32")).to("fp16")
        graph.output(f"y{name}", graph.dot(other, x))
    assert made(graph).count("MASK") == 1
    agree(graph, given(graph, rng), rtol=1e-6)


def test_a_product_over_one_element_makes_nothing_of_a_constant(rng):
    graph = Graph()
    x, column = graph.input("x", (3, 1), "fp16"), np.arange(5).reshape(5, 1)
    graph.output("y", graph.dot(x, graph.constant(column, "fp16")))
    assert made(graph) == ["MASK", "dot"]
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    assert (result["y"] == values["x"].astype(np.float32) * column.T).all()
