"""What cannot be a graph is refused in a sentence, and what is refused or asked leaves nothing behind."""

import numpy as np
import pytest

from sw.compiler.graph import Graph, GraphError


def wrong(build, sentence):
    graph = Graph()
    graph.scope = "n"
    x, y = graph.input("x", (2, 3), "fp32"), graph.input("y", (4, 5), "int8")
    graph.state("s", np.zeros((6, 7), np.int32))
    made = len(graph.tensors)
    with pytest.raises(GraphError) as caught:
        build(graph, x, y)
    assert sentence in str(caught.value) and str(caught.value).endswith(".")
    assert len(graph.tensors) == made


OTHER = Graph("other").input("z", (2, 3), "fp32")


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda g, x, y: g.elementwise("FOO", x), "no operation 'FOO'; it has MOV, ADD"),
        (lambda g, x, y: g.elementwise("ADD", x), "Node 'n': ADD has 1 operands, it takes 2"),
        (lambda g, x, y: g.elementwise("NEG", x, x), "NEG has 2 operands, it takes 1"),
        (lambda g, x, y: g.elementwise("SELECT", x, x), "SELECT has 2 operands, it takes 3"),
        (lambda g, x, y: g.elementwise("BITCAST", x, x, to="int32"), "BITCAST has 2 operands, it takes 1"),
        (lambda g, x, y: g.elementwise("ADD", 1, 2), "ADD has no tensor among its operands"),
        (lambda g, x, y: g.elementwise("ADD", x, x, overflow="wrap"), "overflow 'wrap', it must be sat or mod"),
        (lambda g, x, y: g.elementwise("CONVERT", x), "CONVERT needs a type to give"),
        (lambda g, x, y: g.elementwise("BITCAST", x, to="int16"), "BITCAST of fp32 needs a type of 32 bits"),
        (lambda g, x, y: g.elementwise("ADD", x, y), "types fp32 and int8, convert one"),
        (lambda g, x, y: g.elementwise("SELECT", x, x, x), "SELECT chooses by x fp32[2, 3], it must be a mask in int8"),
        (lambda g, x, y: g.elementwise("EXP2", y), "EXP2 does not work on int8, it takes fp32"),
        (lambda g, x, y: x + y.to("fp64"), "The type 'fp64' is unknown; known are int8"),
        (lambda g, x, y: x + OTHER, "takes z fp32[2, 3] of another graph"),
        (lambda g, x, y: g.output("o", OTHER), "The output 'o' takes z fp32[2, 3] of another graph"),
        (lambda g, x, y: g.store("s", OTHER), "The state 's' takes z fp32[2, 3] of another graph"),
        (lambda g, x, y: g.store("t", x), "There is no state 't'; there are s"),
        (lambda g, x, y: g.store("s", x), "The state 's' is s int32[6, 7], it cannot become x fp32[2, 3]"),
        (lambda g, x, y: g.input("x", (1,), "int8"), "There are two inputs 'x'"),
        (lambda g, x, y: g.input("v", (0, 2), "int8"), "the shape [0, 2], every axis must be at least 1"),
        (lambda g, x, y: g.constant(["a"]), "A constant is of type <U1"),
        (lambda g, x, y: g.reduce("MAX", x, 2), "reduce is over axis 2 of x fp32[2, 3]"),
        (lambda g, x, y: g.reduce("PROD", x, 1), "no reduction 'PROD'; there are MAX, MIN, SUM"),
        (lambda g, x, y: g.reduce("SUM", y, 1), "over int8, it takes int32 and fp32"),
        (lambda g, x, y: g.dot(x, x), "both must be int8 or both fp16"),
        (lambda g, x, y: g.dot(y, g.states["s"]), "both must be int8 or both fp16"),
        (lambda g, x, y: g.move((x, y), np.arange(3)), "sources of several types"),
        (lambda g, x, y: g.move(x, np.arange(7)), "takes element 6 of 6"),
        (lambda g, x, y: g.bytes(y), "bytes are of int8, it takes int16 and int32"),
        (lambda g, x, y: g.gather(y, x), "the index x fp32[2, 3], it must be int16 [m, 1]"),
        (lambda g, x, y: g.scatter(y, x, y), "the index x fp32[2, 3], it must be int16 [m, 1]"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(build, sentence):
    wrong(build, sentence)


def test_a_state_takes_the_type_of_its_numbers_and_makes_nothing_else():
    graph = Graph()
    state = graph.state("s", np.full((2, 3), 7, np.int16))
    assert graph.tensors == [state] and state.dtype.text == "int16"
