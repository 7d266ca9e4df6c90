"""Layouts through the evaluator against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.compiler import layout
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, GraphError
from tests.compiler.strategies import fixed

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


def check(function, expected, *arrays, folds=(False, True)):
    """`function` of tensors gives what `expected` of arrays gives, as inputs and as constants, which it carries out."""
    for constant in folds:
        graph = Graph()
        tensors = [
            graph.constant(array) if constant else graph.input(f"x{k}", array.shape, "int32") for k, array in enumerate(arrays)
        ]
        results = function(*tensors)
        results = results if isinstance(results, list) else [results]
        for k, result in enumerate(results):
            assert not constant or result.op == "constant"
            graph.output(f"y{k}", result)
        outputs = Evaluator(graph).run({f"x{k}": array for k, array in enumerate(arrays)})
        wanted = expected(*arrays)
        for k, array in enumerate(wanted if isinstance(wanted, list) else [wanted]):
            np.testing.assert_array_equal(outputs[f"y{k}"], array)


def numbered(shape, first=1):
    return first + np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


@fixed(60)
@given(SHAPES, st.data())
def test_one_operand(shape, data):
    x, rank = numbered(shape), len(shape)
    axes = data.draw(st.permutations(range(rank)))
    check(lambda a: layout.transpose(a, axes), lambda a: a.transpose(axes), x)
    check(lambda a: layout.reshape(a, (-1, shape[0])), lambda a: a.reshape(-1, shape[0]), x)
    key = tuple(slice(*sorted(data.draw(st.tuples(st.integers(0, n - 1), st.just(n))))) for n in shape)
    check(lambda a: layout.take(a, key), lambda a: a[key], x)
    check(lambda a: layout.expand(a, (3, *shape)), lambda a: np.broadcast_to(a, (3, *shape)), x)


@fixed(40)
@given(SHAPES, st.data())
def test_pad_and_cut(shape, data):
    widths = [data.draw(st.tuples(st.integers(1 - n, 3), st.integers(0, 3))) for n in shape]
    x = numbered(shape)

    def padded(a):
        for axis, (before, after) in enumerate(widths):
            a = np.delete(a, range(max(-before, 0)), axis)
            a = np.pad(a, [(max(before, 0), after) if k == axis else (0, 0) for k in range(a.ndim)])
        return a

    check(lambda a: layout.pad(a, widths), padded, x)


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
def test_pad_modes(mode):
    check(lambda a: layout.pad(a, [(1, 2), (2, 0)], mode), lambda a: np.pad(a, [(1, 2), (2, 0)], mode), numbered((4, 3)))


@fixed(40)
@given(SHAPES, st.data())
def test_concat_is_undone_by_its_pieces(shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    other = list(shape)
    other[axis] = data.draw(st.integers(1, 4))
    x, y = numbered(shape), numbered(other, 1000)
    check(lambda a, b: layout.concat([a, b], axis), lambda a, b: np.concatenate([a, b], axis), x, y)
    ends = slice(0, shape[axis]), slice(shape[axis], None)
    check(lambda a, b: [layout.along(layout.concat([a, b], axis), axis, end) for end in ends], lambda a, b: [a, b], x, y)


def test_what_changes_nothing_is_nothing():
    x = Graph().input("x", (3, 4), "fp32")
    assert layout.transpose(x, (0, 1)) is layout.reshape(x, (3, 4)) is layout.pad(x, [(0, 0)] * 2) is x
    assert layout.reshape(x, (4, 3)) is not x


@fixed(40)
@given(SHAPES, st.data())
def test_one_layout_after_another_with_operations_between(shape, data):
    axes, back = (data.draw(st.permutations(range(len(shape)))) for _ in range(2))
    x = numbered(shape)
    other = numbered([shape[axis] for axis in axes], 100)

    def both(a):
        moved = layout.transpose(a, axes)
        return layout.transpose((moved + moved * 3) - a.graph.constant(other), back)

    check(both, lambda a: (4 * a.transpose(axes) - other).transpose(back), x, folds=[False])
    check(
        lambda a: layout.take(layout.transpose(layout.pad(a, [(1, 2)] * len(shape)), axes) + 1, (..., slice(None, None, -1))),
        lambda a: (np.pad(a, [(1, 2)] * a.ndim).transpose(axes) + 1)[..., ::-1],
        x,
        folds=[False],
    )


def test_rows_that_are_brought_back_never_move():
    graph = Graph()
    x, y = (graph.input(name, (2, 3, 4), "fp32") for name in "xy")
    assert layout.swap_last(layout.swap_last(x)) is x
    scaled = layout.swap_last(x) * 2.0 + layout.swap_last(y)
    (doubled, y_again) = layout.swap_last(scaled).operands
    assert doubled.op == "elementwise" and doubled.operands[0] is x and y_again is y
    # Rows in another order are no lane movement either, so that one layout is left of three.
    joined = layout.concat([x, y], 1)
    swapped = layout.swap_last(layout.take(layout.swap_last(joined), (slice(None, None, -1),)))
    assert swapped.op == "move" and swapped.operands == (joined,)


def test_errors_name_the_sizes():
    x = Graph("g").input("x", (3, 4), "fp32")
    with pytest.raises(GraphError, match=r"x fp32\[3, 4\] has 12 elements and cannot become \[5, 2\]"):
        layout.reshape(x, (5, 2))
    with pytest.raises(GraphError, match=r"has 12 elements and cannot become \[-1, 5\]"):
        layout.reshape(x, (-1, 5))
