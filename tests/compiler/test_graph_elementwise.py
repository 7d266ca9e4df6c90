"""Elementwise operations of every shape and type: compiled, on the golden model, against the evaluator and plain numpy."""

import numpy as np
import pytest

from sw.compiler.graph import Graph
from tests.compiler.machines import LENGTHS, agree, given, some


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "fp32"])
@pytest.mark.parametrize("last", LENGTHS)
def test_operands_are_broadcast_as_numpy_does_it(last, dtype, rng):
    graph = Graph()
    shapes = {"a": (2, 3, last), "b": (3, last), "c": (2, 1, 1), "d": (last,), "e": (), "f": (1, 3, 1)}
    a, *others = (graph.input(name, shape, dtype) for name, shape in shapes.items())
    for k, other in enumerate(others):
        graph.output(f"y{k}", a - other)
        graph.output(f"z{k}", graph.elementwise("MAX", other, a))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    a, *others = values.values()
    for k, other in enumerate(others):
        assert (result[f"z{k}"] == np.maximum(a, other)).all()


@pytest.mark.parametrize("mask", ["compared", "constant", "input", "broadcast", "column"])
@pytest.mark.parametrize("dtype", ["int8", "int16", "fp16", "fp32"])
def test_select_takes_masks_of_every_origin(mask, dtype, rng):
    graph = Graph()
    a, b = (graph.input(name, (4, 21), dtype) for name in "ab")
    known = -rng.integers(0, 2, (4, 21)).astype(np.int8)
    if mask == "compared":
        chosen = graph.elementwise("LT", graph.input("x", (4, 21), "fp32"), graph.input("y", (4, 21), "fp32"))
    elif mask == "constant":
        chosen = graph.constant(known)
    else:
        chosen = graph.input("m", {"input": (4, 21), "broadcast": (21,), "column": (4, 1)}[mask], "int8")
    graph.output("y", graph.elementwise("SELECT", chosen, a, b))
    graph.output("z", graph.elementwise("SELECT", chosen, graph.elementwise("SELECT", chosen, b, a), 1))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    bits = known if mask == "constant" else values["x"] < values["y"] if mask == "compared" else values["m"] & 1
    assert (result["y"] == np.where(bits, values["a"], values["b"])).all()


def test_a_mask_is_also_a_value(rng):
    graph = Graph()
    a, b = graph.input("a", (2, 5), "int8"), graph.input("b", (2, 5), "int8")
    mask = graph.elementwise("GE", a, b)
    graph.output("y", graph.elementwise("SELECT", mask, mask, a))
    graph.output("n", graph.reduce("SUM", mask.to("int32"), 1))
    agree(graph, given(graph, rng))


def test_values_used_twice_leave_their_chain(rng):
    graph = Graph()
    a, b = graph.input("a", (20, 21), "fp32"), graph.input("b", (20, 21), "fp32")
    x = a + b
    square = x * x
    graph.output("y", graph.elementwise("RELU", square - a) + square)
    graph.output("z", graph.elementwise("MAX", x, square * x))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    x = values["a"] + values["b"]
    assert (result["y"] == np.maximum(x * x - values["a"], 0) + x * x).all()


@pytest.mark.parametrize("length", [15, 16, 17, 40])
@pytest.mark.parametrize("head", ["SELECT", "ADD", "EXP2"])
def test_chains_longer_than_the_vector_unit(head, length, rng):
    graph = Graph()
    a, m = graph.input("a", (3, 16), "fp32"), graph.input("m", (3, 16), "int8")
    x = graph.elementwise("SELECT", m, a, -2.0) if head == "SELECT" else a + 1.5 if head == "ADD" else a
    for k in range(length):
        x = x + a if k % 2 else graph.elementwise("MIN", x, 99.0)
    graph.output("y", graph.elementwise("EXP2", graph.elementwise("MIN", x, 1.0)) if head == "EXP2" else x)
    agree(graph, given(graph, rng), rtol=1e-6 if head == "EXP2" else 0.0)


def test_every_type_becomes_every_other(rng):
    graph = Graph()
    types = ("int8", "int16", "int32", "fp16", "fp32")
    for kind in types:
        x = graph.input(kind, (2, 19), kind)
        for other in types:
            graph.output(f"{kind} {other}", graph.elementwise("MOV", x).to(other))
    agree(graph, given(graph, rng))


def test_the_same_bits_as_another_type(rng):
    graph = Graph()
    a, b = graph.input("a", (2, 19), "fp32"), graph.input("b", (2, 19), "int16")
    bits = graph.elementwise("BITCAST", a, to=graph.constant(0, "int32").dtype)
    graph.output("exponent", graph.elementwise("AND", graph.elementwise("SHR", bits, 23), 255))
    graph.output("b", graph.elementwise("BITCAST", b, to=graph.constant(0, "fp16").dtype))
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs)
    assert (result["exponent"] == values["a"].view(np.int32) >> 23 & 255).all()


@pytest.mark.parametrize("kind", ["input", "constant", "state", "computed"])
@pytest.mark.parametrize("dtype", ["int16", "int32"])
@pytest.mark.parametrize("last", LENGTHS)
def test_bytes_of_integers(last, dtype, kind, rng):
    graph = Graph()
    values = some((3, last), dtype, rng)
    if kind == "constant":
        x = graph.constant(values, dtype)
    else:
        x = graph.state("x", values, dtype) if kind == "state" else graph.input("x", (3, last), dtype)
    known = values
    if kind == "computed":
        x, known = graph.elementwise("XOR", x, 128), values ^ 128
    parts = graph.bytes(x)
    weights = rng.integers(-9, 10, (40, last)).astype(np.int8)
    graph.output("parts", parts)
    graph.output("twice", parts + parts)
    graph.output("product", graph.dot(parts, graph.constant(weights)))
    graph.output("whole", graph.elementwise("ADD", x, 1))
    expected = np.moveaxis(np.ascontiguousarray(known)[..., None].view(np.int8), -1, 0)
    for result in agree(graph, [{"x": values} if "x" in graph.inputs else {}] * 2):
        assert (result["parts"] == expected).all()
        assert (result["product"] == expected.astype(np.int32) @ weights.T.astype(np.int32)).all()


@pytest.mark.parametrize("overflow", ["sat", "mod"])
def test_integers_saturate_or_wrap(overflow):
    graph = Graph()
    for kind in ("int8", "int16", "int32"):
        info = np.iinfo(kind)
        a = graph.constant(np.array([info.min, -1, 0, 1, info.max], kind)[None])
        x = graph.input(kind, (5, 5), kind)
        for fn in ("ADD", "SUB", "MUL"):
            graph.output(f"{kind} {fn}", graph.elementwise(fn, x, a, overflow=overflow))
        for fn in ("ABS", "NEG"):
            graph.output(f"{kind} {fn}", graph.elementwise(fn, x, overflow=overflow))
    edges = {k: np.array([np.iinfo(k).min, -1, 0, 1, np.iinfo(k).max], k) for k in ("int8", "int16", "int32")}
    agree(graph, [{k: np.repeat(v[:, None], 5, axis=1) for k, v in edges.items()}])
