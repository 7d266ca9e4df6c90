"""Graphs over chips, on the golden system beside the evaluation that says what they mean."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.arch.system import System
from sw.asm.timeline import timeline
from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.compiled import CompiledSystem, CompileError, compile_system
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, GraphError
from sw.compiler.rebuild import remade
from sw.golden.chip import GoldenSystem
from sw.network.topology import node, ring
from tests.compiler.machines import VL16, some, some_inputs
from tests.compiler.random_graphs import Builder
from tests.compiler.strategies import fixed

#: A chip with four ports.
LINKED = VL16.replace(name="vl16 with links", c2c={"links": 2})
PAIR = node(LINKED, 2, each=2)
#: One whose links are aligned as often as a configuration may have it.
HASTY = LINKED.replace(c2c={"stretch": 1000})


def agree(graph: Graph, runs, system: System = PAIR) -> CompiledSystem:
    """Runs a graph on the golden system and asserts that it does what the evaluator does."""
    compiled, machine, meaning = compile_system(graph, system), GoldenSystem(system), Evaluator(graph, LINKED.vl)
    compiled.load(machine)
    for number, inputs in enumerate(runs):
        result = compiled.step(machine, inputs)
        for name, expected in meaning.run(inputs).items():
            np.testing.assert_array_equal(result[name], expected, err_msg=f"output '{name}' of run {number}")
    return compiled


def strewn(graph: Graph, chips: int, rng: np.random.Generator, rounds: int = 0) -> Graph:
    """The same graph, every tensor of it on any chip; tables are where their states and inputs are. Inputs go so many rounds
    over two chips before."""
    made, of = Graph(graph.name), {}
    for tensor in graph.tensors:
        operands = [of[operand] for operand in tensor.operands]
        chip = int(rng.integers(chips))
        if tensor.op in ("gather", "scatter") and operands[0].chip is not None:
            chip = operands[0].chip
        of[tensor] = remade(
            made, dataclasses.replace(tensor, chip=chip), [made.transfer(operand, chip) for operand in operands]
        )
        if tensor.op == "input":
            for turn in range(2 * rounds):
                of[tensor] = made.transfer(of[tensor], (chip + 1 - turn % 2) % chips)
    for name, value in graph.stores.items():
        made.store(name, made.transfer(of[value], made.states[name].chip))
    for name, value in graph.outputs.items():
        made.output(name, of[value])
    return made


@pytest.mark.parametrize("dtype", ["int8", "int16", "fp16", "int32", "fp32"])
def test_a_value_goes_to_another_chip_and_back(dtype, rng):
    graph = Graph()
    x = graph.input("x", (5, 21), dtype)
    there = graph.transfer(x, 1)
    graph.output("there", there)
    graph.output("back", graph.transfer(graph.elementwise("MOV", there) if dtype != "fp16" else there, 0))
    agree(graph, [some_inputs(graph, rng) for _ in range(2)])


def test_chips_work_on_each_others_results(rng):
    graph = Graph()
    x, weights = graph.input("x", (3, 32), "fp16"), some((48, 32), "fp16", rng)
    y = graph.dot(graph.transfer(x, 1), graph.constant(weights))
    z = graph.dot(graph.transfer(y.to("fp16"), 2), graph.constant(some((16, 48), "fp16", rng)))
    graph.output("z", graph.transfer(z, 0) + graph.reduce("SUM", x.to("fp32"), 1))
    agree(graph, [some_inputs(graph, rng)], ring(LINKED, 3))


def test_states_stay_on_their_chips(rng):
    graph = Graph()
    x = graph.input("x", (1, 16), "fp32")
    graph.chip = 1
    total = graph.state("total", np.zeros((1, 16), np.float32))
    graph.store("total", total + graph.transfer(x, 1))
    graph.output("before", graph.transfer(total, 0) - x)
    agree(graph, [some_inputs(graph, rng) for _ in range(4)])


@fixed(60)
@given(st.data())
def test_random_graphs_strewn_over_chips(data):
    graph = Builder(data.draw).graph
    rng = np.random.default_rng(len(graph.tensors))
    chips = int(rng.integers(2, 4))
    agree(strewn(graph, chips, rng), [some_inputs(graph, rng) for _ in range(2)], node(LINKED, chips))


@fixed(30)
@given(st.data())
def test_random_graphs_strewn_over_pauses(data):
    """Inputs go round for so long that clocks are put right before, while or after a random graph works on them."""
    graph = Builder(data.draw).graph
    rng = np.random.default_rng(len(graph.tensors))
    late = strewn(graph, 3, rng, data.draw(st.integers(8, 14), label="rounds"))
    agree(late, [some_inputs(graph, rng) for _ in range(2)], node(HASTY, 3))


def test_transfers_go_on_after_pauses(rng):
    """A value that goes round for longer than clocks keep together."""
    graph, rounds = Graph(), 40
    value = graph.input("x", (2, 16), "fp32")
    for chip in [1, 0] * rounds:
        value = graph.transfer(value, chip) * 1.5
    graph.output("y", value)
    compiled = agree(graph, [some_inputs(graph, rng) for _ in range(2)], node(HASTY, 2, each=2))
    names = [burst.word[0].instr.name for part in compiled.parts for burst in timeline(part.image).bursts]
    assert names.count("RUNTIME_DESKEW") == 2 * (compiled.body // HASTY.c2c.stretch) > 6


def test_chips_without_a_word_to_each_other_need_no_start(rng):
    graph = Graph()
    for chip in range(2):
        graph.chip = chip
        graph.output(f"y{chip}", graph.input(f"x{chip}", (4, 16), "fp32") * 2.0)
    compiled = agree(graph, [some_inputs(graph, rng)])
    assert compiled.body == max(compiled.cycles)


def test_operands_on_different_chips_are_refused():
    graph = Graph()
    x = graph.input("x", (1, 16), "fp32")
    with pytest.raises(GraphError, match="operands on chips 0 and 1, transfer them to one"):
        graph.elementwise("ADD", x, graph.transfer(x, 1))


def test_chips_that_no_link_joins_are_told():
    graph = Graph()
    graph.output("y", graph.transfer(graph.input("x", (1, 16), "fp32"), 2))
    with pytest.raises(CompileError, match="goes from chip 0 to chip 2, which no link joins"):
        compile_system(graph, ring(LINKED, 4))
    with pytest.raises(CompileError, match="has tensors on chip 2, the system's last chip is 1"):
        compile_system(graph, PAIR)


@pytest.mark.parametrize("later", [-1, 1])
@pytest.mark.parametrize("name", ["SEND", "RECEIVE"])
def test_a_frame_a_cycle_off_is_found(name, later, monkeypatch):
    graph = Graph()
    graph.output("y", graph.transfer(graph.input("x", (2, 16), "fp32"), 1))
    issue = Board.issue
    monkeypatch.setattr(
        Board, "issue", lambda self, q, cycle, what, values: issue(self, q, cycle + later * (what == name), what, values)
    )
    with pytest.raises(CompileError, match="checker refuses"):
        compile_system(graph, PAIR)


@pytest.mark.parametrize("later", [-1, 1])
def test_a_constant_of_receive_a_cycle_off_is_found(later, monkeypatch, rng):
    graph = Graph()
    graph.output("y", graph.transfer(graph.input("x", (2, 16), "fp32"), 1) + 1.0)
    timing = Chip.timing

    def other(self, name, dtype=0):
        true = timing(self, name, dtype)
        return dataclasses.replace(true, d_func=true.d_func + later) if name == "RECEIVE" else true

    monkeypatch.setattr(Chip, "timing", other)
    with pytest.raises((CompileError, AssertionError)):
        agree(graph, [some_inputs(graph, rng)])


def test_the_same_graph_gives_the_same_programs(rng):
    graph = Graph()
    x = graph.input("x", (3, 40), "fp32")
    graph.output("y", graph.transfer(graph.transfer(x + 1.0, 1) * x.graph.constant(2.0), 0))
    one, other = (compile_system(graph, PAIR) for _ in range(2))
    assert [part.image.to_bytes() for part in one.parts] == [part.image.to_bytes() for part in other.parts]
