"""Graphs as programs on the golden model: every primitive in every shape, against the evaluator and plain numpy."""

import numpy as np
import pytest

from sw.compiler import layout
from sw.compiler.graph import Graph
from tests.compiler.machines import LENGTHS, agree, some, some_inputs

SEED = 20261124


@pytest.fixture
def rng():
    print("seed", SEED)
    return np.random.default_rng(SEED)


def given(graph, rng, runs=1):
    """Values for some runs."""
    return [some_inputs(graph, rng) for _ in range(runs)]


# Elementwise ---------------------------------------------------------------------------------------------------


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


# Products ------------------------------------------------------------------------------------------------------


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


# Reductions ----------------------------------------------------------------------------------------------------


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


# Moves ---------------------------------------------------------------------------------------------------------

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


# Tables --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "int16", "fp16", "fp32"])
@pytest.mark.parametrize("width", LENGTHS)
@pytest.mark.parametrize("kind", ["constant", "state"])
def test_rows_are_gathered(kind, width, dtype, rng):
    graph = Graph()
    values = some((23, width), dtype, rng)
    table = graph.constant(values) if kind == "constant" else graph.state("table", values)
    index = graph.input("index", (18, 1), "int16")
    graph.output("y", graph.gather(table, index))
    rows = rng.integers(-1, 23, (18, 1)).astype(np.int16)
    (result,) = agree(graph, [{"index": rows}])
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


# States --------------------------------------------------------------------------------------------------------


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


# Inputs and outputs --------------------------------------------------------------------------------------------


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
