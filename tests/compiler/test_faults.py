"""A latency that the scheduler has wrong by one is found: the checker refuses the program or the results are others."""

import dataclasses

import numpy as np
import pytest

from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.compiled import CompileError
from sw.compiler.graph import Graph
from sw.isa.rows.vxm import ALU_TYPES
from sw.isa.table import TABLE
from tests.compiler.machines import agree, some, some_inputs

#: Rows of the table that compiled programs of one chip have none of; those of several chips: `test_chips.py`.
UNUSED = {
    "IFETCH", "SYNC", "NOTIFY", "CONFIG", "SHIFT", "SELECT_MAP", "DISTRIBUTE", "ROTATE", "TRANSPOSE",
    "SEND", "FORWARD", "DESKEW", "TRANSMIT", "RUNTIME_DESKEW", "RECEIVE", "ALIGN",
}  # fmt: skip
#: Rows that queues take by themselves, without a place in the schedule.
CONTROL = {"HALT", "NOP", "REPEAT"}
USED = [row.name for row in TABLE if row.name not in UNUSED | CONTROL]
#: Rows whose results the scheduler finds by their `d_func`.
RESULTS = [*ALU_TYPES, "READ", "GATHER", "IW", "ABC", "ACC", "PERMUTE", "REDUCE"]


def graph_with(name, rng):
    """A small graph whose program has an instruction of this name, and in a chain if it can be in one."""
    graph = Graph(name)
    if name in ALU_TYPES:
        dtype = "int32" if "int32" in (known := [kind.text for kind in ALU_TYPES[name]]) else known[-1]
        a, b = graph.input("a", (2, 16), dtype), graph.input("b", (2, 16), dtype)
        if name == "SELECT":
            made = graph.elementwise("SELECT", graph.elementwise("LT", a, b), a, b)
        elif name == "CONVERT":
            made = a.to("int16")
        else:
            made = graph.elementwise(name, a, b) if next(r for r in TABLE if r.name == name).fields.count("b") else None
            made = graph.elementwise(name, a) if made is None else made
        graph.output("alone", made)
        graph.output("chained", graph.elementwise("NEG" if name == "MOV" else "MOV", made))
    elif name in ("GATHER", "SCATTER"):
        table = graph.state("table", some((9, 16), "int16", rng))
        index = graph.input("index", (1, 1), "int16")
        after = graph.scatter(table, index, graph.input("row", (1, 16), "int16"))
        graph.store("table", after)
        graph.output("y", graph.gather(after, index) + 1)
    elif name in ("LW", "IW", "ABC", "ABC_HOLD", "ACC"):
        graph.output("y", graph.dot(graph.input("a", (1, 32), "fp16"), graph.constant(some((64, 32), "fp16", rng))))
    elif name in ("PERMUTE", "MAP"):
        graph.output("y", graph.move(graph.input("a", (1, 16), "int16"), np.arange(16)[None, ::-1]))
    elif name == "REDUCE":
        graph.output("y", graph.reduce("SUM", graph.input("a", (2, 16), "int32"), 1))
    else:
        graph.output("y", graph.input("a", (2, 16), "int32") + graph.input("b", (2, 16), "int32"))
    return graph


def runs(graph, rng):
    """Values for two runs, at which every operation gives something else than zero."""
    found = []
    for _ in range(2):
        inputs = some_inputs(graph, rng)
        for name in inputs:
            if graph.inputs[name].dtype.is_float:
                inputs[name] = np.abs(inputs[name]) + inputs[name].dtype.type(0.5)
        if "index" in inputs:
            inputs["index"] = rng.integers(0, 9, (1, 1)).astype(np.int16)
        found.append(inputs)
    return found


def issued(monkeypatch, name="", later=0):
    """Has the scheduler issue an instruction that many cycles later than it means to; gives the names it issues."""
    names, issue = set(), Board.issue

    def other(self, queue, cycle, what, values):
        names.add(what)
        issue(self, queue, cycle + (later if what == name else 0), what, values)

    monkeypatch.setattr(Board, "issue", other)
    return names


def found(graph, rng):
    """Whether somebody notices that the program of a graph is wrong."""
    try:
        agree(graph, runs(graph, rng), rtol=1e-5)
    except (CompileError, AssertionError) as error:
        print(error)
        return True
    return False


@pytest.mark.parametrize("name", USED)
def test_every_row_occurs_and_is_right_as_it_is(name, monkeypatch, rng):
    names = issued(monkeypatch)
    graph = graph_with(name, rng)
    agree(graph, runs(graph, rng), rtol=1e-5)
    assert name in names


@pytest.mark.parametrize("later", [-1, 1])
@pytest.mark.parametrize("name", USED)
def test_an_issue_a_cycle_off_is_found(name, later, monkeypatch, rng):
    graph = graph_with(name, rng)
    issued(monkeypatch, name, later)
    assert found(graph, rng)


@pytest.mark.parametrize("later", [-1, 1])
@pytest.mark.parametrize(
    ("name", "constant"), [*((name, "d_func") for name in RESULTS), *((name, "d_chain") for name in ALU_TYPES)]
)
def test_a_constant_a_cycle_off_is_found(name, constant, later, monkeypatch, rng):
    graph = graph_with(name, rng)
    _mistaken(monkeypatch, name, constant, later)
    assert found(graph, rng)


def _mistaken(monkeypatch, name, constant, later):
    """Has the scheduler believe that a constant of an instruction is greater by `later`."""
    timing, create = Chip.timing, Chip.__init__

    def other(self, what, dtype=0):
        true = timing(self, what, dtype)
        if what != name:
            return true
        return dataclasses.replace(true, **{constant: getattr(true, constant) + later})

    def made(self, config):
        create(self, config)
        self.read_lead += later if name == "READ" else 0

    monkeypatch.setattr(Chip, "timing", other)
    monkeypatch.setattr(Chip, "__init__", made)
