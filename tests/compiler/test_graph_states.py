"""Gathered and scattered rows, states, inputs and outputs: compiled, on the golden model, against evaluator and numpy."""

import numpy as np
import pytest

from sw.compiler import layout
from sw.compiler.graph import Graph
from tests.compiler.machines import LENGTHS, agree, given, some


@pytest.mark.parametrize("dtype", ["int8", "int16", "fp16", "fp32"])
@pytest.mark.parametrize("width", LENGTHS)
@pytest.mark.parametrize("kind", ["constant", "state", "input"])
def test_rows_are_gathered(kind, width, dtype, rng):
    graph = Graph()
    values = some((23, width), dtype, rng)
    if kind == "input":
        table = graph.input("table", values.shape, dtype)
    else:
        table = graph.constant(values) if kind == "constant" else graph.state("table", values)
    index = graph.input("index", (18, 1), "int16")
    graph.output("y", graph.gather(table, index))
    rows = rng.integers(-1, 23, (18, 1)).astype(np.int16)
    (result,) = agree(graph, [{"index": rows} | ({"table": values} if kind == "input" else {})])
    assert (result["y"] == np.where(rows < 0, values.dtype.type(0), values[rows[:, 0]])).all()


@pytest.mark.parametrize("dtype", ["int8", "fp16", "int32", "fp32"])
@pytest.mark.parametrize("width", LENGTHS)
def test_rows_are_scattered_and_read_from_run_to_run(width, dtype, rng):
    graph = Graph()
    values = some((9, width), dtype, rng)
    table = graph.state("table", values)
    index, rows = graph.input("index", (3, 1), "int16"), graph.input("rows", (3, width), dtype)
    after = graph.scatter(table, index, rows)
    graph.store("table", after)
    graph.output("before", graph.gather(table, index))
    graph.output("after", graph.gather(after, graph.input("at", (9, 1), "int16")))
    runs = [
        {
            "index": rng.integers(-1, 9, (3, 1)).astype(np.int16),
            "rows": some((3, width), dtype, rng),
            "at": np.arange(9, dtype=np.int16)[:, None],
        }
        for _ in range(4)
    ]
    for result, inputs in zip(agree(graph, runs), runs, strict=True):
        for row, new in zip(inputs["index"][:, 0], inputs["rows"], strict=True):
            if row >= 0:
                values[row] = new
        assert (result["after"] == values).all()


@pytest.mark.parametrize("dtype", ["int8", "fp16"])
@pytest.mark.parametrize("width", [1, 3, 16, 21, 70])
@pytest.mark.parametrize("rows", [1, 3, 8, 13, 16, 37, 70])
def test_rows_scattered_become_weights(rows, width, dtype, rng):
    graph = Graph()
    table = graph.state("table", some((rows, width), dtype, rng))
    index, row = graph.input("index", (1, 1), "int16"), graph.input("row", (1, width), dtype)
    x = graph.input("x", (2, width), dtype)
    after = graph.scatter(table, index, row)
    graph.store("table", after)
    graph.output("y", graph.dot(x, after))
    runs = given(graph, rng, 5)
    for k, inputs in enumerate(runs):
        inputs["index"] = np.int16([[(3 * k) % (rows + 1) - 1]])
    agree(graph, runs)


def test_of_rows_with_one_index_the_last_stays(rng):
    """The first row comes late, the second is there from the beginning."""
    graph = Graph()
    table = graph.state("table", some((6, 16), "fp32", rng))
    x = graph.input("x", (1, 16), "fp32")
    late = graph.elementwise("TANH", graph.reduce("SUM", x, 1)) + x
    rows = layout.concat([late, graph.input("row", (1, 16), "fp32")], 0)
    graph.store("table", graph.scatter(table, graph.constant([[1], [1]], "int16"), rows))
    graph.output("y", graph.stores["table"])
    (values,) = runs = given(graph, rng)
    (result,) = agree(graph, runs, rtol=1e-5)
    assert (result["y"][1] == values["row"][0]).all()


def test_a_state_takes_what_was_computed(rng):
    graph = Graph()
    x = graph.input("x", (3, 21), "fp32")
    total = graph.state("total", some((3, 21), "fp32", rng))
    graph.store("total", total + x)
    graph.output("y", total * 2.0)
    largest = graph.state("largest", np.full((3, 1), -99, np.float32))
    most = graph.elementwise("MAX", largest, graph.reduce("MAX", x, 1))
    graph.store("largest", most)
    graph.output("most", most)
    agree(graph, given(graph, rng, 4))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "fp32"])
def test_a_counter_counts(dtype):
    graph = Graph()
    n = graph.state("n", np.zeros((1, 1)), dtype)
    graph.store("n", n + 1)
    graph.output("n", n + 0)
    assert [int(result["n"][0, 0]) for result in agree(graph, [{}] * 4)] == [0, 1, 2, 3]


def test_a_state_takes_an_input_a_constant_and_another_state(rng):
    graph = Graph()
    x = graph.input("x", (2, 19), "int16")
    first, second = graph.state("first", some((2, 19), "int16", rng)), graph.state("second", some((2, 19), "int16", rng))
    flag = graph.state("flag", np.zeros((2, 19)), "int16")
    graph.store("first", x)
    graph.store("second", first)
    graph.store("flag", graph.constant(np.ones((2, 19)), "int16"))
    graph.output("y", first + second + flag)
    agree(graph, given(graph, rng, 4))


def test_states_change_places(rng):
    graph = Graph()
    a, b = graph.state("a", some((2, 19), "int16", rng)), graph.state("b", some((2, 19), "int16", rng))
    graph.store("a", b)
    graph.store("b", a)
    graph.output("y", a + 0)
    agree(graph, [{}] * 3)


def test_what_a_state_was_is_an_output(rng):
    graph = Graph()
    x = graph.input("x", (2, 19), "int16")
    state, table = graph.state("state", some((2, 19), "int16", rng)), graph.state("table", some((5, 16), "int16", rng))
    graph.store("state", x)
    graph.store("table", graph.scatter(table, graph.constant([[1]], "int16"), graph.input("row", (1, 16), "int16")))
    graph.output("was", state)
    graph.output("table", table)
    agree(graph, given(graph, rng, 3))


def test_what_a_state_becomes_is_an_output(rng):
    graph = Graph()
    x, table = graph.input("x", (2, 19), "int16"), graph.state("table", some((5, 16), "int16", rng))
    graph.state("state", some((2, 19), "int16", rng))
    graph.store("state", x)
    graph.store("table", graph.scatter(table, graph.constant([[1]], "int16"), graph.input("row", (1, 16), "int16")))
    graph.output("becomes", graph.stores["state"])
    graph.output("table", graph.stores["table"])
    agree(graph, given(graph, rng, 3))


def test_elements_of_a_state_are_moved_before_it_changes(rng):
    graph = Graph()
    window = graph.state("window", np.zeros((1, 40)), "fp32")
    x = graph.input("x", (1, 8), "fp32")
    graph.store("window", layout.concat([layout.take(window, (slice(None), slice(8, None))), x], 1))
    graph.output("mean", graph.reduce("SUM", graph.stores["window"], 1))
    agree(graph, given(graph, rng, 7))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "fp16", "fp32"])
@pytest.mark.parametrize("last", LENGTHS)
def test_constants_and_inputs_are_outputs(last, dtype, rng):
    graph = Graph()
    x = graph.input("x", (3, last), dtype)
    known = graph.constant(some((3, last), dtype, rng))
    graph.output("x", x)
    graph.output("again", x)
    graph.output("known", known)
    graph.output("zero", graph.constant(np.zeros((2, last)), dtype))
    graph.output("both", layout.concat([x, known], 0))
    agree(graph, given(graph, rng, 2))


def test_a_graph_of_constants_alone_has_outputs(rng):
    graph = Graph()
    known = graph.constant(some((3, 21), "fp32", rng))
    graph.output("y", known * 2.0)
    agree(graph, [{}])


def test_an_input_that_nobody_reads_is_taken(rng):
    graph = Graph()
    graph.input("idle", (2, 5), "fp16")
    graph.output("y", graph.input("x", (2, 5), "fp32") + 1.0)
    agree(graph, given(graph, rng))
