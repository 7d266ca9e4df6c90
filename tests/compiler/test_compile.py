"""The way from a graph to a program: the same every time, refused in sentences, and checked after every pass."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sw.arch.config import load
from sw.arch.system import System
from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.compiled import CompileError, compile_graph
from sw.compiler.graph import Graph, Tensor
from sw.compiler.joint import Joint
from sw.compiler.lower.lowering import Lowering
from sw.compiler.memory import Memory
from sw.compiler.normalise import normalise
from sw.compiler.place import Placer
from sw.compiler.schedule import Schedule
from sw.compiler.verify import VerifyError, verify_graph, verify_schedule, verify_tasks
from tests.compiler.machines import VL16, agree, some, some_inputs

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261126
SCRIPT = """
from hashlib import sha256
from tests.compiler.test_compile import of_everything
from tests.compiler.machines import VL16
from sw.compiler.compiled import compile_graph
print(sha256(compile_graph(of_everything(), VL16).image.to_bytes()).hexdigest())
"""


def of_everything():
    """A graph of all ten primitives, with a state that becomes weights and one that is counted on."""
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    graph = Graph("everything")
    x, index = graph.input("x", (3, 21), "fp16"), graph.input("index", (1, 1), "int16")
    cache, count = graph.state("cache", some((20, 21), "fp16", rng)), graph.state("count", np.zeros((1, 1), np.int32))
    hidden = graph.dot(x, graph.constant(some((21, 21), "fp16", rng)))
    row = graph.reduce("MAX", graph.elementwise("RELU", hidden) * 0.5, 0).to("fp16")
    after = graph.scatter(cache, index, row)
    graph.store("cache", after)
    graph.store("count", count + 1)
    graph.output("scores", graph.reduce("SUM", graph.dot(x, after), 1))
    graph.output("back", graph.move(row, np.arange(21)[None, ::-1]))
    graph.output("row", graph.gather(graph.constant(some((9, 30), "int8", rng)), index))
    graph.output("count", count)
    graph.output("bytes", graph.bytes(count))
    return graph


def test_results_take_words_that_nobody_reads_any_more():
    rounds, rows = 60, 16
    config = VL16.replace(name="narrow", mem={"words": 64})
    assert rounds * rows * 4 > 2 * config.mem.slices * config.mem.words
    print("seed", SEED)
    rng, graph = np.random.default_rng(SEED), Graph()
    x = graph.input("x", (rows, 16), "int32")
    values = {"x": some(x.shape, "int32", rng)}
    first = x
    for _ in range(rounds):
        x = graph.elementwise("MAX", graph.move(x, np.arange(x.size).reshape(x.shape)[:, ::-1]), first) + 1
    graph.output("y", x)
    agree(graph, [values] * 2, config=config)


def test_the_image_is_the_same_in_every_process():
    images = set()
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)
        images.add(done.stdout.splitlines()[-1])
    assert len(images) == 1


@pytest.mark.parametrize("config", [VL16, load("small")], ids=lambda config: config.name)
def test_a_graph_of_everything_runs_again_and_again(config):
    graph, rng = of_everything(), np.random.default_rng(SEED)
    runs = [some_inputs(graph, rng) | {"index": np.int16([[k]])} for k in (0, 8, 3, -1)]
    assert [int(result["count"][0, 0]) for result in agree(graph, runs, config, rtol=1e-6)] == [0, 1, 2, 3]


# Refused -------------------------------------------------------------------------------------------------------


def refused(graph, sentence, config=VL16):
    with pytest.raises(CompileError, match=sentence):
        compile_graph(graph, config)


def product(dtype, shape=(16, 16)):
    graph = Graph("product")
    graph.scope = "layer 3"
    graph.output("y", graph.dot(graph.input("x", (1, shape[1]), dtype), graph.constant(np.ones(shape), dtype)))
    return graph


def test_a_chip_without_planes_has_no_products():
    config = VL16.replace(mxm={"west": 0, "east": 0})
    refused(product("fp16"), "Node 'layer 3' is a product, the chip 'vl16' has no planes", config)


def test_planes_without_a_type_refuse_it():
    config = VL16.replace(mxm={"types": ["int8"]})
    refused(product("fp16"), "Node 'layer 3' is a product of fp16, the planes do int8", config)


def test_what_does_not_fit_in_memory_is_refused():
    rng = np.random.default_rng(SEED)
    graph = Graph("large")
    weights = graph.constant(some((256, 160), "fp16", rng))
    graph.output("y", graph.dot(graph.input("x", (1, 160), "fp16"), weights))
    refused(graph, "tile of weights takes .* no such room is left", VL16.replace(mem={"words": 64}))
    table = Graph("table")
    table.output("y", table.gather(table.constant(np.ones((3000, 4)), "fp16"), table.input("i", (1, 1), "int16")))
    refused(table, "has 3000 rows in a slice, a bank has 2048 words")


def test_a_program_that_is_too_long_is_refused():
    graph = Graph("long")
    x = graph.input("x", (40, 16), "fp32")
    graph.output("y", graph.move(x, np.random.default_rng(SEED).permutation(640).reshape(40, 16)))
    refused(graph, "Queue .* has .* words, it holds 64", VL16.replace(queue_words=64))


# Between passes ------------------------------------------------------------------------------------------------


def lowered(graph=None):
    return Lowering(normalise(graph or of_everything(), VL16.vl), Chip(VL16))


def test_rules_hold_for_what_the_passes_make():
    graph = of_everything()
    verify_graph(graph)
    verify_graph(normalise(graph, VL16.vl))
    verify_tasks(lowered(graph))


def test_a_graph_out_of_order_is_found():
    graph = of_everything()
    graph.tensors.reverse()
    with pytest.raises(VerifyError, match="comes before one of its operands"):
        verify_graph(graph)


@pytest.mark.parametrize("op", ["elementwise", "dot", "reduce", "move", "bytes", "gather", "scatter", "constant", "state"])
def test_a_wrong_shape_is_found(op):
    graph = of_everything()
    at, old = next((k, t) for k, t in enumerate(graph.tensors) if t.op == op)
    graph.tensors[at] = Tensor(graph, op, (7, 7), old.dtype, old.operands, old.attributes)
    with pytest.raises(VerifyError, match="is .*7, 7"):
        verify_graph(graph)


def test_a_scatter_that_is_not_kept_is_refused():
    graph = Graph()
    table = graph.state("table", np.zeros((4, 16), np.int16))
    graph.output("y", graph.gather(graph.scatter(table, graph.input("i", (1, 1), "int16"), graph.input("r", (1, 16), "int16")),
                                   graph.inputs["i"]))  # fmt: skip
    refused(graph, "The state 'table' is scattered into and becomes something else")


def test_two_scatters_side_by_side_are_refused():
    graph = Graph()
    table, row = graph.state("table", np.zeros((4, 16), np.int16)), graph.input("r", (1, 16), "int16")
    graph.store("table", graph.scatter(table, graph.constant([[1]], "int16"), row))
    graph.output("y", graph.gather(graph.scatter(table, graph.constant([[2]], "int16"), row), graph.constant([[2]], "int16")))
    refused(graph, "The state 'table' is scattered into twice")


def test_a_vector_made_twice_is_found():
    lowering = lowered()
    lowering.tasks.append(lowering.tasks[-1])
    lowering.tasks.append(next(task for task in lowering.tasks if task.makes))
    with pytest.raises(VerifyError, match="makes a vector that another has made"):
        verify_tasks(lowering)


def test_a_vector_read_before_it_is_made_is_found():
    lowering = lowered()
    next(task for task in lowering.tasks if task.after).after.clear()
    with pytest.raises(VerifyError, match="is not there|still read"):
        verify_tasks(lowering)


def test_lists_of_several_lengths_are_found():
    lowering = lowered()
    task = next(task for task in lowering.tasks if type(task).__name__ == "Chain" and len(task.args[0]) > 1)
    task.args[0].pop()
    with pytest.raises(VerifyError, match="has lists of"):
        verify_tasks(lowering)


def test_a_task_without_a_place_is_found():
    with pytest.raises(VerifyError, match="has no place in the schedule"):
        verify_schedule(lowered())


def test_two_results_in_one_word_are_found():
    lowering, chip = lowered(), Chip(VL16)
    memory = Memory(VL16, len(chip.slices))
    Placer(lowering, chip, memory)
    Joint(System(VL16, 1), [Schedule(lowering, chip, memory)])
    verify_schedule(lowering)
    copies = [copy for task in lowering.tasks for v in task.makes for copy in v.copies if copy.writes and copy.reads]
    one, other = copies[0], next(copy for copy in copies[1:] if copy.writes[0][1] != copies[0].writes[0][1])
    other.writes = [(queue, issue, word) for (queue, _, word), (_, issue, _) in zip(one.writes, other.writes, strict=False)]
    for task in lowering.tasks:
        for vector in task.makes:
            vector.last_read += 10_000
    with pytest.raises(VerifyError, match="over a result of"):
        verify_schedule(lowering)


# Checker -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_a_schedule_spoiled_by_hand_is_refused(seed, monkeypatch):
    """One word of the program, anywhere, is issued a cycle late: the checker, or results that differ."""
    print("seed", seed)
    rng, issue, count = np.random.default_rng(seed), Board.issue, [0]
    chosen = int(rng.integers(20, 80))

    def other(self, queue, cycle, name, values):
        count[0] += 1
        issue(self, queue, cycle + (count[0] == chosen and name == "READ"), name, values)

    graph = Graph()
    x = graph.input("x", (20, 21), "fp32")
    graph.output("y", graph.elementwise("RELU", x + graph.input("z", (20, 21), "fp32")))
    monkeypatch.setattr(Board, "issue", other)
    with pytest.raises(CompileError, match="checker refuses|Queue|words"):
        compile_graph(graph, VL16)
